//! What whoever is let go leaves behind: live keys whose secret they may know, because they made the key
//! or rotated it.

use std::collections::BTreeSet;

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

/// The live keys of a business that an advisor made or rotated last, oldest first. Such keys make no others.
pub(super) async fn by_advisor(
    conn: &mut engine::Connection,
    business_id: &BusinessId,
    advisor: &Advisor,
    now: Timestamp,
) -> Result<Vec<KeyRecord>, StoreError> {
    let Advisor { issuer, subject } = advisor;
    let made = keys::creator_user_issuer.eq(issuer).and(keys::creator_user_subject.eq(subject));
    let rotated = rotations(action_code(AuditAction::RotateKey))
        .filter(events::event_time.nullable().eq(keys::rotate_time))
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

/// The live service keys that a service key leaves behind, oldest first: those whose secret it was ever
/// shown, those whose secret these were shown, and so on, as whoever held it could act as any of them.
pub(super) async fn by_service_key(
    conn: &mut engine::Connection,
    service_key: KeyId,
    now: Timestamp,
) -> Result<Vec<KeyId>, StoreError> {
    let mut found = BTreeSet::from([service_key]);
    let mut actors = vec![service_key.to_string()];
    while !actors.is_empty() {
        let rotated = rotations(action_code(AuditAction::RotateKey))
            .filter(events::actor_caller.eq_any(actors.clone()));
        let shown: Vec<UidColumn> = keys::table
            .filter(keys::business_id.eq(BusinessId::keyward().as_str()))
            .filter(keys::creator_caller.eq_any(actors).or(exists(rotated)))
            .select(keys::key_id)
            .load(conn)
            .await?;
        let shown = shown.into_iter().map(|UidColumn(key_id)| key_id);
        actors = shown.filter(|id| found.insert(*id)).map(|id| id.to_string()).collect();
    }
    found.remove(&service_key);
    let live: Vec<UidColumn> = keys::table
        .filter(keys::key_id.eq_any(found.into_iter().map(UidColumn)))
        .filter(is_live(TimeColumn(now)))
        .order((keys::create_time, keys::key_id))
        .select(keys::key_id)
        .load(conn)
        .await?;
    Ok(live.into_iter().map(|UidColumn(key_id)| key_id).collect())
}

/// The events of the rotations of a key of the outer query.
#[diesel::dsl::auto_type(no_type_alias)]
fn rotations(rotate_key: i16) -> _ {
    events::table
        .filter(events::key_id.eq(keys::key_id.nullable()))
        .filter(events::action.eq(rotate_key))
}
