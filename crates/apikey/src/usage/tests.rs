//! Proves that slots tile hours, and the days of businesses in every zone.

use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::billing::{BillingAnchor, BillingDay, BillingSchedule, Day, ZoneName};

const DAY_MICROS: i64 = 24 * HOUR_MICROS;

static ZONES: LazyLock<Vec<String>> = LazyLock::new(|| {
    TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect()
});

fn time(text: &str) -> Timestamp {
    let instant: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_micros(instant.as_microsecond())
}

fn schedule(zone: &str) -> BillingSchedule {
    BillingSchedule::new(anchor(1, zone))
}

fn anchor(day: u32, zone: &str) -> BillingAnchor {
    BillingAnchor { day: BillingDay::new(day).unwrap(), zone: ZoneName::parse(zone).unwrap() }
}

/// A slot is its quarter from the first microsecond to the last, before 1970 too.
#[test]
fn slots_by_the_table() {
    let table = [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:14:59.999999Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:15:00Z", "2026-03-01T12:15:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:59:59Z", "2026-03-01T12:45:00Z", "2026-03-01T12:00:00Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:45:00Z", "1969-12-31T23:00:00Z"),
    ];
    for (at, start, hour) in table {
        let slot = Slot::of(time(at));
        assert_eq!((slot.start(), slot.hour()), (time(start), time(hour)), "{at}");
    }
}

/// The days on which something odd happens, as their people count them.
#[test]
fn days_by_the_table() {
    let table = [
        ("UTC", "2026-03-01T12:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
        // 23 and 25 hours long.
        ("Europe/Zurich", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Zurich", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        // A quarter to.
        ("Asia/Kathmandu", "2026-03-01T12:00:00Z", "2026-02-28T18:15:00Z", "2026-03-01T18:15:00Z"),
        // No midnight; midnight twice.
        (
            "America/Sao_Paulo",
            "2015-10-18T03:00:00Z",
            "2015-10-18T03:00:00Z",
            "2015-10-19T02:00:00Z",
        ),
        ("America/Havana", "2024-11-03T05:30:00Z", "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"),
        // Back over midnight: the 1st had begun already.
        (
            "America/St_Johns",
            "2009-11-01T02:45:00Z",
            "2009-11-01T02:30:00Z",
            "2009-11-02T03:30:00Z",
        ),
        // Samoa had no 30 December 2011.
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
    ];
    for (zone, at, start, end) in table {
        let day = schedule(zone).day_at(time(at));
        assert_eq!(day, Day { start: time(start), end: time(end) }, "{zone} {at}");
    }
}

/// Walks from the day of a time through so many days: they follow each other without a gap, and each
/// begins and ends with a slot.
fn walk(zone: &str, from: Timestamp, days: u32) -> u32 {
    let schedule = schedule(zone);
    let mut day = schedule.day_at(from);
    for _ in 0..days {
        assert_eq!(Slot::of(day.start).start(), day.start, "{zone} {day:?}");
        let length = day.end.as_micros() - day.start.as_micros();
        assert!((12 * HOUR_MICROS..=36 * HOUR_MICROS).contains(&length), "{zone} {day:?}");
        let next = schedule.day_at(day.end);
        assert_eq!(next.start, day.end, "{zone}");
        day = next;
    }
    days
}

/// In every zone the days around each transition from 1980 to 2037, and a whole year: all days of
/// those years are one of these, or like one.
#[test]
fn in_all_zones_slots_tile_all_days() {
    let first: jiff::Timestamp = "1980-01-01T12:00:00Z".parse().unwrap();
    let last: jiff::Timestamp = "2037-12-31T12:00:00Z".parse().unwrap();
    let mut walked = 0;
    for zone in &*ZONES {
        let rules = TimeZoneDatabase::bundled().get(zone).unwrap();
        for transition in rules.following(first).take_while(|at| at.timestamp() < last) {
            let micros = transition.timestamp().as_microsecond();
            walked += walk(zone, Timestamp::from_micros(micros - 2 * DAY_MICROS), 5);
        }
        walked += walk(zone, time("2026-01-01T00:00:00Z"), 366);
    }
    assert!(walked > 500 * 366 + 100_000, "{walked}");
}

/// From 1980 to 2150, to the microsecond.
fn times() -> impl Strategy<Value = Timestamp> {
    (3_660 * DAY_MICROS..65_700 * DAY_MICROS).prop_map(Timestamp::from_micros)
}

proptest! {
    #[test]
    fn a_slot_holds_its_time_and_lies_in_one_hour(at in times()) {
        let slot = Slot::of(at);
        prop_assert!(slot.start() <= at && at < slot.next().start());
        prop_assert_eq!(slot.start().saturating_add(Slot::LENGTH), slot.next().start());
        let last = Timestamp::from_micros(slot.next().start().as_micros() - 1);
        prop_assert_eq!(Slot::of(last), slot);
        let into = slot.start().as_micros() - slot.hour().as_micros();
        prop_assert!([0, 1, 2, 3].map(|quarter| quarter * SLOT_MICROS).contains(&into));
    }

    /// Whatever a business changes and when, each slot lies in one day and one period, and days cut at
    /// a change still follow each other.
    #[test]
    fn a_slot_lies_in_one_day_and_one_period(
        day in 1..=31_u32,
        zone in select(ZONES.as_slice()),
        new_day in 1..=31_u32,
        new_zone in select(ZONES.as_slice()),
        change in times(),
        days in 0..70_i64,
        micros in 0..DAY_MICROS,
    ) {
        let schedule = BillingSchedule::new(anchor(day, &zone)).change(anchor(new_day, &new_zone), change);
        let at = Timestamp::from_micros(change.as_micros() + days * DAY_MICROS + micros);
        let slot = Slot::of(at);
        let last = Timestamp::from_micros(slot.next().start().as_micros() - 1);
        let (day, period) = (schedule.day_at(at), schedule.period_at(at));
        prop_assert!(day.start <= at && at < day.end);
        for end in [slot.start(), last] {
            prop_assert_eq!(schedule.day_at(end), day);
            prop_assert_eq!(schedule.period_at(end), period);
        }
        prop_assert!(period.start <= day.start && day.end <= period.end);
        prop_assert_eq!(schedule.day_at(day.end).start, day.end);
    }
}
