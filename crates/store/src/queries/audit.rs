//! Audit events: written in the change's own transaction, read in the order of revisions.

use apikey::id::{BusinessId, KeyId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::engine;
use crate::{
    audit::{AuditEvent, AuditQuery},
    columns::UidColumn,
    error::{ChangeError, StoreError},
    record::Revision,
    rows::AuditRow,
    schema::audit_events,
};

impl engine::Database {
    /// Events after `query.after`, by revision. A page holds `query.limit` of them, or more where one
    /// more would cut a revision.
    pub(crate) async fn list_audit_events(
        &self,
        query: AuditQuery,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let AuditQuery { business_id, key_id, after, limit } = query;
        let mut conn = self.read().await?;
        // The revision of the page's last event, if the page is full.
        let last: Option<i64> = wanted(business_id.as_ref(), key_id, after)
            .select(audit_events::rev)
            .order((audit_events::rev, audit_events::seq))
            .offset(limit.saturating_sub(1))
            .first(&mut conn)
            .await
            .optional()?;
        let rows: Vec<AuditRow> = wanted(business_id.as_ref(), key_id, after)
            .filter(audit_events::rev.le(last.unwrap_or(i64::MAX)))
            .select(AuditRow::as_select())
            .order((audit_events::rev, audit_events::seq))
            .load(&mut conn)
            .await?;
        rows.into_iter().map(AuditEvent::try_from).collect()
    }
}

type Wanted<'a> = audit_events::BoxedQuery<'a, engine::Backend>;

fn wanted(
    business_id: Option<&BusinessId>,
    key_id: Option<KeyId>,
    after: Revision,
) -> Wanted<'static> {
    let mut events =
        audit_events::table.filter(audit_events::rev.gt(after.0)).into_boxed::<engine::Backend>();
    if let Some(business_id) = business_id {
        events = events.filter(audit_events::business_id.eq(business_id.as_str().to_owned()));
    }
    if let Some(key_id) = key_id {
        events = events.filter(audit_events::key_id.eq(UidColumn(key_id)));
    }
    events
}

/// Writes a change's events, in their order.
pub(super) async fn record(
    conn: &mut engine::Connection,
    events: Vec<AuditEvent>,
) -> Result<(), ChangeError> {
    let rows: Vec<AuditRow> =
        events.iter().zip(0..).map(|(event, seq)| AuditRow::new(event, seq)).collect();
    insert_all!(conn, audit_events::table, &rows);
    Ok(())
}
