//! What is counted, and under which time.
//!
//! - Counts gather by quarter of an hour. Quarters tile the hours of UTC, and the days of every zone,
//!   whose midnights all fall on one since 1980.
//! - What is NOT_FOUND concerns no key, and so counts on none.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::verdict::Verdict;

const SLOT_MICROS: i64 = 15 * 60 * 1_000_000;
const HOUR_MICROS: i64 = 60 * 60 * 1_000_000;

/// A quarter of an hour, half-open: the finest time that usage is kept by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(i64);

/// A verdict that counts on a key, without what it tells besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named as in `Verdict`, which says what each means")]
pub enum CountedVerdict {
    Valid,
    BusinessSuspended,
    Revoked,
    SecretRotated,
    Expired,
    Suspended,
    EndpointNotMapped,
    InsufficientScope,
}

impl Slot {
    /// How long each is.
    pub const LENGTH: Duration = Duration::from_secs(15 * 60);

    /// The one that holds a time.
    pub const fn of(time: Timestamp) -> Slot {
        Slot(time.as_micros().div_euclid(SLOT_MICROS))
    }

    /// Its first instant.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(SLOT_MICROS))
    }

    /// The one after it.
    pub const fn next(self) -> Slot {
        Slot(self.0.saturating_add(1))
    }

    /// The first instant of its hour, UTC.
    pub const fn hour(self) -> Timestamp {
        let hour = self.start().as_micros().div_euclid(HOUR_MICROS);
        Timestamp::from_micros(hour.saturating_mul(HOUR_MICROS))
    }
}

impl CountedVerdict {
    /// All of them.
    pub const ALL: [CountedVerdict; 8] = [
        CountedVerdict::Valid,
        CountedVerdict::BusinessSuspended,
        CountedVerdict::Revoked,
        CountedVerdict::SecretRotated,
        CountedVerdict::Expired,
        CountedVerdict::Suspended,
        CountedVerdict::EndpointNotMapped,
        CountedVerdict::InsufficientScope,
    ];

    /// What a verdict counts as; NOT_FOUND counts on no key.
    pub const fn of(verdict: &Verdict) -> Option<CountedVerdict> {
        Some(match verdict {
            Verdict::NotFound => return None,
            Verdict::BusinessSuspended => CountedVerdict::BusinessSuspended,
            Verdict::Revoked => CountedVerdict::Revoked,
            Verdict::SecretRotated => CountedVerdict::SecretRotated,
            Verdict::Expired => CountedVerdict::Expired,
            Verdict::Suspended => CountedVerdict::Suspended,
            Verdict::EndpointNotMapped => CountedVerdict::EndpointNotMapped,
            Verdict::InsufficientScope { .. } => CountedVerdict::InsufficientScope,
            Verdict::Valid => CountedVerdict::Valid,
        })
    }

    /// Is it a request that was let through?
    pub const fn is_use(self) -> bool {
        matches!(self, CountedVerdict::Valid)
    }
}

#[cfg(test)]
mod tests;
