//! Usage on PostgreSQL: many rows in one statement, by way of arrays, a column each.

use diesel::{
    QueryResult, sql_query,
    sql_types::{Array, BigInt, SmallInt},
};
use diesel_async::RunQueryDsl as _;

use super::Connection;
use crate::{
    columns::{TimeColumn, UidColumn},
    rows::CountRow,
    schema::sql_types::{Moment, Uid},
};

/// Others may be running on this database.
pub(crate) const ALONE: bool = false;

/// Rows a statement: enough that a round trip does not count, and each ends well in time.
const ROWS: usize = 10_000;

/// The rows as a table for a statement to take them from.
const COUNTS: &str = "
    with counts (key_id, at, verdict, count, last_time) as (
        select * from unnest($1, $2, $3, $4, $5)
    )";

/// Runs a statement that takes rows from `counts (key_id, at, verdict, count, last_time)`.
pub(crate) async fn with_counts(
    conn: &mut Connection,
    statement: &str,
    rows: &[CountRow],
) -> QueryResult<usize> {
    let mut done = 0_usize;
    for rows in rows.chunks(ROWS) {
        let (mut key_ids, mut ats, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
        let (mut counts, mut last_times) = (Vec::new(), Vec::new());
        for CountRow { key_id, at, verdict, count, last_time } in rows {
            key_ids.push(*key_id);
            ats.push(*at);
            verdicts.push(*verdict);
            counts.push(*count);
            last_times.push(*last_time);
        }
        let changed = sql_query(format!("{COUNTS}{statement}"))
            .bind::<Array<Uid>, Vec<UidColumn>>(key_ids)
            .bind::<Array<Moment>, Vec<TimeColumn>>(ats)
            .bind::<Array<SmallInt>, Vec<i16>>(verdicts)
            .bind::<Array<BigInt>, Vec<i64>>(counts)
            .bind::<Array<Moment>, Vec<TimeColumn>>(last_times)
            .execute(conn)
            .await?;
        done = done.saturating_add(changed);
    }
    Ok(done)
}
