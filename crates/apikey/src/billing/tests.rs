//! Proves that periods partition time: by tables of the odd days, over all zones, and under any chain
//! of changes.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const DAY: i64 = 86_400_000_000;

fn time(text: &str) -> Timestamp {
    let instant: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_micros(instant.as_microsecond())
}

fn anchor(day: u32, zone: &str) -> BillingAnchor {
    BillingAnchor { day: BillingDay::new(day).unwrap(), zone: ZoneName::parse(zone).unwrap() }
}

fn shown(period: BillingPeriod) -> (String, String) {
    (period.start.to_string(), period.end.to_string())
}

#[test]
fn days_by_the_table() {
    for day in 1..=31 {
        assert_eq!(u32::from(BillingDay::new(day).unwrap().get()), day);
    }
    for day in [0, 32, 256, 257, u32::MAX] {
        assert_eq!(BillingDay::new(day), Err(BillingDayError(day)));
    }
}

#[test]
fn zones_by_the_table() {
    let known = [
        ("Europe/Zurich", "Europe/Zurich"),
        ("europe/zurich", "Europe/Zurich"),
        ("US/Eastern", "US/Eastern"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("utc", "UTC"),
    ];
    for (text, name) in known {
        assert_eq!(ZoneName::parse(text).unwrap().as_str(), name);
    }
    for text in
        ["", "Europe", "Europe/Bern", "Etc/Unknown", "+02:00", "EST5EDT,M3.2.0,M11.1.0", "\0"]
    {
        assert_eq!(ZoneName::parse(text), Err(ZoneNameError), "{text:?}");
    }
    assert_ne!(ZoneName::parse("US/Eastern"), ZoneName::parse("America/New_York"));
}

#[test]
fn periods_by_the_table() {
    let table = [
        // A plain month, its first and its last instant.
        (1, "UTC", "2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"),
        (1, "UTC", "2026-05-31T23:59:59.999999Z", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"),
        // Before the day in this month: since the day in the last one, over the new year.
        (15, "UTC", "2026-01-14T12:00:00Z", "2025-12-15T00:00:00Z", "2026-01-15T00:00:00Z"),
        // Day 31 is the last day of a shorter month, in leap years too.
        (31, "UTC", "2026-02-10T00:00:00Z", "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"),
        (31, "UTC", "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z"),
        (30, "UTC", "2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-30T00:00:00Z"),
        // Daylight saving begins within the period.
        (
            1,
            "Europe/Zurich",
            "2026-03-31T21:59:59Z",
            "2026-02-28T23:00:00Z",
            "2026-03-31T22:00:00Z",
        ),
        // São Paulo jumped from 00:00 to 01:00: the day starts with the jump.
        (
            18,
            "America/Sao_Paulo",
            "2015-10-18T03:00:00Z",
            "2015-10-18T03:00:00Z",
            "2015-11-18T02:00:00Z",
        ),
        // Havana showed 00:00 twice: the first time counts.
        (
            3,
            "America/Havana",
            "2024-11-03T04:30:00Z",
            "2024-11-03T04:00:00Z",
            "2024-12-03T05:00:00Z",
        ),
        // Toronto jumped from 23:30 to 00:30: the day starts with the jump, half past midnight.
        (
            31,
            "America/Toronto",
            "1919-03-31T05:00:00Z",
            "1919-03-31T04:30:00Z",
            "1919-04-30T04:00:00Z",
        ),
        // St. John's went back at 00:01 on the 1st to 23:01 on the 31st: the 1st had begun already.
        (
            1,
            "America/St_Johns",
            "2009-11-01T02:45:00Z",
            "2009-11-01T02:30:00Z",
            "2009-12-01T03:30:00Z",
        ),
        // Samoa had no 30 December 2011.
        (
            30,
            "Pacific/Apia",
            "2011-12-30T10:00:00Z",
            "2011-12-30T10:00:00Z",
            "2012-01-29T10:00:00Z",
        ),
    ];
    for (day, zone, at, start, end) in table {
        let period = anchor(day, zone).period_at(time(at));
        assert_eq!(shown(period), (start.to_owned(), end.to_owned()), "{day} {zone} {at}");
    }
}

#[test]
fn a_change_lets_the_current_period_run_to_its_end() {
    let schedule =
        BillingSchedule::default().change(anchor(15, "UTC"), time("2026-01-10T00:00:00Z"));
    let table = [
        ("2025-12-31T23:59:59Z", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-20T00:00:00Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-02-15T00:00:00Z"),
        ("2026-02-20T00:00:00Z", "2026-02-15T00:00:00Z", "2026-03-15T00:00:00Z"),
    ];
    for (at, start, end) in table {
        assert_eq!(shown(schedule.period_at(time(at))), (start.to_owned(), end.to_owned()), "{at}");
    }
    assert_eq!(schedule.anchor_at(time("2026-01-31T23:59:59Z")), &anchor(1, "UTC"));
    assert_eq!(schedule.anchor_at(time("2026-02-01T00:00:00Z")), &anchor(15, "UTC"));
}

/// A time zone's rules may have changed since a schedule was stored: its times stand, none is lost.
#[test]
fn a_stored_time_cuts_where_no_period_ends_by_the_calendar() {
    let term = |day, from| AnchorTerm { anchor: anchor(day, "UTC"), from: time(from) };
    let schedule = BillingSchedule {
        current: term(1, "2026-01-10T00:00:00Z"),
        pending: Some(term(15, "2026-02-10T00:00:00Z")),
    };
    let table = [
        ("2026-01-09T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-10T00:00:00Z"),
        ("2026-01-10T00:00:00Z", "2026-01-10T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("2026-02-09T00:00:00Z", "2026-02-01T00:00:00Z", "2026-02-10T00:00:00Z"),
        ("2026-02-10T00:00:00Z", "2026-02-10T00:00:00Z", "2026-02-15T00:00:00Z"),
    ];
    for (at, start, end) in table {
        assert_eq!(shown(schedule.period_at(time(at))), (start.to_owned(), end.to_owned()), "{at}");
    }
}

#[test]
fn a_change_that_is_taken_back_leaves_nothing() {
    let first = BillingSchedule::default();
    let changed = first.change(anchor(15, "UTC"), time("2026-01-10T00:00:00Z"));
    assert_eq!(changed.change(anchor(1, "UTC"), time("2026-01-11T00:00:00Z")), first);
}

#[test]
fn where_no_calendar_reaches_there_is_one_period() {
    for micros in [i64::MIN, i64::MAX - 1] {
        let time = Timestamp::from_micros(micros);
        assert!(BillingSchedule::default().period_at(time).contains(time));
    }
}

static ZONES: LazyLock<Vec<String>> = LazyLock::new(|| {
    TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect()
});

fn assert_length(period: BillingPeriod, context: &dyn fmt::Debug) {
    let length = period.end.as_micros() - period.start.as_micros();
    assert!((27 * DAY..=32 * DAY).contains(&length), "{context:?} {period:?}");
}

/// For each zone and day a walk of 13 periods, each zone in another year, so that all kinds of
/// years and transitions of the last 60 years are met.
#[test]
fn in_all_zones_and_on_all_days_periods_follow_each_other() {
    let mut walked = 0;
    for (zone, year) in ZONES.iter().zip((1970..2038).cycle()) {
        for day in 1..=31 {
            let anchor = anchor(day, zone);
            let mut period = anchor.period_at(time(&format!("{year}-01-20T12:00:00Z")));
            for _ in 0..13 {
                assert_length(period, &(day, zone));
                let next = anchor.period_at(period.end);
                assert_eq!(next.start, period.end, "{day} {zone}");
                period = next;
                walked += 1;
            }
        }
    }
    assert!(walked > 500 * 31 * 13, "{walked}");
}

fn anchors() -> impl Strategy<Value = BillingAnchor> {
    (1..=31_u32, select(ZONES.as_slice())).prop_map(|(day, zone)| anchor(day, &zone))
}

/// From 1850 to 2150, to the microsecond.
fn times() -> impl Strategy<Value = Timestamp> {
    (-43_800 * DAY..65_700 * DAY).prop_map(Timestamp::from_micros)
}

proptest! {
    #[test]
    fn a_period_holds_its_time_and_is_the_same_throughout(
        anchor in anchors(),
        at in times(),
        place in any::<u64>(),
    ) {
        let period = anchor.period_at(at);
        prop_assert!(period.contains(at));
        assert_length(period, &anchor);
        let span = u64::try_from(period.end.as_micros() - period.start.as_micros()).unwrap();
        let inside = std::time::Duration::from_micros(place % span);
        prop_assert_eq!(anchor.period_at(period.start.saturating_add(inside)), period);
    }

    /// Around each transition of a zone, where gaps and folds are.
    #[test]
    fn transitions_break_no_period(anchor in anchors(), at in times(), minutes in -1_500..1_500_i64) {
        let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap();
        if let Some(transition) = anchor.zone.0.following(instant).next() {
            let micros = transition.timestamp().as_microsecond();
            // The billing day is put on the day of the transition, and the time near it.
            let local = anchor.zone.0.to_datetime(transition.timestamp());
            let day = BillingDay::new(u32::try_from(local.day()).unwrap()).unwrap();
            let anchor = BillingAnchor { day, ..anchor };
            let at = Timestamp::from_micros(micros + minutes * 60_000_000);
            let period = anchor.period_at(at);
            prop_assert!(period.contains(at));
            prop_assert_eq!(anchor.period_at(period.start), period);
            prop_assert_eq!(anchor.period_at(period.end).start, period.end);
        }
    }

    /// Whatever is changed and when, also within the short period after a change: from the last
    /// change on, periods follow each other, and the one of the change is the one it was.
    #[test]
    fn a_chain_of_changes_cuts_no_current_period(
        first in anchors(),
        start in times(),
        changes in prop::collection::vec((anchors(), 0..50_i64), 1..6),
        days in 0..90_i64,
    ) {
        let mut schedule = BillingSchedule::new(first);
        let mut now = start;
        for (anchor, wait) in changes {
            now = Timestamp::from_micros(now.as_micros() + wait * DAY);
            let before = schedule.period_at(now);
            schedule = schedule.change(anchor.clone(), now);
            prop_assert_eq!(schedule.period_at(now), before);
            prop_assert_eq!(schedule.anchor_at(before.end), &anchor);
        }
        let later = Timestamp::from_micros(now.as_micros() + days * DAY);
        let period = schedule.period_at(later);
        prop_assert!(period.contains(later));
        prop_assert_eq!(schedule.period_at(period.start), period);
        prop_assert_eq!(schedule.period_at(period.end).start, period.end);
    }

    #[test]
    fn a_zone_is_kept_as_named(name in select(ZONES.as_slice())) {
        if let Ok(zone) = ZoneName::parse(&name) {
            prop_assert_eq!(zone.to_string(), name);
        }
    }
}
