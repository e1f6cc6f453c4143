//! The audit events, and what a list of them is asked for.

use apikey::id::{BusinessId, KeyId};

use crate::{
    Engine, Store,
    error::StoreError,
    on_engine,
    record::{AuditEvent, Revision},
};

/// Which events, from where on, and how many.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// Of this business; `None`: of all, and of the catalogue.
    pub business_id: Option<BusinessId>,
    /// Of this key; `None`: of all.
    pub key_id: Option<KeyId>,
    /// After this revision.
    pub after: Revision,
    /// At least so many, if there are; a revision is never cut.
    pub limit: i64,
}

impl Store {
    /// Audit events in the order of revisions. A page never cuts a revision.
    ///
    /// # Errors
    /// A fault.
    pub async fn list_audit_events(
        &self,
        query: AuditQuery,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        on_engine!(self, database => database.list_audit_events(query))
    }
}
