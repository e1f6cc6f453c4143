//! Every query, once. `postgres` and `sqlite` each mount this folder: here, `engine` is whichever
//! of the two mounted it, so the compiler checks each query against both.

pub(crate) mod catalogue;
pub(crate) mod feed;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod peppers;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super as engine;
use crate::{error::ChangeError, record::Revision, schema::change_counter};

/// The first statement of every change: takes the history's next place, and with it the lock that
/// lines all changes up. What a change is decided on is read after this.
async fn next_revision(conn: &mut engine::Connection) -> Result<Revision, ChangeError> {
    let rev = diesel::update(change_counter::table)
        .set(change_counter::rev.eq(change_counter::rev + 1))
        .returning(change_counter::rev)
        .get_result(conn)
        .await?;
    Ok(Revision(rev))
}
