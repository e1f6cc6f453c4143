//! Usage on SQLite: many rows in one statement, by way of JSON.

use apikey::clock::Timestamp;
use diesel::{QueryResult, sql_query, sql_types::Text};
use diesel_async::RunQueryDsl as _;

use super::{Connection, Database};
use crate::{
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    rows::CountRow,
};

/// Nobody else can be running on this database.
pub(crate) const ALONE: bool = true;

/// The rows as a table for a statement to take them from.
const COUNTS: &str = "
    with counts (key_id, at, verdict, count, last_time) as (
        select unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4
        from json_each(?)
    )";

/// Runs a statement that takes rows from `counts (key_id, at, verdict, count, last_time)`.
pub(crate) async fn with_counts(
    conn: &mut Connection,
    statement: &str,
    rows: &[CountRow],
) -> QueryResult<usize> {
    if rows.is_empty() {
        return Ok(0);
    }
    let json: Vec<_> = rows
        .iter()
        .map(|row| {
            let CountRow { key_id: UidColumn(key_id), at, verdict, count, last_time } = row;
            let key_id: String =
                key_id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            (key_id, at.0.as_micros(), verdict, count, last_time.0.as_micros())
        })
        .collect();
    let json = serde_json::to_string(&json);
    let json = json.map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    sql_query(format!("{COUNTS}{statement}")).bind::<Text, _>(json).execute(conn).await
}

/// There are no partitions: what is older than these is deleted row by row.
pub(crate) async fn keep_partitions(
    _: &Database,
    _: Timestamp,
    limits: [Timestamp; 3],
) -> Result<[Timestamp; 3], StoreError> {
    Ok(limits)
}

/// Times as a statement takes them in.
pub(super) fn list(times: &[TimeColumn]) -> String {
    let times: Vec<String> = times.iter().map(|time| time.0.as_micros().to_string()).collect();
    format!("[{}]", times.join(","))
}
