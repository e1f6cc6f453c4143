//! Lists of keys: filters, and pages that end where the next one begins.

use apikey::{clock::Timestamp, id::BusinessId, lifecycle::State};
use diesel::{
    BoxableExpression,
    prelude::*,
    sql_types::{Bool, Nullable},
};
use diesel_async::RunQueryDsl;

use super::{
    engine,
    keys::is_live,
    usage::{self, NEVER},
};
use crate::{
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    list::{KeyFilter, KeyPosition, KeyQuery, LastUsePosition, LastUseQuery},
    record::KeyRecord,
    rows::KeyRow,
    schema::keys,
};

type Condition = Box<dyn BoxableExpression<keys::table, engine::Backend, SqlType = Nullable<Bool>>>;

impl engine::Database {
    /// Keys by `create_time`, newest first; at most `query.limit`.
    pub(crate) async fn list_keys(
        &self,
        query: KeyQuery,
        now: Timestamp,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        let KeyQuery { business_ids, filter, after, limit } = query;
        let mut conn = self.read().await?;
        read_snapshot!(conn, async move |conn| {
            let mut rows = matching(conn, &business_ids, filter, now).await?;
            if let Some(KeyPosition { create_time, key_id }) = after {
                let create_time = TimeColumn(create_time);
                // Says no more than the next condition, and is one that an index can begin with.
                rows = rows.filter(keys::create_time.le(create_time));
                let same =
                    keys::create_time.eq(create_time).and(keys::key_id.lt(UidColumn(key_id)));
                rows = rows.filter(keys::create_time.lt(create_time).or(same));
            }
            newest_first(conn, rows, limit).await
        })
        .await
    }

    /// Keys by their last use, never used ones first; at most `query.limit`.
    pub(crate) async fn list_keys_by_last_use(
        &self,
        query: LastUseQuery,
        now: Timestamp,
    ) -> Result<Vec<(KeyRecord, LastUsePosition)>, StoreError> {
        let LastUseQuery { business_ids, filter, after, limit } = query;
        let mut conn = self.read().await?;
        read_snapshot!(conn, async move |conn| {
            let open = usage::open(conn).await?;
            let mut rows = matching(conn, &business_ids, filter, now)
                .await?
                .select((KeyRow::as_select(), last_use!(open)))
                .order((last_use!(open), keys::key_id))
                .limit(limit);
            if let Some(LastUsePosition { last_use_time, key_id }) = after {
                let time = TimeColumn(last_use_time.unwrap_or(NEVER));
                let same = last_use!(open).eq(time).and(keys::key_id.gt(UidColumn(key_id)));
                rows = rows.filter(last_use!(open).gt(time).or(same));
            }
            let rows: Vec<(KeyRow, TimeColumn)> = rows.load(conn).await?;
            let placed = |(row, TimeColumn(time)): (KeyRow, TimeColumn)| {
                let record = KeyRecord::try_from(row)?;
                let last_use_time = Some(time).filter(|time| *time > NEVER);
                let position = LastUsePosition { last_use_time, key_id: record.key_id };
                Ok((record, position))
            };
            rows.into_iter().map(placed).collect()
        })
        .await
    }
}

/// The open slots, for a filter that speaks of use.
async fn open_where_needed(
    conn: &mut engine::Connection,
    filter: &KeyFilter,
) -> Result<Vec<TimeColumn>, StoreError> {
    let speaks_of_use = filter.never_used || filter.unused_since.is_some();
    if speaks_of_use { usage::open(conn).await } else { Ok(Vec::new()) }
}

/// All of them must hold.
fn conditions(filter: KeyFilter, open: &[TimeColumn], now: Timestamp) -> Vec<Condition> {
    let KeyFilter {
        states,
        scope,
        expire_before,
        obfuscated_secret,
        display_name_part,
        never_used,
        unused_since,
    } = filter;
    let mut all: Vec<Condition> = Vec::new();
    all.extend(states.iter().map(|state| in_state(*state, now)).reduce(either));
    if let Some(scope) = scope {
        all.push(Box::new(holds_scope!(scope.as_str()).nullable()));
    }
    if let Some(time) = expire_before {
        all.push(Box::new(keys::expire_time.lt(TimeColumn(time))));
    }
    if let Some(obfuscated) = obfuscated_secret {
        all.push(Box::new(keys::obfuscated_secret.eq(obfuscated).nullable()));
    }
    if let Some(part) = display_name_part {
        all.push(Box::new(engine::position(keys::display_name, part).gt(0).nullable()));
    }
    if never_used {
        all.push(Box::new(last_use!(open).eq(TimeColumn(NEVER)).nullable()));
    }
    if let Some(time) = unused_since {
        all.push(Box::new(last_use!(open).lt(TimeColumn(time)).nullable()));
    }
    all
}

/// Keys for which conditions hold.
pub(super) type Matching = keys::BoxedQuery<'static, engine::Backend>;

/// The keys of these businesses for which all of the filter holds.
pub(super) async fn matching(
    conn: &mut engine::Connection,
    business_ids: &[BusinessId],
    filter: KeyFilter,
    now: Timestamp,
) -> Result<Matching, StoreError> {
    let open = open_where_needed(conn, &filter).await?;
    let conditions = conditions(filter, &open, now).into_iter();
    Ok(conditions.fold(of_businesses(business_ids), |rows, condition| rows.filter(condition)))
}

/// All keys of these businesses.
pub(super) fn of_businesses(business_ids: &[BusinessId]) -> Matching {
    let ids: Vec<String> = business_ids.iter().map(|id| id.as_str().to_owned()).collect();
    keys::table.into_boxed().filter(keys::business_id.eq_any(ids))
}

/// The first keys of a list.
pub(super) async fn newest_first(
    conn: &mut engine::Connection,
    matching: Matching,
    limit: i64,
) -> Result<Vec<KeyRecord>, StoreError> {
    let rows: Vec<KeyRow> = matching
        .select(KeyRow::as_select())
        .order((keys::create_time.desc(), keys::key_id.desc()))
        .limit(limit)
        .load(conn)
        .await?;
    rows.into_iter().map(KeyRecord::try_from).collect()
}

fn either(one: Condition, other: Condition) -> Condition {
    Box::new(one.or(other))
}

/// The order of states, REVOKED over EXPIRED over SUSPENDED over ACTIVE, as conditions.
fn in_state(state: State, now: Timestamp) -> Condition {
    let now = TimeColumn(now);
    match state {
        State::Revoked => Box::new(keys::revoke_time.is_not_null().nullable()),
        State::Expired => Box::new(keys::revoke_time.is_null().and(keys::expire_time.le(now))),
        State::Suspended => Box::new(is_live(now).and(keys::suspended_by.is_not_null())),
        State::Active => Box::new(is_live(now).and(keys::suspended_by.is_null())),
    }
}
