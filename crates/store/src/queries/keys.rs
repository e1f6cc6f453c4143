//! One key: make it, read it, change it.

use std::collections::HashMap;

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    id::{BusinessId, KeyId},
    scope::{ScopeName, ScopeSet},
    settings::{ReasonText, RevokeReason},
};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use super::{
    access::still_granted,
    audit, begin,
    businesses::mention_business,
    check_etag, engine, idempotence, left_behind,
    operators::{check_operators_without, is_operator, lasts},
    secrets::{insert_secret, replace_secret},
};
use crate::{
    audit::{AuditAction, AuditEvent},
    change::KeyChange,
    columns::{TimeColumn, UidColumn},
    error::{ChangeError, Refused, ScopeProblem, StoreError},
    record::{
        Act, Committed, KeyRecord, KeyTarget, NewKey, RequestId, Revision, RevokedKey, ScopeRecord,
    },
    rows::{KeyRow, ScopeRow},
    schema::{businesses, keys, scopes},
};

impl engine::Database {
    pub(crate) async fn get_key(
        &self,
        business_id: &BusinessId,
        key_id: KeyId,
    ) -> Result<Option<KeyRecord>, StoreError> {
        let mut conn = self.read().await?;
        find_key(&mut conn, business_id, key_id).await
    }

    /// The checks of `create_key` that rest on what it asks for, and nothing else.
    pub(crate) async fn check_new_key(
        &self,
        business_id: &BusinessId,
        scopes: &ScopeSet,
        assigner: AssignableBy,
        request: Option<RequestId>,
        act: &Act,
    ) -> Result<(), ChangeError> {
        let mut conn = self.read().await?;
        if idempotence::repeated(&mut conn, act, business_id, request).await?.is_some() {
            return Ok(());
        }
        check_key_limit(&mut conn, business_id, act.time).await?;
        check_scopes(&mut conn, business_id, scopes, assigner).await
    }

    pub(crate) async fn create_key(
        &self,
        new: NewKey,
        assigner: AssignableBy,
        request: Option<RequestId>,
        act: Act,
    ) -> Result<Committed<KeyRecord>, ChangeError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            let business_id = new.business_id.clone();
            still_granted(conn, &act, &business_id).await?;
            if let Some(key) = idempotence::repeated(conn, &act, &business_id, request).await? {
                return Ok(Committed { revision, value: key, repeated: true });
            }
            if !check_key_limit(conn, &business_id, act.time).await? {
                mention_business(conn, &business_id, revision, act.time).await?;
            }
            check_scopes(conn, &business_id, &new.settings.scopes, assigner).await?;
            let secret = new.secret;
            let key = new.into_record(revision, act.time);
            let row = KeyRow::new(&key, revision);
            diesel::insert_into(keys::table).values(&row).execute(conn).await?;
            insert_secret(conn, key.key_id, 1, secret, revision, act.time).await?;
            if let Some(request) = request {
                idempotence::remember(conn, &act, &business_id, request, key.key_id).await?;
            }
            let event = AuditEvent::of_key(revision, act, AuditAction::CreateKey, None, &key);
            audit::record(conn, vec![event]).await?;
            Ok(Committed::now(revision, key))
        })
        .await
    }

    pub(crate) async fn change_key(
        &self,
        target: KeyTarget,
        change: KeyChange,
        request: Option<RequestId>,
        act: Act,
    ) -> Result<Committed<KeyRecord>, ChangeError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            change_one(conn, revision, target, change, request, act).await
        })
        .await
    }

    pub(crate) async fn revoke_key(
        &self,
        target: KeyTarget,
        reason: RevokeReason,
        text: ReasonText,
        act: Act,
    ) -> Result<Committed<RevokedKey>, ChangeError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            let now = act.time;
            let revision = begin(conn, &act).await?;
            let change = KeyChange::Revoke { reason, text };
            let key = change_one(conn, revision, target, change, None, act).await?.value;
            let left_behind = if key.business_id.is_reserved() {
                left_behind::by_service_key(conn, key.key_id, now).await?
            } else {
                Vec::new()
            };
            Ok(Committed::now(revision, RevokedKey { key, left_behind }))
        })
        .await
    }
}

/// Changes one key, as the change of `revision`.
async fn change_one(
    conn: &mut engine::Connection,
    revision: Revision,
    target: KeyTarget,
    change: KeyChange,
    request: Option<RequestId>,
    act: Act,
) -> Result<Committed<KeyRecord>, ChangeError> {
    let KeyTarget { business_id, key_id, etag } = target;
    still_granted(conn, &act, &business_id).await?;
    if let Some(key) = idempotence::repeated(conn, &act, &business_id, request).await? {
        return Ok(Committed { revision, value: key, repeated: true });
    }
    let before = find_key(conn, &business_id, key_id).await?;
    let before = before.ok_or(Refused::KeyNotFound)?;
    check_etag(etag, before.etag())?;
    let mut after = change.apply(&before, act.time)?;
    check_change(conn, &before, &after, &change, act.time).await?;
    if let KeyChange::Rotate { secret, .. } = change {
        replace_secret(conn, key_id, secret, revision, act.time).await?;
    }
    if after != before {
        after.revision = revision;
        write_key(conn, &after).await?;
    }
    if let Some(request) = request {
        idempotence::remember(conn, &act, &business_id, request, key_id).await?;
    }
    let event = AuditEvent::of_key(revision, act, change.action(), Some(before), &after);
    audit::record(conn, vec![event]).await?;
    Ok(Committed::now(revision, after))
}

