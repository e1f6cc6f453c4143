//! Businesses, and what an edit makes of one: that part is pure, as `change` is for keys.

use apikey::{
    billing::{BillingAnchor, BillingDay, BillingSchedule, ZoneName},
    clock::Timestamp,
    id::BusinessId,
};

use crate::{
    Engine, Store,
    error::{ChangeError, StoreError},
    on_engine,
    record::{Act, BusinessRecord, Committed, Revision},
};

/// How many live keys a business may hold unless the platform says otherwise: one token must not be
/// able to fill every replica's memory.
pub const KEY_LIMIT_DEFAULT: i32 = 1_000;

/// The settings that an update names; `None` leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct BusinessPatch {
    /// The day on which billing periods start.
    pub billing_day: Option<BillingDay>,
    /// The zone of that day.
    pub zone: Option<ZoneName>,
    /// How many live keys it may hold.
    pub key_limit: Option<i32>,
    /// Whether all its keys are denied.
    pub suspended: Option<bool>,
}

/// Which businesses.
#[derive(Debug, Clone, Default)]
pub struct BusinessQuery {
    /// `None`: all; else only those that are, or are not, suspended.
    pub suspended: Option<bool>,
    /// After this one; `None` begins with the first.
    pub after: Option<BusinessId>,
    /// At most so many.
    pub limit: i64,
}

impl BusinessRecord {
    /// A business as it is from its first mention.
    pub(crate) fn mentioned(business_id: BusinessId, revision: Revision, now: Timestamp) -> Self {
        Self {
            business_id,
            revision,
            key_limit: KEY_LIMIT_DEFAULT,
            billing: BillingSchedule::default(),
            suspend_time: None,
            create_time: now,
            update_time: now,
            live_keys: 0,
        }
    }
}

impl BusinessPatch {
    /// The business after the patch; equal to `before` where there is nothing to do.
    pub(crate) fn apply(self, before: &BusinessRecord, now: Timestamp) -> BusinessRecord {
        let Self { billing_day, zone, key_limit, suspended } = self;
        let mut after = before.clone();
        let anchor = wanted_anchor(&before.billing);
        let wanted = BillingAnchor {
            day: billing_day.unwrap_or(anchor.day),
            zone: zone.unwrap_or_else(|| anchor.zone.clone()),
        };
        if wanted != *anchor {
            after.billing = before.billing.change(wanted, now);
        }
        after.key_limit = key_limit.unwrap_or(before.key_limit);
        after.suspend_time = match suspended {
            Some(true) => before.suspend_time.or(Some(now)),
            Some(false) => None,
            None => before.suspend_time,
        };
        if after != *before {
            after.update_time = now;
        }
        after
    }
}

/// The anchor that was last asked for, whether or not its time has come.
fn wanted_anchor(billing: &BillingSchedule) -> &BillingAnchor {
    billing.pending.as_ref().map_or(&billing.current.anchor, |pending| &pending.anchor)
}

impl Store {
    /// One business.
    ///
    /// # Errors
    /// A fault.
    pub async fn get_business(
        &self,
        business_id: &BusinessId,
        now: Timestamp,
    ) -> Result<Option<BusinessRecord>, StoreError> {
        on_engine!(self, database => database.get_business(business_id, now))
    }

    /// Businesses by id, without the reserved one; at most `query.limit`.
    ///
    /// # Errors
    /// A fault.
    pub async fn list_businesses(
        &self,
        query: BusinessQuery,
        now: Timestamp,
    ) -> Result<Vec<BusinessRecord>, StoreError> {
        on_engine!(self, database => database.list_businesses(query, now))
    }

    /// Changes a business's settings; one that is not there is made by this mention, unless an etag
    /// says that it was seen.
    ///
    /// # Errors
    /// `EtagMismatch`, `BusinessNotFound` (only with an etag); a fault.
    pub async fn update_business(
        &self,
        business_id: &BusinessId,
        patch: BusinessPatch,
        etag: Option<String>,
        act: Act,
    ) -> Result<Committed<BusinessRecord>, ChangeError> {
        on_engine!(self, database => database.update_business(business_id, patch, etag, act))
    }
}
