//! Businesses: one, many, changed, and mentioned for the first time.

use std::collections::HashMap;

use apikey::{clock::Timestamp, id::BusinessId};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use super::{audit, begin, check_etag, engine, keys::is_live};
use crate::{
    audit::{AuditAction, AuditEvent},
    business::{BusinessPatch, BusinessQuery},
    columns::TimeColumn,
    error::{ChangeError, Refused, StoreError},
    record::{Act, BusinessRecord, Committed, Revision},
    rows::BusinessRow,
    schema::{businesses, keys},
};

impl engine::Database {
    pub(crate) async fn get_business(
        &self,
        business_id: &BusinessId,
        now: Timestamp,
    ) -> Result<Option<BusinessRecord>, StoreError> {
        let mut conn = self.read().await?;
        find_business(&mut conn, business_id, now).await
    }

    /// Businesses by id; at most `query.limit`.
    pub(crate) async fn list_businesses(
        &self,
        query: BusinessQuery,
        now: Timestamp,
    ) -> Result<Vec<BusinessRecord>, StoreError> {
        let BusinessQuery { suspended, after, limit } = query;
        let mut rows = businesses::table
            .filter(businesses::business_id.ne(BusinessId::keyward().as_str().to_owned()))
            .select(BusinessRow::as_select())
            .order(businesses::business_id)
            .limit(limit)
            .into_boxed::<engine::Backend>();
        if let Some(after) = after {
            rows = rows.filter(businesses::business_id.gt(after.as_str().to_owned()));
        }
        rows = match suspended {
            None => rows,
            Some(true) => rows.filter(businesses::suspend_time.is_not_null()),
            Some(false) => rows.filter(businesses::suspend_time.is_null()),
        };
        let mut conn = self.read().await?;
        let rows: Vec<BusinessRow> = rows.load(&mut conn).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.business_id().to_owned()).collect();
        let live: Vec<(String, i64)> = keys::table
            .filter(keys::business_id.eq_any(ids))
            .filter(is_live(TimeColumn(now)))
            .group_by(keys::business_id)
            .select((keys::business_id, count_star()))
            .load(&mut conn)
            .await?;
        let live: HashMap<String, i64> = live.into_iter().collect();
        let live_keys = |row: &BusinessRow| live.get(row.business_id()).copied().unwrap_or(0);
        rows.into_iter()
            .map(|row| {
                let live_keys = live_keys(&row);
                row.into_record(live_keys)
            })
            .collect()
    }

    /// Changes a business's settings; one that is not there is made by this mention, unless an etag
    /// says that it was seen.
    pub(crate) async fn update_business(
        &self,
        business_id: &BusinessId,
        patch: BusinessPatch,
        etag: Option<String>,
        act: Act,
    ) -> Result<Committed<BusinessRecord>, ChangeError> {
        let mut conn = self.write().await?;
        let business_id = business_id.clone();
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            if etag.is_none() {
                mention_business(conn, &business_id, revision, act.time).await?;
            }
            let before = find_business(conn, &business_id, act.time).await?;
            let before = before.ok_or(Refused::BusinessNotFound)?;
            check_etag(etag, before.etag())?;
            let mut after = patch.apply(&before, act.time);
            if after != before {
                after.revision = revision;
                let row = BusinessRow::new(&after, revision);
                diesel::update(businesses::table.find(business_id.as_str()))
                    .set(&row)
                    .execute(conn)
                    .await?;
            }
            let event = AuditEvent {
                business_id: Some(business_id),
                ..AuditEvent::new(revision, act, AuditAction::UpdateBusiness)
            };
            audit::record(conn, vec![event]).await?;
            Ok(Committed::now(revision, after))
        })
        .await
    }
}

async fn find_business(
    conn: &mut engine::Connection,
    business_id: &BusinessId,
    now: Timestamp,
) -> Result<Option<BusinessRecord>, StoreError> {
    let row: Option<BusinessRow> = businesses::table
        .find(business_id.as_str())
        .select(BusinessRow::as_select())
        .first(conn)
        .await
        .optional()?;
    match row {
        None => Ok(None),
        Some(row) => {
            let live_keys = live_keys(conn, business_id, now).await?;
            row.into_record(live_keys).map(Some)
        }
    }
}

/// A business exists from its first mention.
pub(super) async fn mention_business(
    conn: &mut engine::Connection,
    business_id: &BusinessId,
    revision: Revision,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let mentioned = BusinessRecord::mentioned(business_id.clone(), revision, now);
    diesel::insert_into(businesses::table)
        .values(&BusinessRow::new(&mentioned, revision))
        .on_conflict(businesses::business_id)
        .do_nothing()
        .execute(conn)
        .await?;
    Ok(())
}

/// How many keys of the business are neither revoked nor expired.
async fn live_keys(
    conn: &mut engine::Connection,
    business_id: &BusinessId,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let live = keys::table
        .filter(keys::business_id.eq(business_id.as_str()))
        .filter(is_live(TimeColumn(now)))
        .count()
        .get_result(conn)
        .await?;
    Ok(live)
}
