//! Lists of keys: filters, and pages that end where the next one begins.

use apikey::{clock::Timestamp, id::BusinessId, lifecycle::State};
use diesel::{
    BoxableExpression,
    prelude::*,
    sql_types::{Bool, Nullable},
};
use diesel_async::RunQueryDsl;

use super::{engine, keys::is_live};
use crate::{
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    list::{KeyFilter, KeyPosition, KeyQuery},
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
        let mut rows = matching(&business_ids, filter, now);
        if let Some(KeyPosition { create_time, key_id }) = after {
            let create_time = TimeColumn(create_time);
            // Says no more than the next condition, and is one that an index can begin with.
            rows = rows.filter(keys::create_time.le(create_time));
            rows = rows.filter(
                keys::create_time
                    .lt(create_time)
                    .or(keys::create_time.eq(create_time).and(keys::key_id.lt(UidColumn(key_id)))),
            );
        }
        let mut conn = self.read().await?;
        newest_first(&mut conn, rows, limit).await
    }
}

/// Keys for which conditions hold.
pub(super) type Matching = keys::BoxedQuery<'static, engine::Backend>;

/// The keys of these businesses for which all of the filter holds.
pub(super) fn matching(business_ids: &[BusinessId], filter: KeyFilter, now: Timestamp) -> Matching {
    let KeyFilter { states, scope, expire_before, obfuscated_secret, display_name_part } = filter;
    let mut rows = of_businesses(business_ids);
    if let Some(any) = states.iter().map(|state| in_state(*state, now)).reduce(either) {
        rows = rows.filter(any);
    }
    if let Some(scope) = scope {
        rows = rows.filter(holds_scope!(scope.as_str()));
    }
    if let Some(time) = expire_before {
        rows = rows.filter(keys::expire_time.lt(TimeColumn(time)));
    }
    if let Some(obfuscated) = obfuscated_secret {
        rows = rows.filter(keys::obfuscated_secret.eq(obfuscated));
    }
    if let Some(part) = display_name_part {
        rows = rows.filter(engine::position(keys::display_name, part).gt(0));
    }
    rows
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
