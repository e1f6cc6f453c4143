//! Which advisors may manage the keys of which client businesses. Grants are rows and nothing else:
//! each question is asked of the database, so that ending one works at once.

use apikey::{clock::Timestamp, id::BusinessId};

use crate::{
    Engine, Store,
    error::{ChangeError, StoreError},
    on_engine,
    record::{Act, Actor, Committed, KeyRecord, Revision},
};

/// A person who manages keys of businesses that are not their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisor {
    /// The issuer of the person's tokens.
    pub issuer: String,
    /// The person, as that issuer knows them.
    pub subject: String,
}

/// One advisor's access to one business, from when it was granted until it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessGrant {
    /// The client business.
    pub business_id: BusinessId,
    /// The advisor.
    pub advisor: Advisor,
    /// The change that granted it.
    pub revision: Revision,
    /// When it was granted.
    pub grant_time: Timestamp,
    /// When it ended; `None` while it is live.
    pub end_time: Option<Timestamp>,
    /// Who granted it.
    pub granted_by: Actor,
}

/// An access that ended, and what the advisor leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedAccess {
    /// The grant that was live last.
    pub grant: AccessGrant,
    /// The keys of the business that were live until now and whose secret the advisor was shown, because
    /// the advisor made them or rotated them last; oldest first, as the change leaves them.
    pub keys: Vec<KeyRecord>,
}

/// Which grants of a business, from where on, and how many.
#[derive(Debug, Clone)]
pub struct AccessQuery {
    /// The business.
    pub business_id: BusinessId,
    /// Ended ones too.
    pub include_ended: bool,
    /// After this one; `None` begins with the newest live one.
    pub after: Option<AccessPosition>,
    /// At most so many.
    pub limit: i64,
}

/// A grant's place in lists: live ones first, then the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessPosition {
    /// Whether it has ended.
    pub ended: bool,
    /// The change that granted it.
    pub revision: Revision,
}

impl Store {
    /// Lets an advisor manage a business's keys. A grant that is live stays as it is; the business
    /// exists from this mention.
    ///
    /// # Errors
    /// A fault; the reserved business is one, as the schema refuses it.
    pub async fn grant_access(
        &self,
        business_id: &BusinessId,
        advisor: &Advisor,
        act: Act,
    ) -> Result<Committed<AccessGrant>, ChangeError> {
        on_engine!(self, database => database.grant_access(business_id, advisor, act))
    }

    /// Ends an advisor's access, and tells which live keys the advisor leaves behind there; with
    /// `revoke_keys` these are revoked in the same change. Where the access had ended before, only the keys are seen to.
    ///
    /// # Errors
    /// `GrantNotFound`; a fault.
    pub async fn revoke_access(
        &self,
        business_id: &BusinessId,
        advisor: &Advisor,
        revoke_keys: bool,
        act: Act,
    ) -> Result<Committed<EndedAccess>, ChangeError> {
        on_engine!(
            self, database => database.revoke_access(business_id, advisor, revoke_keys, act)
        )
    }

    /// Grants of a business, at most `query.limit`.
    ///
    /// # Errors
    /// A fault.
    pub async fn list_access(&self, query: AccessQuery) -> Result<Vec<AccessGrant>, StoreError> {
        on_engine!(self, database => database.list_access(query))
    }

    /// The businesses that an advisor may manage after one of them, by id; at most `limit`.
    ///
    /// # Errors
    /// A fault.
    pub async fn businesses_of(
        &self,
        advisor: &Advisor,
        after: Option<BusinessId>,
        limit: i64,
    ) -> Result<Vec<BusinessId>, StoreError> {
        on_engine!(self, database => database.businesses_of(advisor, after, limit))
    }

    /// Whether an advisor may manage every one of these businesses, however many of them there are; one
    /// query.
    ///
    /// # Errors
    /// A fault.
    pub async fn has_access(
        &self,
        advisor: &Advisor,
        business_ids: &[BusinessId],
    ) -> Result<bool, StoreError> {
        on_engine!(self, database => database.has_access(advisor, business_ids))
    }
}
