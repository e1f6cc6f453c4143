//! `Business`.

use apikey::{
    billing::{BillingDay, BillingPeriod, ZoneName},
    clock::Timestamp,
    id::BusinessId,
};
use keyward_proto::v1;
use keyward_store::{business::BusinessPatch, record::BusinessRecord};
use prost_types::FieldMask;

use super::time;
use crate::errors::violations::Violations;

/// The highest limit of live keys that the platform may give a business.
const KEY_LIMIT_MAX: i32 = 10_000_000;

/// The business as it stands at `now`.
#[must_use]
pub fn to_wire(business: BusinessRecord, now: Timestamp) -> v1::Business {
    let etag = business.etag();
    let BusinessRecord {
        business_id,
        revision: _,
        key_limit,
        billing,
        suspend_time,
        create_time,
        update_time,
        live_keys,
    } = business;
    // What was last asked for is shown, also while the period before it runs to its end.
    let wanted = billing.pending.as_ref().unwrap_or(&billing.current);
    let state = match suspend_time {
        None => v1::BusinessState::Active,
        Some(_) => v1::BusinessState::Suspended,
    };
    v1::Business {
        business_id: business_id.as_str().to_owned(),
        billing_day: i32::from(wanted.anchor.day.get()),
        time_zone: wanted.anchor.zone.as_str().to_owned(),
        key_limit,
        state: state.into(),
        live_key_count: i32::try_from(live_keys).unwrap_or(i32::MAX),
        billing_period: Some(period_to_wire(billing.period_at(now))),
        create_time: Some(time::to_wire(create_time)),
        update_time: Some(time::to_wire(update_time)),
        etag,
    }
}

fn period_to_wire(period: BillingPeriod) -> v1::BillingPeriod {
    let BillingPeriod { start, end } = period;
    v1::BillingPeriod { start_time: Some(time::to_wire(start)), end_time: Some(time::to_wire(end)) }
}

/// The settings that the mask names.
pub fn patch_from_wire(
    business: &v1::Business,
    mask: &FieldMask,
    violations: &mut Violations,
) -> (Option<BusinessId>, Option<BusinessPatch>) {
    const ALLOWED: &str = "any of billing_day, time_zone, key_limit, state (with grpcurl: \
         {\"paths\": [\"key_limit\"]})";
    let v1::Business {
        business_id,
        billing_day,
        time_zone,
        key_limit,
        state,
        live_key_count: _,
        billing_period: _,
        create_time: _,
        update_time: _,
        etag: _,
    } = business;
    let v = violations;
    let mut business_id = v.take("business.business_id", BusinessId::parse(business_id));
    if business_id.as_ref().is_some_and(BusinessId::is_reserved) {
        v.add(
            "business.business_id",
            "@keyward is reserved for service keys and cannot be changed",
        );
        business_id = None;
    }
    if mask.paths.is_empty() {
        v.add("update_mask", format!("must name what changes: {ALLOWED}"));
    }
    let mut patch = BusinessPatch::default();
    for path in &mask.paths {
        match path.as_str() {
            "billing_day" => {
                let day = BillingDay::new(u32::try_from(*billing_day).unwrap_or(0));
                patch.billing_day = v.take("business.billing_day", day);
            }
            "time_zone" => {
                patch.zone = v.take("business.time_zone", ZoneName::parse(time_zone));
            }
            "key_limit" if (0..=KEY_LIMIT_MAX).contains(key_limit) => {
                patch.key_limit = Some(*key_limit);
            }
            "key_limit" => {
                v.add("business.key_limit", format!("must be 0 to {KEY_LIMIT_MAX}"));
            }
            "state" => match v1::BusinessState::try_from(*state) {
                Ok(v1::BusinessState::Active) => patch.suspended = Some(false),
                Ok(v1::BusinessState::Suspended) => patch.suspended = Some(true),
                Ok(v1::BusinessState::Unspecified) | Err(_) => {
                    v.add("business.state", "must be ACTIVE or SUSPENDED");
                }
            },
            _ => {
                let problem = format!("{path:?} cannot be changed here; name {ALLOWED}");
                v.add("update_mask", problem);
            }
        }
    }
    (business_id, Some(patch))
}
