//! Place for usage to come, and an end of what was kept long enough.

use apikey::clock::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{engine, progress};
use crate::{
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    rows::CountRow,
    schema::{usage_days, usage_hours, usage_slots},
    usage::{DAYS_KEPT, HOURS_KEPT, SLOTS_KEPT},
};

/// Rows a step: on SQLite no change waits longer for the one writer than these take.
const ROWS_MAX: i64 = 5_000;

/// `at` is the start of what is forgotten.
const FORGET_SLOTS: &str = "
    delete from usage_slots
    where (slot_start, key_id, verdict) in (select at, key_id, verdict from counts)";
const FORGET_HOURS: &str = "
    delete from usage_hours
    where (key_id, hour_start, verdict) in (select key_id, at, verdict from counts)";
const FORGET_DAYS: &str = "
    delete from usage_days
    where (key_id, day_start, verdict) in (select key_id, at, verdict from counts)";

/// Rows of a table that begin before a limit, a step of them. They are looked for among the readers: what
/// the one writer does is short.
macro_rules! older {
    ($conn:ident, $table:ident, $start:ident, $limit:expr) => {
        $table::table
            .filter($table::$start.lt(TimeColumn($limit)))
            .limit(ROWS_MAX)
            .select(($table::key_id, $table::$start, $table::verdict))
            .load::<(UidColumn, TimeColumn, i16)>(&mut $conn)
            .await?
    };
}

impl engine::Database {
    /// Makes place for usage to come, and forgets one step; tells whether more is left.
    pub(crate) async fn keep_usage(&self, now: Timestamp) -> Result<bool, StoreError> {
        // What is not rolled up is kept, whatever its age.
        let rolled_up = progress(&mut *self.read().await?).await?.slot.start();
        let slots = now.saturating_sub(SLOTS_KEPT).min(rolled_up);
        let hours = now.saturating_sub(HOURS_KEPT);
        let days = now.saturating_sub(DAYS_KEPT);
        // On PostgreSQL what is left for the rest is what lies in no partition of its own.
        let [slots, hours, days] = engine::keep_partitions(self, now, [slots, hours, days]).await?;
        let mut conn = self.read().await?;
        let steps = [
            (FORGET_SLOTS, older!(conn, usage_slots, slot_start, slots)),
            (FORGET_HOURS, older!(conn, usage_hours, hour_start, hours)),
            (FORGET_DAYS, older!(conn, usage_days, day_start, days)),
        ];
        drop(conn);
        let mut more = false;
        for (statement, old) in steps {
            if old.is_empty() {
                continue;
            }
            more |= i64::try_from(old.len()).is_ok_and(|rows| rows >= ROWS_MAX);
            let row =
                |(key_id, at, verdict)| CountRow { key_id, at, verdict, count: 0, last_time: at };
            let rows: Vec<CountRow> = old.into_iter().map(row).collect();
            let mut conn = self.write().await?;
            engine::with_counts(&mut conn, statement, &rows).await?;
        }
        Ok(more)
    }
}
