//! When a business's request count starts anew: each month on its billing day, at 00:00 in its zone.
//!
//! - Periods are half-open and leave neither gap nor overlap, whatever the day, the zone and its
//!   daylight saving.
//! - In a month without the billing day, its last day takes the place.
//! - 00:00 is the first instant of the day: where the clocks jump over midnight the instant of the
//!   jump, where they show midnight twice the first.
//! - A change never cuts the current period: the new anchor counts from its end, and the first
//!   period under it is what remains until the new day.
//! - Zones come from the database that is built in, never from the machine, so that all replicas
//!   agree.

use std::fmt;

use jiff::civil::{Date, date};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Span, ToSpan as _};

use crate::clock::Timestamp;

/// The day of the month on which a period starts: 1 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BillingDay(u8);

/// Not a day of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is no billing day; it is 1 to 31, and a shorter month ends the period on its last day"
)]
pub struct BillingDayError(pub u32);

/// An IANA time zone that this build knows, by its name, for instance `Europe/Zurich`.
#[derive(Clone, Debug)]
pub struct ZoneName(TimeZone);

/// Not the name of a known time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a known time zone; it is the name of one in the IANA database, as `Europe/Zurich`")]
pub struct ZoneNameError;

/// What fixes the periods of a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingAnchor {
    /// The day on which they start.
    pub day: BillingDay,
    /// The zone whose midnight is meant.
    pub zone: ZoneName,
}

/// From `start` on, up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BillingPeriod {
    /// The first instant of the period.
    pub start: Timestamp,
    /// The first instant of the next one.
    pub end: Timestamp,
}

/// A day of a business: from `start` on, up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// The first instant of the day.
    pub start: Timestamp,
    /// The first instant of the next one.
    pub end: Timestamp,
}

/// An anchor, and from when on it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorTerm {
    /// The anchor.
    pub anchor: BillingAnchor,
    /// From when on; no period under it starts earlier.
    pub from: Timestamp,
}

/// The anchors of a business: the one in force, and the one that a change has put in its place from
/// the end of a period on. All that a row needs to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingSchedule {
    /// Counts until the pending one does. Of what was in force before it nothing is known, and such
    /// times are answered as if it had been this one, cut at `from`.
    pub current: AnchorTerm,
    /// Counts from its time on, also when that has come.
    pub pending: Option<AnchorTerm>,
}

impl BillingDay {
    /// Reads the number of a day.
    ///
    /// # Errors
    /// [`BillingDayError`] unless it is 1 to 31.
    pub fn new(day: u32) -> Result<BillingDay, BillingDayError> {
        match u8::try_from(day) {
            Ok(day @ 1..=31) => Ok(BillingDay(day)),
            Ok(_) | Err(_) => Err(BillingDayError(day)),
        }
    }

    /// Its number, 1 to 31.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl ZoneName {
    /// Reads the name of a zone. Case is forgiven, and set right.
    ///
    /// # Errors
    /// [`ZoneNameError`] unless it is in the database.
    pub fn parse(text: &str) -> Result<ZoneName, ZoneNameError> {
        match TimeZoneDatabase::bundled().get(text) {
            Ok(zone) if zone.iana_name().is_some() => Ok(ZoneName(zone)),
            Ok(_) | Err(_) => Err(ZoneNameError),
        }
    }

    /// The zone without daylight saving that a business has until it chooses one.
    pub fn utc() -> ZoneName {
        ZoneName(TimeZone::UTC)
    }

