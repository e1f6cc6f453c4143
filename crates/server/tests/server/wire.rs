//! What goes over the wire comes back as it was.

use std::ops::RangeInclusive;

use apikey::{clock::Timestamp, digest::PepperSet};
use keyward_server::{
    errors::violations::Violations,
    wire::{page, time},
};
use proptest::{prelude::*, sample::select};

const OLD: &str = "1 1111111111111111111111111111111111111111111111111111111111111111";
const NEW: &str = "2 2222222222222222222222222222222222222222222222222222222222222222";

/// What the documentation of `google.protobuf.Timestamp` allows.
const SECONDS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const NANOS: RangeInclusive<i32> = 0..=999_999_999;

fn peppers(lines: &[&str]) -> PepperSet {
    PepperSet::parse(&lines.join("\n")).unwrap()
}

proptest! {
    /// Every moment that Keyward knows has its message.
    #[test]
    fn times_come_back(micros in Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros()) {
        let moment = Timestamp::from_micros(micros);
        prop_assert_eq!(time::from_wire(time::to_wire(moment)), Ok(moment));
    }

    /// Every message is a moment, cut to microseconds, or refused as its own rules refuse it.
    #[test]
    fn any_message_is_a_moment_or_none(
        seconds in prop_oneof![SECONDS, any::<i64>(), select(vec![-62_135_596_801, 253_402_300_800])],
        nanos in prop_oneof![NANOS, any::<i32>(), select(vec![-1, 1_000_000_000])],
    ) {
        let in_range = SECONDS.contains(&seconds);
        let is_moment = in_range && NANOS.contains(&nanos);
        let message = prost_types::Timestamp { seconds, nanos };
        let cut = is_moment.then(|| prost_types::Timestamp { seconds, nanos: nanos - nanos % 1_000 });
        prop_assert_eq!(time::from_wire(message).ok().map(time::to_wire), cut);
    }

    /// A page token is its position again, for its own query and under any pepper still held; one
    /// character of another is none.
    #[test]
    fn page_tokens_come_back(query: Vec<u8>, other: Vec<u8>, position: Vec<u8>, place: prop::sample::Index) {
        let token = page::token(&peppers(&[OLD]), &query, &position);
        let read = |lines: &[&str], query: &[u8], token: &str| {
            page::position(&peppers(lines), query, token, &mut Violations::default())
        };
        prop_assert_eq!(read(&[OLD, NEW], &query, &token), Some(Some(position)));
        prop_assert_eq!(read(&[NEW], &query, &token), None);
        prop_assert!(other == query || read(&[OLD], &other, &token).is_none());
        let mut tampered = token.into_bytes();
        let place = place.index(tampered.len());
        tampered[place] = if tampered[place] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(tampered).unwrap();
        prop_assert_eq!(read(&[OLD], &query, &tampered), None);
    }
}

/// 0 is the default, and too many is as many as there may be.
#[test]
fn page_sizes_are_clamped() {
    for (asked, size) in [(0, 50), (1, 1), (1_000, 1_000), (1_001, 1_000), (i32::MAX, 1_000)] {
        assert_eq!(page::size(asked, &mut Violations::default()), Some(size), "{asked}");
    }
    assert_eq!(page::size(-1, &mut Violations::default()), None);
}
