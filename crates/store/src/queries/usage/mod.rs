//! Usage: what flushes bring, what becomes of it, and what is told of it.
//!
//! How far slots are rolled up stands in one row. A flush reads it under a lock that it shares with
//! other flushes, a roll-up under one that it shares with nobody: no count goes into a slot that is
//! being rolled up. Whoever reads takes both sides of it from one snapshot.

mod flush;
mod flushers;
mod keep;
mod keys;
mod report;
mod roll_up;

use std::collections::HashMap;

use apikey::{billing::BillingSchedule, clock::Timestamp, id::KeyId, usage::Slot};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::engine;
use crate::{
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    rows::BusinessRow,
    schema::{businesses, usage_flushers, usage_gaps, usage_progress, usage_slots},
    usage::{Gap, UsageCount},
};

/// What `usage_last` holds for never, and what no use is earlier than.
pub(super) const NEVER: Timestamp = Timestamp::MIN;

/// How far slots are rolled up: all before `slot`, and in it the keys up to `key_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    slot: Slot,
    key_id: KeyId,
}

impl Progress {
    /// All before a slot, and nothing of it.
    const fn before(slot: Slot) -> Self {
        Self { slot, key_id: KeyId::from_bytes([0; 16]) }
    }

    fn includes(self, count: &UsageCount) -> bool {
        (count.slot, count.key_id) <= (self.slot, self.key_id)
    }

    /// The first slot of which nothing is rolled up.
    fn first_open(self) -> Slot {
        if self == Self::before(self.slot) { self.slot } else { self.slot.next() }
    }
}

impl From<(TimeColumn, UidColumn)> for Progress {
    fn from((TimeColumn(start), UidColumn(key_id)): (TimeColumn, UidColumn)) -> Self {
        Self { slot: Slot::of(start), key_id }
    }
}

async fn progress(conn: &mut engine::Connection) -> Result<Progress, StoreError> {
    let row: (TimeColumn, UidColumn) = usage_progress::table
        .select((usage_progress::slot_start, usage_progress::key_id))
        .first(conn)
        .await?;
    Ok(row.into())
}

/// The slots that may hold what is not rolled up, by their starts: few, and found without looking at
/// what is in them, so that an index can be asked for each.
async fn open_slots(
    conn: &mut engine::Connection,
    progress: Progress,
) -> Result<Vec<TimeColumn>, StoreError> {
    let open = || {
        usage_slots::table
            .filter(usage_slots::slot_start.ge(TimeColumn(progress.slot.start())))
            .select(usage_slots::slot_start)
    };
    let first: Option<TimeColumn> =
        open().order(usage_slots::slot_start).first(conn).await.optional()?;
    let last: Option<TimeColumn> =
        open().order(usage_slots::slot_start.desc()).first(conn).await.optional()?;
    let Some((TimeColumn(first), TimeColumn(last))) = first.zip(last) else {
        return Ok(Vec::new());
    };
    let slots = std::iter::successors(Some(Slot::of(first)), |slot| Some(slot.next()));
    let slots = slots.map(Slot::start).take_while(|start| *start <= last);
    Ok(slots.map(TimeColumn).collect())
}

/// What is open in the one snapshot of a reader.
pub(super) async fn open(conn: &mut engine::Connection) -> Result<Vec<TimeColumn>, StoreError> {
    let progress = progress(conn).await?;
    open_slots(conn, progress).await
}

/// Read before counts are, so that what it says holds for them.
async fn counted_until(
    conn: &mut engine::Connection,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let through: Option<TimeColumn> = usage_flushers::table
        .order(usage_flushers::flushed_through)
        .select(usage_flushers::flushed_through)
        .first(conn)
        .await
        .optional()?;
    Ok(through.map_or(now, |TimeColumn(through)| through))
}

/// When the periods and days of businesses begin.
async fn schedules(
    conn: &mut engine::Connection,
    business_ids: Vec<&str>,
) -> Result<HashMap<String, BillingSchedule>, StoreError> {
    let rows: Vec<BusinessRow> = businesses::table
        .filter(businesses::business_id.eq_any(business_ids))
        .select(BusinessRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            let business_id = row.business_id().to_owned();
            // How many live keys it holds is of no interest here.
            row.into_record(0).map(|record| (business_id, record.billing))
        })
        .collect()
}

/// The gaps that reach into a span, which is half-open.
async fn gaps(
    conn: &mut engine::Connection,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<Gap>, StoreError> {
    let rows: Vec<(TimeColumn, TimeColumn)> = usage_gaps::table
        .filter(usage_gaps::start_time.lt(TimeColumn(end)))
        .filter(usage_gaps::end_time.ge(TimeColumn(start)))
        .load(conn)
        .await?;
    let gap = |(TimeColumn(start), TimeColumn(end))| Gap { start, end };
    Ok(rows.into_iter().map(gap).collect())
}
