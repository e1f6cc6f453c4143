//! Proves the text, the arithmetic and the ends of time, and that only a told clock moves.

use proptest::prelude::*;

use super::*;

#[test]
fn shown_as_rfc_3339_in_utc() {
    let table = [
        (Timestamp::MIN, "0001-01-01T00:00:00Z"),
        (Timestamp::MAX, "9999-12-31T23:59:59.999999Z"),
        (Timestamp::from_micros(0), "1970-01-01T00:00:00Z"),
        (Timestamp::from_micros(-1), "1969-12-31T23:59:59.999999Z"),
        (Timestamp::from_micros(1_769_848_200_250_000), "2026-01-31T08:30:00.25Z"),
        (Timestamp::from_micros(i64::MAX), "9223372036854775807 microseconds"),
        (Timestamp::from_micros(Timestamp::MIN.as_micros() - 1), "-62135596800000001 microseconds"),
    ];
    for (timestamp, text) in table {
        assert_eq!(timestamp.to_string(), text);
    }
}

#[test]
fn arithmetic_cuts_to_microseconds_and_stops_at_the_ends() {
    let epoch = Timestamp::from_micros(0);
    assert_eq!(epoch.saturating_add(Duration::from_nanos(1_999)), Timestamp::from_micros(1));
    assert_eq!(epoch.saturating_sub(Duration::from_millis(2)), Timestamp::from_micros(-2_000));
    assert_eq!(Timestamp::MAX.saturating_add(Duration::MAX), Timestamp::from_micros(i64::MAX));
    assert_eq!(
        Timestamp::from_micros(-2).saturating_sub(Duration::MAX),
        Timestamp::from_micros(i64::MIN)
    );
}

#[test]
fn the_manual_clock_moves_only_when_told() {
    let clock = ManualClock::new(Timestamp::from_micros(10));
    assert_eq!(clock.now(), clock.now());
    clock.advance(Duration::from_micros(5));
    assert_eq!(clock.now(), Timestamp::from_micros(15));
    clock.set(Timestamp::from_micros(3));
    assert_eq!(clock.now(), Timestamp::from_micros(3));
}

#[test]
fn the_system_clock_knows_the_century() {
    let now = SystemClock.now().to_string();
    assert!(now.starts_with("20"), "{now}");
}

proptest! {
    #[test]
    fn text_order_is_time_order(a in 0..i64::from(i32::MAX), b in 0..i64::from(i32::MAX)) {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        prop_assert_eq!(at(a).cmp(&at(b)), at(a).to_string().cmp(&at(b).to_string()));
    }

    #[test]
    fn what_is_added_can_be_taken_away(micros in -1_000_000_i64.., span in 0..u64::from(u32::MAX)) {
        let start = Timestamp::from_micros(micros / 2);
        let span = Duration::from_micros(span);
        prop_assert_eq!(start.saturating_add(span).saturating_sub(span), start);
    }
}
