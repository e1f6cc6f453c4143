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
    columns::UidColumn,
    error::{ChangeError, Refused},
    record::{Act, Revision},
    schema,
};

/// The beginning of every change: takes the history's next place, and with it the lock that lines all
/// changes up. What a change is decided on is read after this, and first of all whether its caller's
/// service key is still as it was when the call was admitted. Otherwise a change could come after the
/// answer that its caller is revoked, has another secret, or may less.
async fn begin(conn: &mut engine::Connection, act: &Act) -> Result<Revision, ChangeError> {
    let rev = engine::next_revision(conn).await?;
    if let Some(Revision(admitted_at)) = act.admitted_at {
        let service_key =
            KeyId::parse(&act.actor.caller).map_err(|_other| Refused::CallerChanged)?;
        let unchanged: Option<UidColumn> = schema::keys::table
            .inner_join(schema::businesses::table)
            .filter(schema::keys::key_id.eq(UidColumn(service_key)))
            .filter(schema::keys::business_id.eq(BusinessId::keyward().as_str()))
            .filter(schema::keys::rev.le(admitted_at))
            .filter(schema::businesses::rev.le(admitted_at))
            .select(schema::keys::key_id)
            .first(conn)
            .await
            .optional()?;
        unchanged.ok_or(Refused::CallerChanged)?;
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
