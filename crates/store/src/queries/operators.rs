//! Somebody can always act as the platform: what keeps the last operator key.

use apikey::{clock::Timestamp, id::BusinessId, lifecycle::State, scope::built_in};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::engine;
use crate::{
    error::{ChangeError, Refused},
    record::KeyRecord,
    rows::KeyRow,
    schema::keys,
};

/// Whether the key lets its holder act as the platform now.
pub(super) fn is_operator(key: &KeyRecord, now: Timestamp) -> bool {
    key.business_id.is_reserved()
        && key.lifecycle.state(now) == State::Active
        && key.settings.scopes.iter().any(|scope| scope.as_str() == built_in::OPERATE)
}

/// Whether the key never expires by itself.
pub(super) fn lasts(key: &KeyRecord) -> bool {
    key.lifecycle.expire_time.is_none()
}

/// Without these keys there must be another operator key, and one that lasts if one of these did.
/// Keys that are no operators' are none of its business.
pub(super) async fn check_operators_without(
    conn: &mut engine::Connection,
    ending: &[KeyRecord],
    now: Timestamp,
) -> Result<(), ChangeError> {
    let operators: Vec<&KeyRecord> = ending.iter().filter(|key| is_operator(key, now)).collect();
    let must_last = operators.iter().any(|key| lasts(key));
    if operators.is_empty() {
        return Ok(());
    }
    let rows: Vec<KeyRow> = keys::table
        .filter(keys::business_id.eq(BusinessId::keyward().as_str()))
        .filter(keys::revoke_time.is_null())
        .select(KeyRow::as_select())
        .load(conn)
        .await?;
    for row in rows {
        let other = KeyRecord::try_from(row)?;
        let ends = ending.iter().any(|key| key.key_id == other.key_id);
        if !ends && is_operator(&other, now) && (lasts(&other) || !must_last) {
            return Ok(());
        }
    }
    Err(Refused::LastOperatorKey.into())
}
