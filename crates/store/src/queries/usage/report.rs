//! Usage over a time: what is rolled up, and what is not yet, from one snapshot.

use apikey::{
    billing::BillingSchedule,
    clock::Timestamp,
    id::{BusinessId, KeyId},
};
use diesel::{prelude::*, sql_types::BigInt};
use diesel_async::RunQueryDsl;

use super::{counted_until, engine, gaps, open_slots, progress, schedules};
use crate::{
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    rows::{SlotRow, counted_verdict},
    schema::{keys, usage_days, usage_hours, usage_slots},
    usage::{Granularity, UsageCount, UsageQuery, UsageReport},
};

/// A bucket's start, a verdict's code, and how often. (A sum has no limit; counts have.)
type Sum = (TimeColumn, i16, i64);

/// The sums of a table's buckets that begin in a span.
macro_rules! sums {
    ($conn:ident, $query:ident, $table:ident, $start:ident) => {{
        let UsageQuery { business_id, key_id, start, end, granularity: _ } = $query;
        let mut sums = $table::table
            .inner_join(keys::table.on(keys::key_id.eq($table::key_id)))
            .filter(keys::business_id.eq(business_id.as_str()))
            .filter($table::$start.ge(TimeColumn(*start)))
            .filter($table::$start.lt(TimeColumn(*end)))
            .group_by(($table::$start, $table::verdict))
            .select((
                $table::$start,
                $table::verdict,
                diesel::dsl::sql::<BigInt>("cast(sum(count) as bigint)"),
            ))
            .into_boxed::<engine::Backend>();
        if let Some(key_id) = key_id {
            sums = sums.filter($table::key_id.eq(UidColumn(*key_id)));
        }
        sums.load::<Sum>($conn).await?
    }};
}

impl engine::Database {
    pub(crate) async fn query_usage(
        &self,
        query: UsageQuery,
        now: Timestamp,
    ) -> Result<Option<UsageReport>, StoreError> {
        let mut conn = self.read().await?;
        read_snapshot!(conn, async move |conn| {
            if let Some(key_id) = query.key_id
                && !has_key(conn, &query.business_id, key_id).await?
            {
                return Ok(None);
            }
            let counted_until = counted_until(conn, now).await?;
            let mut report = UsageReport {
                rows: Default::default(),
                counted_until,
                incomplete: !gaps(conn, query.start, query.end).await?.is_empty(),
            };
            let query = &query;
            let (sums, table) = match query.granularity {
                Granularity::Hour => (sums!(conn, query, usage_hours, hour_start), "usage_hours"),
                Granularity::Day => (sums!(conn, query, usage_days, day_start), "usage_days"),
            };
            for (TimeColumn(start), verdict, count) in sums {
                let verdict = counted_verdict(verdict, table, start)?;
                *report.rows.entry(start).or_default().entry(verdict).or_default() += count;
            }
            add_open(conn, query, &mut report).await?;
            Ok(Some(report))
        })
        .await
    }
}

async fn has_key(
    conn: &mut engine::Connection,
    business_id: &BusinessId,
    key_id: KeyId,
) -> Result<bool, StoreError> {
    let found: i64 = keys::table
        .filter(keys::key_id.eq(UidColumn(key_id)))
        .filter(keys::business_id.eq(business_id.as_str()))
        .count()
        .get_result(conn)
        .await?;
    Ok(found > 0)
}

async fn add_open(
    conn: &mut engine::Connection,
    query: &UsageQuery,
    report: &mut UsageReport,
) -> Result<(), StoreError> {
    let UsageQuery { business_id, key_id, start, end, granularity } = query;
    let schedules = schedules(conn, vec![business_id.as_str()]).await?;
    let schedule = schedules.into_values().next().unwrap_or_else(BillingSchedule::default);
    let progress = progress(conn).await?;
    let slots = open_slots(conn, progress).await?;
    let mut rows = usage_slots::table
        .inner_join(keys::table.on(keys::key_id.eq(usage_slots::key_id)))
        .filter(keys::business_id.eq(business_id.as_str()))
        .filter(usage_slots::slot_start.eq_any(slots))
        .select(SlotRow::as_select())
        .into_boxed::<engine::Backend>();
    if let Some(key_id) = key_id {
        rows = rows.filter(usage_slots::key_id.eq(UidColumn(*key_id)));
    }
    for row in rows.load::<SlotRow>(conn).await? {
        let count = UsageCount::try_from(row)?;
        let at = match granularity {
            Granularity::Hour => count.slot.hour(),
            Granularity::Day => schedule.day_at(count.slot.start()).start,
        };
        if progress.includes(&count) || at < *start || at >= *end || count.count == 0 {
            continue;
        }
        *report.rows.entry(at).or_default().entry(count.verdict).or_default() += count.count;
    }
    Ok(())
}
