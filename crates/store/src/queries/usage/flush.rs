//! A flush: the gate that lets each batch through once, and the counts.

use apikey::usage::Slot;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Progress, engine, flushers::record_gap};
use crate::{
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    rows::{CountRow, flusher_uid},
    schema::{usage_flushers, usage_progress},
    usage::{Batch, Flushed, FlusherId, UsageCount, merge},
};

/// `at` is a slot's start.
const ADD_TO_SLOTS: &str = "
    insert into usage_slots as kept (slot_start, key_id, verdict, count, last_time)
    select at, key_id, verdict, count, last_time from counts where true
    on conflict (slot_start, key_id, verdict) do update set
        count = kept.count + excluded.count,
        last_time = case when kept.last_time < excluded.last_time
            then excluded.last_time else kept.last_time end";

impl engine::Database {
    /// Counts a batch, once.
    pub(crate) async fn flush(&self, id: FlusherId, batch: Batch) -> Result<Flushed, StoreError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            // The row's lock also lines up two attempts at one batch.
            if let Some(shut) = pass_gate(conn, id, &batch).await? {
                return Ok(shut);
            }
            let Batch { number: _, counts, through: _, gap } = batch;
            if let Some(gap) = gap {
                record_gap(conn, gap).await?;
            }
            if counts.is_empty() {
                return Ok(Flushed::Counted);
            }
            let place = usage_progress::table;
            let place = place.select((usage_progress::slot_start, usage_progress::key_id));
            let progress: (TimeColumn, UidColumn) = shared!(place).first(conn).await?;
            let counts = not_before(counts, Progress::from(progress).first_open());
            let rows: Vec<CountRow> = counts.iter().map(CountRow::from).collect();
            engine::with_counts(conn, ADD_TO_SLOTS, &rows).await?;
            Ok(Flushed::Counted)
        })
        .await
    }
}

/// Nothing where the batch is the flusher's next; else what became of it, or will never.
async fn pass_gate(
    conn: &mut engine::Connection,
    id: FlusherId,
    batch: &Batch,
) -> Result<Option<Flushed>, StoreError> {
    let Batch { number, through, .. } = *batch;
    let flusher = || usage_flushers::table.find(flusher_uid(id));
    let through = through.map(|through| usage_flushers::flushed_through.eq(TimeColumn(through)));
    let passed =
        diesel::update(flusher().filter(usage_flushers::batch.eq(number.saturating_sub(1))))
            .set((usage_flushers::batch.eq(number), through))
            .execute(conn)
            .await?;
    if passed == 1 {
        return Ok(None);
    }
    let last: Option<i64> = flusher().select(usage_flushers::batch).first(conn).await.optional()?;
    // A database that was restored may know the flusher, and not its batches.
    let before = last == Some(number);
    Ok(Some(if before { Flushed::CountedBefore } else { Flushed::Closed }))
}

/// Counts of slots that are rolled up already go into the first that is not, so that none is lost.
/// Only a clock that was set back makes such.
fn not_before(mut counts: Vec<UsageCount>, first: Slot) -> Vec<UsageCount> {
    if counts.iter().all(|count| count.slot >= first) {
        return counts;
    }
    counts.iter_mut().for_each(|count| count.slot = count.slot.max(first));
    merge(counts)
}
