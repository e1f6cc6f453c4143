//! Time as one type, and where it comes from.
//!
//! A [`Timestamp`] has microseconds, no more: it is what PostgreSQL keeps, so that a time read back
//! is the time written. [`SystemClock`] is the one place in the workspace that asks the system.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

/// A point in time: microseconds since the Unix epoch, negative before it, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Where "now" comes from.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time at this moment.
    fn now(&self) -> Timestamp;
}

/// The system's wall clock, cut to microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// A clock that stands still until it is moved, for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Timestamp {
    /// The earliest time of a `google.protobuf.Timestamp`: 0001-01-01T00:00:00Z.
    pub const MIN: Timestamp = Timestamp(-62_135_596_800_000_000);
    /// The latest time of a `google.protobuf.Timestamp`, cut: 9999-12-31T23:59:59.999999Z.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999_999);

    /// The time so many microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Timestamp {
        Timestamp(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This much later, cut to microseconds, or the last time that the type can hold.
    pub fn saturating_add(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(whole_micros(duration)))
    }

    /// This much earlier, cut to microseconds, or the first time that the type can hold.
    pub fn saturating_sub(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(whole_micros(duration)))
    }
}

/// RFC 3339 in UTC, for instance `2026-01-31T08:30:00.25Z`. What no RFC 3339 year can say is shown
/// as the bare count of microseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = DateTime::from(date(1970, 1, 1));
        match epoch.checked_add(SignedDuration::from_micros(self.0)) {
            Ok(utc) if (Self::MIN..=Self::MAX).contains(self) => write!(f, "{utc}Z"),
            Ok(_) | Err(_) => write!(f, "{} microseconds", self.0),
        }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now(&self) -> Timestamp {
        let epoch = Timestamp(0);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => epoch.saturating_add(since),
            Err(before) => epoch.saturating_sub(before.duration()),
        }
    }
}

impl ManualClock {
    /// A clock that shows this time.
    pub const fn new(now: Timestamp) -> ManualClock {
        ManualClock(AtomicI64::new(now.0))
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.0.fetch_add(whole_micros(duration), Ordering::SeqCst);
    }

    /// Moves the clock to this time, also backward.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

fn whole_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
