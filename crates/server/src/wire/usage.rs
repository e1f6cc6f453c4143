//! What was counted.

use apikey::{billing::BillingPeriod, usage::CountedVerdict};
use keyward_proto::v1;
use keyward_store::usage::{Granularity, KeyUsage, UsageReport};

use super::time;
use crate::errors::violations::Violations;

/// Tells of a key how it was used.
pub fn tell(key: &mut v1::Key, usage: KeyUsage) {
    let KeyUsage {
        last_use_time,
        last_denied_use_time,
        request_count,
        billing_period: BillingPeriod { start, end },
        counted_until,
        incomplete,
    } = usage;
    key.last_use_time = last_use_time.map(time::to_wire);
    key.last_denied_use_time = last_denied_use_time.map(time::to_wire);
    key.request_count = request_count;
    key.billing_period = Some(v1::BillingPeriod {
        start_time: Some(time::to_wire(start)),
        end_time: Some(time::to_wire(end)),
    });
    key.counted_until_time = Some(time::to_wire(counted_until));
    key.usage_incomplete = incomplete;
}

/// The answer of QueryUsage.
#[must_use]
pub fn report_to_wire(report: UsageReport) -> v1::QueryUsageResponse {
    let UsageReport { rows, counted_until, incomplete } = report;
    let count =
        |(verdict, count)| v1::VerdictCount { verdict: verdict_to_wire(verdict).into(), count };
    let row = |(start, counts): (_, std::collections::BTreeMap<_, _>)| v1::UsageRow {
        start_time: Some(time::to_wire(start)),
        counts: counts.into_iter().map(count).collect(),
    };
    v1::QueryUsageResponse {
        rows: rows.into_iter().map(row).collect(),
        counted_until_time: Some(time::to_wire(counted_until)),
        usage_incomplete: incomplete,
    }
}

/// How finely usage is asked for.
pub fn granularity_from_wire(granularity: i32, violations: &mut Violations) -> Option<Granularity> {
    match v1::UsageGranularity::try_from(granularity) {
        Ok(v1::UsageGranularity::Hour) => Some(Granularity::Hour),
        Ok(v1::UsageGranularity::Day) => Some(Granularity::Day),
        Ok(v1::UsageGranularity::Unspecified) | Err(_) => {
            violations
                .add("granularity", "must be USAGE_GRANULARITY_HOUR or USAGE_GRANULARITY_DAY");
            None
        }
    }
}

fn verdict_to_wire(verdict: CountedVerdict) -> v1::Verdict {
    match verdict {
        CountedVerdict::Valid => v1::Verdict::Valid,
        CountedVerdict::BusinessSuspended => v1::Verdict::BusinessSuspended,
        CountedVerdict::Revoked => v1::Verdict::Revoked,
        CountedVerdict::SecretRotated => v1::Verdict::SecretRotated,
        CountedVerdict::Expired => v1::Verdict::Expired,
        CountedVerdict::Suspended => v1::Verdict::Suspended,
        CountedVerdict::EndpointNotMapped => v1::Verdict::EndpointNotMapped,
        CountedVerdict::InsufficientScope => v1::Verdict::InsufficientScope,
    }
}
