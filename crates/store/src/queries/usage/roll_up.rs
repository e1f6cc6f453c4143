//! Slots that are complete become hours, days, totals and last uses, a step a transaction. How far it
//! came is written in the same one, so that nothing is added twice.

use std::collections::{BTreeMap, HashMap, HashSet};

use apikey::{clock::Timestamp, id::KeyId, usage::Slot};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{NEVER, Progress, counted_until, engine, schedules};
use crate::{
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    rows::{CountRow, SlotRow, verdict_code},
    schema::{keys, usage_progress, usage_slots},
    usage::UsageCount,
};

/// Rows a step: on SQLite no change waits longer for the one writer than these take.
const ROWS_MAX: i64 = 5_000;

/// `at` is an hour's start.
const ADD_TO_HOURS: &str = "
    insert into usage_hours as kept (key_id, hour_start, verdict, count)
    select key_id, at, verdict, count from counts where true
    on conflict (key_id, hour_start, verdict) do update set count = kept.count + excluded.count";

/// `at` is a day's start.
const ADD_TO_DAYS: &str = "
    insert into usage_days as kept (key_id, day_start, verdict, count)
    select key_id, at, verdict, count from counts where true
    on conflict (key_id, day_start, verdict) do update set count = kept.count + excluded.count";

/// `at` is a period's start.
const ADD_TO_TOTALS: &str = "
    insert into usage_totals as kept (key_id, period_start, request_count)
    select key_id, at, count from counts where true
    on conflict (key_id, period_start) do update set
        request_count = kept.request_count + excluded.request_count";

/// `at` is the last use, `last_time` the last denied one. They only move forward.
const MOVE_LAST: &str = "
    insert into usage_last as kept (key_id, last_use_time, last_denied_use_time)
    select key_id, at, last_time from counts where true
    on conflict (key_id) do update set
        last_use_time = case when kept.last_use_time < excluded.last_use_time
            then excluded.last_use_time else kept.last_use_time end,
        last_denied_use_time = case when kept.last_denied_use_time < excluded.last_denied_use_time
            then excluded.last_denied_use_time else kept.last_denied_use_time end";

impl engine::Database {
    /// Rolls up one step of the slots that are complete; tells whether more are left.
    pub(crate) async fn roll_up_usage(&self, now: Timestamp) -> Result<bool, StoreError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            let place = usage_progress::table;
            let place = place.select((usage_progress::slot_start, usage_progress::key_id));
            let progress: (TimeColumn, UidColumn) = unshared!(place).first(conn).await?;
            let progress = Progress::from(progress);
            // Everybody has flushed through this moment: nothing before it is still to come.
            let end = Slot::of(counted_until(conn, now).await?.min(now));
            if progress.slot >= end {
                return Ok(false);
            }
            let counts = next_counts(conn, progress).await?;
            let (reached, more) = match counts.last() {
                Some(last) => (Progress { slot: last.slot, key_id: last.key_id }, true),
                None => {
                    let slot = next_slot(conn, progress.slot, end).await?;
                    (Progress::before(slot.unwrap_or(end)), slot.is_some())
                }
            };
            if !counts.is_empty() {
                add(conn, progress.slot, &counts).await?;
            }
            let Progress { slot, key_id } = reached;
            diesel::update(usage_progress::table)
                .set((
                    usage_progress::slot_start.eq(TimeColumn(slot.start())),
                    usage_progress::key_id.eq(UidColumn(key_id)),
                ))
                .execute(conn)
                .await?;
            Ok(more)
        })
        .await
    }
}

/// What comes next in the slot; no key is cut.
async fn next_counts(
    conn: &mut engine::Connection,
    Progress { slot, key_id }: Progress,
) -> Result<Vec<UsageCount>, StoreError> {
    let rows: Vec<SlotRow> = usage_slots::table
        .filter(usage_slots::slot_start.eq(TimeColumn(slot.start())))
        .filter(usage_slots::key_id.gt(UidColumn(key_id)))
        .order((usage_slots::key_id, usage_slots::verdict))
        .limit(ROWS_MAX)
        .select(SlotRow::as_select())
        .load(conn)
        .await?;
    let counts = rows.into_iter().map(UsageCount::try_from);
    let mut counts = counts.collect::<Result<Vec<_>, _>>()?;
    // A full step may end within a key; a key has far fewer rows than a step.
    if i64::try_from(counts.len()).is_ok_and(|rows| rows >= ROWS_MAX) {
        let last = counts.last().map(|count| count.key_id);
        counts.retain(|count| Some(count.key_id) != last);
    }
    Ok(counts)
}

