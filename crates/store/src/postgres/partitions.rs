//! Partitions of the tables of usage that grow with time: made ahead, and dropped whole.

use std::time::Duration;

use apikey::clock::Timestamp;
use diesel::{QueryableByName, sql_query, sql_types::Text};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _, SimpleAsyncConnection as _};

use super::{Connection, Database};
use crate::error::StoreError;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A table that is partitioned by time.
struct Partitioned {
    table: &'static str,
    /// The column that it is partitioned by.
    column: &'static str,
    /// How long a partition is: they begin at multiples of it since the epoch.
    length: Duration,
    /// How much of its pages is filled at first.
    fill: u8,
}

/// In the order of the limits that they are kept to. A slot's row is rewritten with each flush, and finds
/// place in its page for it.
const TABLES: [Partitioned; 3] = [
    Partitioned { table: "usage_slots", column: "slot_start", length: DAY, fill: 60 },
    Partitioned {
        table: "usage_hours",
        column: "hour_start",
        length: DAY.saturating_mul(7),
        fill: 80,
    },
    Partitioned {
        table: "usage_days",
        column: "day_start",
        length: DAY.saturating_mul(28),
        fill: 80,
    },
];

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Makes the partitions of now and of the time after it, drops those that end before their table's limit,
/// and returns the moment up to which each table is rid of what was old; before it there may be rows in
/// no partition of their own.
///
/// A transaction a table: who reads has several of them open, in an order of its own, and must not meet
/// one that waits for the next.
pub(crate) async fn keep_partitions(
    database: &Database,
    now: Timestamp,
    limits: [Timestamp; 3],
) -> Result<[Timestamp; 3], StoreError> {
    let mut conn = database.write().await?;
    let mut kept_from = limits;
    for (partitioned, limit) in TABLES.iter().zip(&mut kept_from) {
        let old = *limit;
        let kept = conn.transaction(async move |conn| {
            // One at a time: whoever rolls up waits, and so does another server that does the same.
            conn.batch_execute("select from usage_progress for update").await?;
            partitioned.make(conn, now).await?;
            partitioned.drop_before(conn, old).await
        });
        *limit = kept.await?;
    }
    Ok(kept_from)
}

impl Partitioned {
    async fn make(&self, conn: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
        let Self { table, column, length, fill } = self;
        let there = self.names(conn).await?;
        let first = self.start(now);
        for start in [first, first.saturating_add(*length)] {
            let (name, end) = (self.name(start), start.saturating_add(*length));
            // Rows that came before their partition stay in the default one, which then keeps the rest too.
            let stray = format!(
                "select '' as name from {table}_default \
                 where {column} >= '{start}' and {column} < '{end}' limit 1"
            );
            let stray: Vec<Name> = if there.contains(&name) {
                continue;
            } else {
                sql_query(stray).load(conn).await?
            };
            if stray.is_empty() {
                let create = format!(
                    "create table {name} partition of {table} \
                     for values from ('{start}') to ('{end}') with (fillfactor = {fill})"
                );
                conn.batch_execute(&create).await?;
            }
        }
        Ok(())
    }

    async fn drop_before(
        &self,
        conn: &mut Connection,
        limit: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let limit = self.start(limit);
        let first_kept = self.name(limit);
        // Names sort by time; that of the default partition comes after all of them.
        for name in self.names(conn).await?.into_iter().filter(|name| *name < first_kept) {
            conn.batch_execute(&format!("drop table {name}")).await?;
        }
        Ok(limit)
    }

    async fn names(&self, conn: &mut Connection) -> Result<Vec<String>, StoreError> {
        let names = sql_query(
            "select inhrelid::regclass::text as name from pg_inherits
             where inhparent = $1::regclass",
        );
        let names: Vec<Name> = names.bind::<Text, _>(self.table).load(conn).await?;
        Ok(names.into_iter().map(|Name { name }| name).collect())
    }

    /// The start of the partition that holds a time.
    fn start(&self, time: Timestamp) -> Timestamp {
        let length = i64::try_from(self.length.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(time.as_micros().div_euclid(length).saturating_mul(length))
    }

    /// By the first day: `usage_slots_20260301`.
    fn name(&self, start: Timestamp) -> String {
        let day: String = start
            .to_string()
            .chars()
            .take_while(|c| *c != 'T')
            .filter(char::is_ascii_digit)
            .collect();
        format!("{}_{day}", self.table)
    }
}
