//! Many keys at once: select them, revoke them.

use apikey::{
    clock::Timestamp,
    id::KeyId,
    settings::{ReasonText, RevokeReason},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    access::still_granted,
    audit, begin, engine,
    list::{matching, newest_first, of_businesses},
    operators::check_operators_without,
};
use crate::{
    audit::AuditEvent,
    bulk::BULK_MAX,
    change::KeyChange,
    columns::{TimeColumn, UidColumn},
    error::{ChangeError, Refused},
    list::{KeySelection, WhichKeys},
    record::{Act, Committed, KeyRecord, Revision},
    rows::reason_code,
    schema::keys,
};

impl engine::Database {
    /// What `revoke_keys` would revoke, and every check that it makes.
    pub(crate) async fn check_revoke_keys(
        &self,
        selection: KeySelection,
        now: Timestamp,
    ) -> Result<Vec<KeyRecord>, ChangeError> {
        let mut conn = self.read().await?;
        let selected = select(&mut conn, selection, now).await?;
        check_operators_without(&mut conn, &selected, now).await?;
        Ok(selected)
    }

    pub(crate) async fn revoke_keys(
        &self,
        selection: KeySelection,
        reason: RevokeReason,
        text: ReasonText,
        act: Act,
    ) -> Result<Committed<Vec<KeyRecord>>, ChangeError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            for business_id in &selection.business_ids {
                still_granted(conn, &act, business_id).await?;
            }
            let selected = select(conn, selection, act.time).await?;
            check_operators_without(conn, &selected, act.time).await?;
            let (revoked, events) =
                revoke_all(conn, revision, selected, reason, text, &act).await?;
            audit::record(conn, events).await?;
            Ok(Committed::now(revision, revoked))
        })
        .await
    }
}

/// Revokes keys as part of the change of `revision`: all in one statement, as every other change waits
/// meanwhile. Answers with the keys as they stand, and with an event for each, not yet written.
pub(super) async fn revoke_all(
    conn: &mut engine::Connection,
    revision: Revision,
    keys: Vec<KeyRecord>,
    reason: RevokeReason,
    text: ReasonText,
    act: &Act,
) -> Result<(Vec<KeyRecord>, Vec<AuditEvent>), ChangeError> {
    let change = KeyChange::Revoke { reason, text: text.clone() };
    let (mut revoked, mut events) = (Vec::new(), Vec::new());
    for before in keys {
        let mut after = change.apply(&before, act.time)?;
        if after != before {
            after.revision = revision;
        }
        let action = change.action();
        events.push(AuditEvent::of_key(revision, act.clone(), action, Some(before), &after));
        revoked.push(after);
    }
    let ids: Vec<UidColumn> = revoked.iter().map(|key| UidColumn(key.key_id)).collect();
    // What was revoked before keeps its first revocation.
    diesel::update(keys::table.filter(keys::key_id.eq_any(ids)))
        .filter(keys::revoke_time.is_null())
        .set((
            keys::rev.eq(revision.0),
            keys::revoke_time.eq(Some(TimeColumn(act.time))),
            keys::revoke_reason.eq(Some(reason_code(reason))),
            keys::revoke_reason_text.eq(text.as_str()),
            keys::update_time.eq(TimeColumn(act.time)),
        ))
        .execute(conn)
        .await?;
    Ok((revoked, events))
}

/// The keys that a change in bulk is for, newest first.
async fn select(
    conn: &mut engine::Connection,
    KeySelection { business_ids, which }: KeySelection,
    now: Timestamp,
) -> Result<Vec<KeyRecord>, ChangeError> {
    let most = i64::try_from(BULK_MAX).unwrap_or(i64::MAX);
    match which {
        WhichKeys::Ids(ids) => {
            let wanted: Vec<UidColumn> = ids.iter().copied().map(UidColumn).collect();
            let rows = of_businesses(&business_ids).filter(keys::key_id.eq_any(wanted));
            let found = newest_first(conn, rows, most).await?;
            let is_missing = |id: &KeyId| !found.iter().any(|key| key.key_id == *id);
            let missing: Vec<KeyId> = ids.into_iter().filter(is_missing).collect();
            if missing.is_empty() { Ok(found) } else { Err(Refused::KeysNotFound(missing).into()) }
        }
        WhichKeys::Filter(filter) => {
            let unrevoked = keys::revoke_time.is_null();
            let rows = matching(conn, &business_ids, filter.clone(), now).await?;
            let found = newest_first(conn, rows.filter(unrevoked), most.saturating_add(1)).await?;
            if found.len() > BULK_MAX {
                let rows = matching(conn, &business_ids, filter, now).await?;
                let matches: i64 = rows.filter(unrevoked).count().get_result(conn).await?;
                return Err(Refused::TooManyKeys { matches }.into());
            }
            Ok(found)
        }
    }
}
