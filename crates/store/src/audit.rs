//! The audit events, and what a list of them is asked for.

use apikey::{
    id::{BusinessId, KeyId},
    scope::ScopeName,
};

use crate::{
    Engine, Store,
    access::Advisor,
    error::StoreError,
    on_engine,
    record::{Act, KeyRecord, Revision},
};

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// The change that it belongs to.
    pub revision: Revision,
    /// Whose, from where, and when.
    pub act: Act,
    /// What was done.
    pub action: AuditAction,
    /// The business concerned.
    pub business_id: Option<BusinessId>,
    /// The key concerned.
    pub key_id: Option<KeyId>,
    /// The scope concerned.
    pub scope: Option<ScopeName>,
    /// The advisor concerned.
    pub advisor: Option<Advisor>,
    /// The key before.
    pub key_before: Option<KeyRecord>,
    /// The key after.
    pub key_after: Option<KeyRecord>,
}

impl AuditEvent {
    /// An event that concerns nothing in particular.
    pub(crate) fn new(revision: Revision, act: Act, action: AuditAction) -> Self {
        Self {
            revision,
            act,
            action,
            business_id: None,
            key_id: None,
            scope: None,
            advisor: None,
            key_before: None,
            key_after: None,
        }
    }

    /// What happened to a key.
    pub(crate) fn of_key(
        revision: Revision,
        act: Act,
        action: AuditAction,
        before: Option<KeyRecord>,
        after: &KeyRecord,
    ) -> Self {
        Self {
            business_id: Some(after.business_id.clone()),
            key_id: Some(after.key_id),
            key_before: before,
            key_after: Some(after.clone()),
            ..Self::new(revision, act, action)
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditAction {
    /// A key was made.
    CreateKey,
    /// A key's settings changed.
    UpdateKey,
    /// A key's secret was replaced.
    RotateKey,
    /// A key was revoked.
    RevokeKey,
    /// A key was suspended.
    SuspendKey,
    /// A key was resumed.
    ResumeKey,
    /// A key came from another system.
    ImportKey,
    /// A string was looked up.
    LookupKey,
    /// A scope was made or changed.
    UpdateScope,
    /// A scope was retired.
    RetireScope,
    /// A business's settings changed.
    UpdateBusiness,
    /// An advisor was let in.
    GrantAccess,
    /// An advisor's access ended.
    RevokeAccess,
}

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
