//! What whoever is let go leaves behind: the live keys whose secret they were shown, because they made
//! the key, or rotated it last.

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
};
use diesel::{dsl::exists, prelude::*};
use diesel_async::RunQueryDsl;

use super::{engine, keys::is_live};
use crate::{
    access::Advisor,
    audit::AuditAction,
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    record::KeyRecord,
    rows::{KeyRow, action_code},
    schema::{audit_events as events, keys},
};

/// The keys of a business that an advisor leaves behind, oldest first.
pub(super) async fn by_advisor(
    conn: &mut engine::Connection,
    business_id: &BusinessId,
    advisor: &Advisor,
    now: Timestamp,
) -> Result<Vec<KeyRecord>, StoreError> {
    let Advisor { issuer, subject } = advisor;
    let made = keys::creator_user_issuer.eq(issuer).and(keys::creator_user_subject.eq(subject));
    let rotated = last_rotation(action_code(AuditAction::RotateKey))
        .filter(events::actor_user_issuer.eq(issuer))
        .filter(events::actor_user_subject.eq(subject));
    let rows: Vec<KeyRow> = keys::table
        .filter(keys::business_id.eq(business_id.as_str()))
        .filter(is_live(TimeColumn(now)))
        .filter(made.or(exists(rotated)))
        .select(KeyRow::as_select())
        .order((keys::create_time, keys::key_id))
        .load(conn)
        .await?;
    rows.into_iter().map(KeyRecord::try_from).collect()
}

/// The service keys that a service key leaves behind, oldest first.
pub(super) async fn by_service_key(
    conn: &mut engine::Connection,
    service_key: KeyId,
    now: Timestamp,
) -> Result<Vec<KeyId>, StoreError> {
    let caller = service_key.to_string();
    let rotated =
        last_rotation(action_code(AuditAction::RotateKey)).filter(events::actor_caller.eq(&caller));
    let found: Vec<UidColumn> = keys::table
        .filter(keys::business_id.eq(BusinessId::keyward().as_str()))
        .filter(is_live(TimeColumn(now)))
        .filter(keys::creator_caller.eq(&caller).or(exists(rotated)))
        .order((keys::create_time, keys::key_id))
        .select(keys::key_id)
        .load(conn)
        .await?;
    Ok(found.into_iter().map(|UidColumn(key_id)| key_id).collect())
}

/// The event of the rotation that gave a key of the outer query the secret that it has.
#[diesel::dsl::auto_type(no_type_alias)]
fn last_rotation(rotate_key: i16) -> _ {
    events::table
        .filter(events::key_id.eq(keys::key_id.nullable()))
        .filter(events::action.eq(rotate_key))
        .filter(events::event_time.nullable().eq(keys::rotate_time))
}
