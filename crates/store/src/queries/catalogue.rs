//! The scope catalogue.

use apikey::{catalogue::AssignableBy, scope::ScopeName};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{audit, begin, engine, keys::is_live};
use crate::{
    audit::{AuditAction, AuditEvent},
    catalogue::ScopeEdit,
    columns::TimeColumn,
    error::{ChangeError, Refused, StoreError},
    record::{Act, Committed, Revision, ScopeRecord},
    rows::{ScopeRow, assignable_by_code},
    schema::{keys, scopes},
};

impl engine::Database {
    /// Scopes by name, after `after`, and of one kind if `assignable_by` says so; at most `limit`.
    pub(crate) async fn list_scopes(
        &self,
        after: Option<ScopeName>,
        include_retired: bool,
        assignable_by: Option<AssignableBy>,
        limit: i64,
    ) -> Result<Vec<ScopeRecord>, StoreError> {
        let mut rows = scopes::table
            .select(ScopeRow::as_select())
            .order(scopes::name)
            .limit(limit)
            .into_boxed::<engine::Backend>();
        if let Some(name) = after {
            rows = rows.filter(scopes::name.gt(name.as_str().to_owned()));
        }
        if !include_retired {
            rows = rows.filter(scopes::retire_time.is_null());
        }
        if let Some(assignable_by) = assignable_by {
            rows = rows.filter(scopes::assignable_by.eq(assignable_by_code(assignable_by)));
        }
        let mut conn = self.read().await?;
        let rows: Vec<ScopeRow> = rows.load(&mut conn).await?;
        rows.into_iter().map(ScopeRecord::try_from).collect()
    }

    pub(crate) async fn update_scope(
        &self,
        name: &ScopeName,
        edit: ScopeEdit,
        allow_missing: bool,
        act: Act,
    ) -> Result<Committed<ScopeRecord>, ChangeError> {
        let mut conn = self.write().await?;
        let name = name.clone();
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            let scope = match find_scope(conn, &name).await? {
                Some(before) if before.retire_time.is_some() => {
                    return Err(Refused::ScopeRetired.into());
                }
                Some(before) => {
                    let mut after = edit.apply(&before, act.time);
                    if after != before {
                        after.revision = revision;
                        let row = ScopeRow::new(&after, revision);
                        diesel::update(scopes::table.find(name.as_str()))
                            .set(&row)
                            .execute(conn)
                            .await?;
                    }
                    after
                }
                None if allow_missing => {
                    let scope = edit.create(name.clone(), revision, act.time);
                    let row = ScopeRow::new(&scope, revision);
                    diesel::insert_into(scopes::table).values(&row).execute(conn).await?;
                    scope
                }
                None => return Err(Refused::ScopeNotFound.into()),
            };
            let event = scope_event(revision, act, AuditAction::UpdateScope, name);
            audit::record(conn, vec![event]).await?;
            Ok(Committed::now(revision, scope))
        })
        .await
    }

    /// Retires a scope; answers with the number of live keys that hold it.
    pub(crate) async fn retire_scope(
        &self,
        name: &ScopeName,
        force: bool,
        act: Act,
    ) -> Result<Committed<(ScopeRecord, i64)>, ChangeError> {
        let mut conn = self.write().await?;
        let name = name.clone();
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            let mut scope = find_scope(conn, &name).await?.ok_or(Refused::ScopeNotFound)?;
            let live_keys: i64 = keys::table
                .filter(is_live(TimeColumn(act.time)))
                .filter(holds_scope!(name.as_str()))
                .count()
                .get_result(conn)
                .await?;
            if scope.retire_time.is_none() {
                if live_keys > 0 && !force {
                    return Err(Refused::ScopeInUse { live_keys }.into());
                }
                scope.retire_time = Some(act.time);
                scope.update_time = act.time;
                scope.revision = revision;
                let row = ScopeRow::new(&scope, revision);
                diesel::update(scopes::table.find(name.as_str())).set(&row).execute(conn).await?;
            }
            let event = scope_event(revision, act, AuditAction::RetireScope, name);
            audit::record(conn, vec![event]).await?;
            Ok(Committed::now(revision, (scope, live_keys)))
        })
        .await
    }
}

fn scope_event(revision: Revision, act: Act, action: AuditAction, scope: ScopeName) -> AuditEvent {
    AuditEvent { scope: Some(scope), ..AuditEvent::new(revision, act, action) }
}

async fn find_scope(
    conn: &mut engine::Connection,
    name: &ScopeName,
) -> Result<Option<ScopeRecord>, StoreError> {
    scopes::table
        .find(name.as_str())
        .select(ScopeRow::as_select())
        .first(conn)
        .await
        .optional()?
        .map(ScopeRecord::try_from)
        .transpose()
}
