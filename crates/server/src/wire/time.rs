//! `google.protobuf.Timestamp` ↔ microseconds.

use apikey::clock::Timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;
const NANOS_PER_MICRO: i32 = 1_000;

/// A message that is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a time from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z, \
     with nanos from 0 to 999999999"
)]
pub struct NoTime;

/// The moment, cut to microseconds.
///
/// # Errors
/// `NoTime` outside the range that the message's own documentation gives.
pub fn from_wire(time: prost_types::Timestamp) -> Result<Timestamp, NoTime> {
    let prost_types::Timestamp { seconds, nanos } = time;
    if !(0..=999_999_999).contains(&nanos) {
        return Err(NoTime);
    }
    let micros = seconds
        .checked_mul(MICROS_PER_SECOND)
        .and_then(|micros| micros.checked_add(i64::from(nanos / NANOS_PER_MICRO)))
        .map(Timestamp::from_micros)
        .filter(|time| (Timestamp::MIN..=Timestamp::MAX).contains(time));
    micros.ok_or(NoTime)
}

/// The message.
#[must_use]
pub fn to_wire(time: Timestamp) -> prost_types::Timestamp {
    let micros = time.as_micros();
    // A remainder of microseconds, below a second: it fits.
    let nanos = i32::try_from(micros.rem_euclid(MICROS_PER_SECOND)).unwrap_or_default();
    prost_types::Timestamp {
        seconds: micros.div_euclid(MICROS_PER_SECOND),
        nanos: nanos.saturating_mul(NANOS_PER_MICRO),
    }
}
