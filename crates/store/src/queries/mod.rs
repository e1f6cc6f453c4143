//! Every query, once. `postgres` and `sqlite` each mount this folder: here, `engine` is whichever
//! of the two mounted it, so the compiler checks each query against both.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod bulk;
pub(crate) mod businesses;
pub(crate) mod catalogue;
pub(crate) mod feed;
mod idempotence;
pub(crate) mod imports;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod lookup;
mod operators;
pub(crate) mod peppers;
pub(crate) mod secrets;

use super as engine;
use crate::{
    error::{ChangeError, Refused},
    record::Revision,
};

/// The first statement of every change: takes the history's next place, and with it the lock that
/// lines all changes up. What a change is decided on is read after this.
async fn next_revision(conn: &mut engine::Connection) -> Result<Revision, ChangeError> {
    let rev = engine::next_revision(conn).await?;
    Ok(Revision(rev))
}

/// A caller that names an etag decided on what it saw: only that may be changed.
fn check_etag(seen: Option<String>, current: String) -> Result<(), ChangeError> {
    match seen {
        Some(seen) if seen != current => Err(Refused::EtagMismatch { current }.into()),
        Some(_) | None => Ok(()),
    }
}
