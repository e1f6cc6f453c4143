//! What a list of audit events is asked for.

use apikey::id::{BusinessId, KeyId};

use crate::record::Revision;

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
