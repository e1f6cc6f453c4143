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
mod left_behind;
pub(crate) mod list;
pub(crate) mod lookup;
mod operators;
pub(crate) mod peppers;
pub(crate) mod secrets;
pub(crate) mod usage;

use apikey::id::{BusinessId, KeyId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super as engine;
use crate::{
    columns::{TimeColumn, UidColumn},
    error::{ChangeError, Refused},
    record::{Act, Revision},
    schema,
};

/// The beginning of every change: takes the history's next place, and with it the lock that lines all
/// changes up. What a change is decided on is read after this, and first of all whether its caller's
/// service key is still active. Authentication asked that when the call began; asked there alone, a
/// change could come after the answer that its caller is revoked.
async fn begin(conn: &mut engine::Connection, act: &Act) -> Result<Revision, ChangeError> {
    let rev = engine::next_revision(conn).await?;
    // Anything else, as the command line, has no key that could be revoked.
    if let Ok(service_key) = KeyId::parse(&act.actor.caller) {
        let active: Option<UidColumn> = schema::keys::table
            .find(UidColumn(service_key))
            .filter(schema::keys::business_id.eq(BusinessId::keyward().as_str()))
            .filter(schema::keys::suspended_by.is_null())
            .filter(keys::is_live(TimeColumn(act.time)))
            .select(schema::keys::key_id)
            .first(conn)
            .await
            .optional()?;
        active.ok_or(Refused::CallerEnded)?;
    }
    Ok(Revision(rev))
}

/// A caller that names an etag decided on what it saw: only that may be changed.
fn check_etag(seen: Option<String>, current: String) -> Result<(), ChangeError> {
    match seen {
        Some(seen) if seen != current => Err(Refused::EtagMismatch { current }.into()),
        Some(_) | None => Ok(()),
    }
}
