//! Rows of `businesses`.

use apikey::{
    billing::{AnchorTerm, BillingAnchor, BillingDay, BillingSchedule, ZoneName},
    id::BusinessId,
};
use diesel::prelude::*;

use super::Place;
use crate::{
    columns::TimeColumn,
    error::StoreError,
    record::{BusinessRecord, HeldBusiness, Revision},
    schema::businesses,
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = businesses, primary_key(business_id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct BusinessRow {
    business_id: String,
    rev: i64,
    key_limit: i32,
    suspend_time: Option<TimeColumn>,
    create_time: TimeColumn,
    update_time: TimeColumn,
    billing_day: i16,
    time_zone: String,
    billing_since: TimeColumn,
    pending_billing_day: Option<i16>,
    pending_time_zone: Option<String>,
    pending_billing_since: Option<TimeColumn>,
}

/// The columns that replicas hold.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = businesses)]
pub(crate) struct HeldBusinessRow {
    business_id: String,
    suspend_time: Option<TimeColumn>,
}

impl TryFrom<HeldBusinessRow> for HeldBusiness {
    type Error = StoreError;

    fn try_from(row: HeldBusinessRow) -> Result<Self, StoreError> {
        let HeldBusinessRow { business_id, suspend_time } = row;
        let at = Place { table: "businesses", row: business_id.clone() };
        Ok(Self { business_id: at.business_id(&business_id)?, suspended: suspend_time.is_some() })
    }
}

impl BusinessRow {
    pub(crate) fn new(record: &BusinessRecord, revision: Revision) -> Self {
        let BusinessRecord {
            business_id,
            revision: _,
            key_limit,
            billing: BillingSchedule { current, pending },
            suspend_time,
            create_time,
            update_time,
            live_keys: _,
        } = record;
        let day = |term: &AnchorTerm| i16::from(term.anchor.day.get());
        let zone = |term: &AnchorTerm| term.anchor.zone.as_str().to_owned();
        Self {
            business_id: business_id.as_str().to_owned(),
            rev: revision.0,
            key_limit: *key_limit,
            suspend_time: suspend_time.map(TimeColumn),
            create_time: TimeColumn(*create_time),
            update_time: TimeColumn(*update_time),
            billing_day: day(current),
            time_zone: zone(current),
            billing_since: TimeColumn(current.from),
            pending_billing_day: pending.as_ref().map(day),
            pending_time_zone: pending.as_ref().map(zone),
            pending_billing_since: pending.as_ref().map(|term| TimeColumn(term.from)),
        }
    }

    pub(crate) fn business_id(&self) -> &str {
        &self.business_id
    }

    /// The record; how many live keys it holds is counted elsewhere.
    pub(crate) fn into_record(self, live_keys: i64) -> Result<BusinessRecord, StoreError> {
        let Self {
            business_id,
            rev,
            key_limit,
            suspend_time,
            create_time: TimeColumn(create_time),
            update_time: TimeColumn(update_time),
            billing_day,
            time_zone,
            billing_since,
            pending_billing_day,
            pending_time_zone,
            pending_billing_since,
        } = self;
        let at = Place { table: "businesses", row: business_id.clone() };
        let current = term(&at, billing_day, &time_zone, billing_since)?;
        let pending = match (pending_billing_day, pending_time_zone, pending_billing_since) {
            (Some(day), Some(zone), Some(since)) => Some(term(&at, day, &zone, since)?),
            _ => None,
        };
        let business_id: BusinessId = at.business_id(&business_id)?;
        Ok(BusinessRecord {
            business_id,
            revision: Revision(rev),
            key_limit,
            billing: BillingSchedule { current, pending },
            suspend_time: suspend_time.map(|time| time.0),
            create_time,
            update_time,
            live_keys,
        })
    }
}

fn term(at: &Place, day: i16, zone: &str, since: TimeColumn) -> Result<AnchorTerm, StoreError> {
    let day = BillingDay::new(u32::try_from(day).unwrap_or(0))
        .map_err(|error| at.corrupt("billing_day", error))?;
    let zone = ZoneName::parse(zone).map_err(|error| at.corrupt("time_zone", error))?;
    Ok(AnchorTerm { anchor: BillingAnchor { day, zone }, from: since.0 })
}