/// `Lifecycle::is_live` as a condition on a row of `keys`: neither revoked nor expired by now.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn is_live(now: TimeColumn) -> _ {
    let expires_later = keys::expire_time.is_null().or(keys::expire_time.gt(now));
    keys::revoke_time.is_null().and(expires_later)
}

pub(super) async fn find_key(
    conn: &mut engine::Connection,
    business_id: &BusinessId,
    key_id: KeyId,
) -> Result<Option<KeyRecord>, StoreError> {
    keys::table
        .filter(keys::key_id.eq(UidColumn(key_id)))
        .filter(keys::business_id.eq(business_id.as_str()))
        .select(KeyRow::as_select())
        .first(conn)
        .await
        .optional()?
        .map(KeyRecord::try_from)
        .transpose()
}

/// Writes a key's row as the change of its revision leaves it.
pub(super) async fn write_key(
    conn: &mut engine::Connection,
    key: &KeyRecord,
) -> Result<(), ChangeError> {
    let row = KeyRow::new(key, key.revision);
    diesel::update(keys::table.find(UidColumn(key.key_id))).set(&row).execute(conn).await?;
    Ok(())
}

/// Whether the business is there, with room for another live key; one that is not has room.
async fn check_key_limit(
    conn: &mut engine::Connection,
    business_id: &BusinessId,
    now: Timestamp,
) -> Result<bool, ChangeError> {
    let live = keys::table
        .filter(keys::business_id.eq(business_id.as_str()))
        .filter(is_live(TimeColumn(now)))
        .select(count_star())
        .single_value();
    // In one statement: all changes wait while one is under way.
    let found: Option<(i32, Option<i64>)> = businesses::table
        .find(business_id.as_str())
        .select((businesses::key_limit, live))
        .first(conn)
        .await
        .optional()?;
    match found {
        None => Ok(false),
        Some((limit, live)) if live.unwrap_or(0) >= i64::from(limit) => {
            Err(Refused::KeyLimitReached { limit }.into())
        }
        Some(_) => Ok(true),
    }
}

/// What a change must not break beyond the key itself.
async fn check_change(
    conn: &mut engine::Connection,
    before: &KeyRecord,
    after: &KeyRecord,
    change: &KeyChange,
    now: Timestamp,
) -> Result<(), ChangeError> {
    if let Some((added, assigner)) = change.added_scopes(before) {
        check_scopes(conn, &before.business_id, &added, assigner).await?;
    }
    if after.lifecycle.is_live(now) && !before.lifecycle.is_live(now) {
        check_key_limit(conn, &before.business_id, now).await?;
    }
    if !is_operator(after, now) || (lasts(before) && !lasts(after)) {
        check_operators_without(conn, std::slice::from_ref(before), now).await?;
    }
    Ok(())
}

/// Each scope must be in the catalogue, live, and one that `assigner` may give. The reserved
/// business's scopes are built in and not in the table: the server decides on them.
async fn check_scopes(
    conn: &mut engine::Connection,
    business_id: &BusinessId,
    wanted: &ScopeSet,
    assigner: AssignableBy,
) -> Result<(), ChangeError> {
    if wanted.is_empty() || business_id.is_reserved() {
        return Ok(());
    }
    let names = wanted.iter().map(|name| name.as_str().to_owned()).collect();
    let known = scopes_named(conn, names).await?;
    let problems = scope_problems(wanted, &known, assigner);
    if problems.is_empty() { Ok(()) } else { Err(Refused::Scopes(problems).into()) }
}

/// What the catalogue has of these names.
pub(super) async fn scopes_named(
    conn: &mut engine::Connection,
    names: Vec<String>,
) -> Result<HashMap<ScopeName, ScopeRecord>, StoreError> {
    let rows: Vec<ScopeRow> = scopes::table
        .filter(scopes::name.eq_any(names))
        .select(ScopeRow::as_select())
        .load(conn)
        .await?;
    let records = rows.into_iter().map(ScopeRecord::try_from);
    records.map(|record| record.map(|record| (record.name.clone(), record))).collect()
}

/// Why some of the scopes cannot be given.
pub(super) fn scope_problems(
    wanted: &ScopeSet,
    known: &HashMap<ScopeName, ScopeRecord>,
    assigner: AssignableBy,
) -> Vec<(ScopeName, ScopeProblem)> {
    // To users, what only the platform gives is not there at all.
    let is_visible = |scope: &&ScopeRecord| {
        assigner == AssignableBy::Operators || scope.assignable_by == AssignableBy::Users
    };
    let problem = |name: &ScopeName| match known.get(name).filter(is_visible) {
        None => Some(ScopeProblem::Unknown),
        Some(scope) if scope.retire_time.is_some() => Some(ScopeProblem::Retired),
        Some(_) => None,
    };
    let with_problem = |name: &ScopeName| problem(name).map(|problem| (name.clone(), problem));
    wanted.iter().filter_map(with_problem).collect()
}
