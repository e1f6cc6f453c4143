//! Who counts: entered at a server's start, and gone with its end or as lost.

use apikey::clock::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{counted_until, engine};
use crate::{
    columns::TimeColumn,
    error::StoreError,
    rows::{FlusherRow, flusher_uid},
    schema::{usage_flushers, usage_gaps},
    usage::{Flusher, FlusherId, Gap},
};

impl engine::Database {
    /// Enters a flusher, and a time of which counts were lost before it came.
    pub(crate) async fn open_flusher(
        &self,
        id: FlusherId,
        gap: Option<Gap>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            if engine::ALONE {
                let others: Vec<FlusherRow> = usage_flushers::table
                    .filter(usage_flushers::flusher_id.ne(flusher_uid(id)))
                    .select(FlusherRow::as_select())
                    .load(conn)
                    .await?;
                for other in others {
                    close(conn, other.into(), now).await?;
                }
            }
            if let Some(gap) = gap {
                record_gap(conn, gap).await?;
            }
            diesel::insert_into(usage_flushers::table)
                .values(FlusherRow::from(Flusher { id, batch: 0, through: now }))
                .on_conflict(usage_flushers::flusher_id)
                .do_nothing()
                .execute(conn)
                .await?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn end_flusher(&self, id: FlusherId) -> Result<(), StoreError> {
        let mut conn = self.write().await?;
        diesel::delete(usage_flushers::table.find(flusher_uid(id))).execute(&mut conn).await?;
        Ok(())
    }

    pub(crate) async fn flushers(&self) -> Result<Vec<Flusher>, StoreError> {
        let mut conn = self.read().await?;
        let rows: Vec<FlusherRow> = usage_flushers::table
            .order(usage_flushers::flusher_id)
            .select(FlusherRow::as_select())
            .load(&mut conn)
            .await?;
        Ok(rows.into_iter().map(Flusher::from).collect())
    }

    /// Closes a flusher as lost, if it is as it was `seen`.
    pub(crate) async fn close_flusher(
        &self,
        seen: Flusher,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| close(conn, seen, now).await).await
    }

    pub(crate) async fn counted_until(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let mut conn = self.read().await?;
        counted_until(&mut conn, now).await
    }
}

/// The delete waits for a flush that is under way, and then does not find what was seen.
async fn close(
    conn: &mut engine::Connection,
    seen: Flusher,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Flusher { id, batch, through } = seen;
    let as_seen = usage_flushers::table
        .find(flusher_uid(id))
        .filter(usage_flushers::batch.eq(batch))
        .filter(usage_flushers::flushed_through.eq(TimeColumn(through)));
    let closed = diesel::delete(as_seen).execute(conn).await? == 1;
    if closed {
        // Its clock may have been ahead of ours.
        record_gap(conn, Gap { start: through, end: now.max(through) }).await?;
    }
    Ok(closed)
}

pub(super) async fn record_gap(
    conn: &mut engine::Connection,
    Gap { start, end }: Gap,
) -> Result<(), StoreError> {
    let gap =
        (usage_gaps::start_time.eq(TimeColumn(start)), usage_gaps::end_time.eq(TimeColumn(end)));
    diesel::insert_into(usage_gaps::table)
        .values(gap)
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(())
}
