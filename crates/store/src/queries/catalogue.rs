//! The scope catalogue.

use apikey::{
    catalogue::{
        AssignableBy, ScopeDefinition,
        effect::{Effect, Reach},
    },
    clock::Timestamp,
    scope::ScopeName,
};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use super::{audit, begin, engine, keys::is_live};
use crate::{
    audit::{AuditAction, AuditEvent},
    catalogue::{ScopeChange, ScopeEdit},
    columns::{TextListColumn, TimeColumn},
    error::{ChangeError, Refused, StoreError},
    record::{Act, Committed, Revision, ScopeRecord},
    rows::{ScopeRow, assignable_by_code, scope_set},
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
    ) -> Result<Committed<ScopeChange>, ChangeError> {
        let mut conn = self.write().await?;
        let name = name.clone();
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            let before = find_scope(conn, &name).await?;
            let scope = edited(before.as_ref(), &name, edit, allow_missing, act.time)?;
            let mut change = effect_of(conn, scope, act.time).await?;
            if before.as_ref() != Some(&change.scope) {
                change.scope.revision = revision;
                let row = ScopeRow::new(&change.scope, revision);
                match before {
                    None => diesel::insert_into(scopes::table).values(&row).execute(conn).await?,
                    Some(_) => {
                        let of_name = scopes::table.find(name.as_str());
                        diesel::update(of_name).set(&row).execute(conn).await?
                    }
                };
            }
            let event = scope_event(revision, act, AuditAction::UpdateScope, name);
            audit::record(conn, vec![event]).await?;
            Ok(Committed::now(revision, change))
        })
        .await
    }

    /// What `update_scope` would do, and every check that it makes.
    pub(crate) async fn check_update_scope(
        &self,
        name: &ScopeName,
        edit: ScopeEdit,
        allow_missing: bool,
        now: Timestamp,
    ) -> Result<ScopeChange, ChangeError> {
        let mut conn = self.read().await?;
        let before = find_scope(&mut conn, name).await?;
        let scope = edited(before.as_ref(), name, edit, allow_missing, now)?;
        effect_of(&mut conn, scope, now).await
    }

    pub(crate) async fn retire_scope(
        &self,
        name: &ScopeName,
        force: bool,
        act: Act,
    ) -> Result<Committed<ScopeChange>, ChangeError> {
        let mut conn = self.write().await?;
        let name = name.clone();
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            let before = find_scope(conn, &name).await?.ok_or(Refused::ScopeNotFound)?;
            let mut change = retired(conn, &before, force, act.time).await?;
            if change.scope != before {
                change.scope.revision = revision;
                let row = ScopeRow::new(&change.scope, revision);
                diesel::update(scopes::table.find(name.as_str())).set(&row).execute(conn).await?;
            }
            let event = scope_event(revision, act, AuditAction::RetireScope, name);
            audit::record(conn, vec![event]).await?;
            Ok(Committed::now(revision, change))
        })
        .await
    }

    /// What `retire_scope` would do, and every check that it makes.
    pub(crate) async fn check_retire_scope(
        &self,
        name: &ScopeName,
        force: bool,
        now: Timestamp,
    ) -> Result<ScopeChange, ChangeError> {
        let mut conn = self.read().await?;
        let before = find_scope(&mut conn, name).await?.ok_or(Refused::ScopeNotFound)?;
        retired(&mut conn, &before, force, now).await
    }
}

/// The scope after an edit, or as it is made by it.
fn edited(
    before: Option<&ScopeRecord>,
    name: &ScopeName,
    edit: ScopeEdit,
    allow_missing: bool,
    now: Timestamp,
) -> Result<ScopeRecord, Refused> {
    match before {
        Some(before) if before.retire_time.is_some() => Err(Refused::ScopeRetired),
        Some(before) => Ok(edit.apply(before, now)),
        None if allow_missing => Ok(edit.create(name.clone(), Revision::default(), now)),
        None => Err(Refused::ScopeNotFound),
    }
}

/// The scope after its retirement.
async fn retired(
    conn: &mut engine::Connection,
    before: &ScopeRecord,
    force: bool,
    now: Timestamp,
) -> Result<ScopeChange, ChangeError> {
    let narrowed_keys: i64 = keys::table
        .filter(is_live(TimeColumn(now)))
        .filter(holds_scope!(before.name.as_str()))
        .count()
        .get_result(conn)
        .await?;
    let mut scope = before.clone();
    if before.retire_time.is_none() {
        if narrowed_keys > 0 && !force {
            return Err(Refused::ScopeInUse { live_keys: narrowed_keys }.into());
        }
        scope.retire_time = Some(now);
        scope.update_time = now;
    }
    Ok(ScopeChange { scope, widened_keys: 0, narrowed_keys })
}

/// How many live keys a scope's new endpoints concern. Keys are looked at by the sets of scopes that
/// they hold, of which there are few.
async fn effect_of(
    conn: &mut engine::Connection,
    scope: ScopeRecord,
    now: Timestamp,
) -> Result<ScopeChange, ChangeError> {
    let rows: Vec<ScopeRow> = scopes::table.select(ScopeRow::as_select()).load(conn).await?;
    let catalogue = rows.into_iter().map(|row| ScopeRecord::try_from(row).map(definition));
    let catalogue = catalogue.collect::<Result<Vec<_>, _>>()?;
    let effect = Effect::of(&scope.name, &scope.endpoints, &catalogue);
    let mut change = ScopeChange { scope, widened_keys: 0, narrowed_keys: 0 };
    let names: Vec<String> =
        effect.scopes().into_iter().map(|name| name.as_str().to_owned()).collect();
    if names.is_empty() {
        return Ok(change);
    }
    let held: Vec<(TextListColumn, i64)> = keys::table
        .filter(is_live(TimeColumn(now)))
        .filter(holds_any_scope!(names))
        .group_by(keys::scopes)
        .select((keys::scopes, count_star()))
        .load(conn)
        .await?;
    for (names, live_keys) in held {
        let Reach { widened, narrowed } = effect.on(&scope_set(names)?);
        if widened {
            change.widened_keys = change.widened_keys.saturating_add(live_keys);
        }
        if narrowed {
            change.narrowed_keys = change.narrowed_keys.saturating_add(live_keys);
        }
    }
    Ok(change)
}

fn definition(scope: ScopeRecord) -> ScopeDefinition {
    let ScopeRecord { name, assignable_by, endpoints, retire_time, .. } = scope;
    ScopeDefinition { name, assignable_by, templates: endpoints, retired: retire_time.is_some() }
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