    /// The name as in the database.
    pub fn as_str(&self) -> &str {
        // A zone without a name is not parsed.
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl PartialEq for ZoneName {
    fn eq(&self, other: &ZoneName) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ZoneName {}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl BillingAnchor {
    /// The period of this anchor that holds a time. Where no calendar reaches, beyond the year 9998
    /// and before the year −9998, it is all of time.
    pub fn period_at(&self, time: Timestamp) -> BillingPeriod {
        self.month_at(time).unwrap_or(BillingPeriod {
            start: Timestamp::from_micros(i64::MIN),
            end: Timestamp::from_micros(i64::MAX),
        })
    }

    fn month_at(&self, time: Timestamp) -> Option<BillingPeriod> {
        let instant = jiff::Timestamp::from_microsecond(time.as_micros()).ok()?;
        let month = self.zone.0.to_datetime(instant).date().first_of_month();
        // Where the clocks go back over midnight, a month may begin before its date is shown.
        let mut end = self.start_in(month.checked_add(2.months()).ok()?)?;
        for months_later in [1, 0, -1] {
            let shifted = month.checked_add(Span::new().months(months_later)).ok()?;
            let start = self.start_in(shifted)?;
            if start <= time {
                return Some(BillingPeriod { start, end });
            }
            end = start;
        }
        None
    }

    /// The day in the anchor's zone that holds a time; where no calendar reaches, all of time.
    fn day_at(&self, time: Timestamp) -> Day {
        self.civil_day_at(time).unwrap_or(Day {
            start: Timestamp::from_micros(i64::MIN),
            end: Timestamp::from_micros(i64::MAX),
        })
    }

    fn civil_day_at(&self, time: Timestamp) -> Option<Day> {
        let instant = jiff::Timestamp::from_microsecond(time.as_micros()).ok()?;
        let today = self.zone.0.to_datetime(instant).date();
        // As with months: a day may begin before its date is shown.
        let mut end = self.start_of(today.checked_add(2.days()).ok()?)?;
        for days_later in [1, 0, -1] {
            let start = self.start_of(today.checked_add(Span::new().days(days_later)).ok()?)?;
            if start <= time {
                return Some(Day { start, end });
            }
            end = start;
        }
        None
    }

    /// The first instant of the billing day in the month with this first day.
    fn start_in(&self, month: Date) -> Option<Timestamp> {
        let last_day = month.days_in_month();
        let day = i8::try_from(self.day.0).unwrap_or(last_day).min(last_day);
        self.start_of(date(month.year(), month.month(), day))
    }

    /// The first instant of a date.
    fn start_of(&self, date: Date) -> Option<Timestamp> {
        let found = self.zone.0.to_ambiguous_timestamp(date.at(0, 0, 0, 0));
        let is_skipped = matches!(found.offset(), AmbiguousOffset::Gap { .. });
        let mut instant = found.compatible().ok()?;
        if is_skipped {
            // After the jump by as much as midnight came after it; the jump itself is the start.
            let no_later = instant.checked_add(1.nanosecond()).ok()?;
            instant = self.zone.0.preceding(no_later).next()?.timestamp();
        }
        Some(Timestamp::from_micros(instant.as_microsecond()))
    }
}

impl BillingPeriod {
    /// Is this time in the period?
    pub fn contains(&self, time: Timestamp) -> bool {
        self.start <= time && time < self.end
    }
}

impl Default for BillingAnchor {
    /// Day 1 in UTC: what a business has from its first mention on.
    fn default() -> BillingAnchor {
        BillingAnchor { day: BillingDay(1), zone: ZoneName::utc() }
    }
}

impl BillingSchedule {
    /// The schedule that always had this anchor: from [`Timestamp::MIN`] on.
    pub fn new(anchor: BillingAnchor) -> BillingSchedule {
        BillingSchedule { current: AnchorTerm { anchor, from: Timestamp::MIN }, pending: None }
    }

    /// The period that holds a time.
    pub fn period_at(&self, time: Timestamp) -> BillingPeriod {
        let BillingPeriod { start, end } = self.anchor_at(time).period_at(time);
        let (start, end) = self.cut(time, start, end);
        BillingPeriod { start, end }
    }

    /// The day that holds a time, in the zone that counts then. Where a change brings another zone, a
    /// day is cut, so that each lies in one period.
    pub fn day_at(&self, time: Timestamp) -> Day {
        let Day { start, end } = self.anchor_at(time).day_at(time);
        let (start, end) = self.cut(time, start, end);
        Day { start, end }
    }

    /// What is left around a time of a span that must not reach over a change.
    fn cut(&self, time: Timestamp, start: Timestamp, end: Timestamp) -> (Timestamp, Timestamp) {
        let cuts = [Some(self.current.from), self.pending.as_ref().map(|pending| pending.from)];
        cuts.into_iter().flatten().fold((start, end), |(start, end), cut| {
            if cut <= time { (start.max(cut), end) } else { (start, end.min(cut)) }
        })
    }

    /// The schedule after a change: the current period runs to its end, and the new anchor counts
    /// from there. A change that was pending and has not come into force is forgotten.
    pub fn change(&self, anchor: BillingAnchor, now: Timestamp) -> BillingSchedule {
        let current = self.term_at(now).clone();
        if current.anchor == anchor {
            return BillingSchedule { current, pending: None };
        }
        let from = self.period_at(now).end;
        BillingSchedule { current, pending: Some(AnchorTerm { anchor, from }) }
    }

    /// The anchor that counts at a time.
    pub fn anchor_at(&self, time: Timestamp) -> &BillingAnchor {
        &self.term_at(time).anchor
    }

    fn term_at(&self, time: Timestamp) -> &AnchorTerm {
        match &self.pending {
            Some(pending) if pending.from <= time => pending,
            Some(_) | None => &self.current,
        }
    }
}

impl Default for BillingSchedule {
    fn default() -> BillingSchedule {
        BillingSchedule::new(BillingAnchor::default())
    }
}

#[cfg(test)]
mod tests;