async fn next_slot(
    conn: &mut engine::Connection,
    after: Slot,
    before: Slot,
) -> Result<Option<Slot>, StoreError> {
    let start: Option<TimeColumn> = usage_slots::table
        .filter(usage_slots::slot_start.gt(TimeColumn(after.start())))
        .filter(usage_slots::slot_start.lt(TimeColumn(before.start())))
        .order(usage_slots::slot_start)
        .select(usage_slots::slot_start)
        .first(conn)
        .await
        .optional()?;
    Ok(start.map(|TimeColumn(start)| Slot::of(start)))
}

/// Adds the counts of one slot to whatever it belongs to.
async fn add(
    conn: &mut engine::Connection,
    slot: Slot,
    counts: &[UsageCount],
) -> Result<(), StoreError> {
    let places = places(conn, slot, counts).await?;
    let (mut hours, mut days, mut totals) = (Vec::new(), Vec::new(), Vec::new());
    let mut last: BTreeMap<KeyId, (Timestamp, Timestamp)> = BTreeMap::new();
    for UsageCount { slot: _, key_id, verdict, count, last_time } in counts {
        let (used, denied) = last.entry(*key_id).or_insert((NEVER, NEVER));
        let time = if verdict.is_use() { used } else { denied };
        *time = (*time).max(*last_time);
        // A key without a place was deleted past Keyward, by whoever could.
        let Some(Place { day, period }) = places.get(key_id) else { continue };
        let row = |at| CountRow {
            key_id: UidColumn(*key_id),
            at: TimeColumn(at),
            verdict: verdict_code(*verdict),
            count: *count,
            last_time: TimeColumn(*last_time),
        };
        if *count > 0 {
            hours.push(row(slot.hour()));
            days.push(row(*day));
            if verdict.is_use() {
                totals.push(row(*period));
            }
        }
    }
    let last: Vec<CountRow> = last
        .into_iter()
        .map(|(key_id, (used, denied))| CountRow {
            key_id: UidColumn(key_id),
            at: TimeColumn(used),
            verdict: 0,
            count: 0,
            last_time: TimeColumn(denied),
        })
        .collect();
    for (statement, rows) in
        [(ADD_TO_HOURS, hours), (ADD_TO_DAYS, days), (ADD_TO_TOTALS, totals), (MOVE_LAST, last)]
    {
        engine::with_counts(conn, statement, &rows).await?;
    }
    Ok(())
}

/// The starts of the day and the period that a slot belongs to, by the key's business.
struct Place {
    day: Timestamp,
    period: Timestamp,
}

async fn places(
    conn: &mut engine::Connection,
    slot: Slot,
    counts: &[UsageCount],
) -> Result<HashMap<KeyId, Place>, StoreError> {
    let key_ids: HashSet<KeyId> = counts.iter().map(|count| count.key_id).collect();
    let owners: Vec<(UidColumn, String)> = keys::table
        .filter(keys::key_id.eq_any(key_ids.into_iter().map(UidColumn)))
        .select((keys::key_id, keys::business_id))
        .load(conn)
        .await?;
    let business_ids: HashSet<&str> = owners.iter().map(|(_, id)| id.as_str()).collect();
    let schedules = schedules(conn, business_ids.into_iter().collect()).await?;
    let place = |(UidColumn(key_id), business_id): &(UidColumn, String)| {
        let schedule = schedules.get(business_id)?;
        let start = slot.start();
        let (day, period) = (schedule.day_at(start).start, schedule.period_at(start).start);
        Some((*key_id, Place { day, period }))
    };
    Ok(owners.iter().filter_map(place).collect())
}
