//! Proves each transition by a table, and that no chain of them leaves REVOKED.

use proptest::prelude::*;

use super::SuspendedBy::{Business, Platform};
use super::*;

const NOW: Timestamp = at(1_000);

const fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

const fn key(
    expire_time: Option<Timestamp>,
    revoke_time: Option<Timestamp>,
    suspended_by: Option<SuspendedBy>,
) -> Lifecycle {
    Lifecycle { expire_time, revoke_time, suspended_by }
}

const ACTIVE: Lifecycle = key(None, None, None);
const EXPIRED: Lifecycle = key(Some(at(999)), None, None);
const REVOKED: Lifecycle = key(None, Some(at(5)), None);

const fn suspended(by: SuspendedBy) -> Lifecycle {
    key(None, None, Some(by))
}

fn refused(from: State, cause: TransitionCause) -> Result<Lifecycle, TransitionError> {
    Err(TransitionError { from, cause })
}

#[test]
fn the_order_of_states() {
    let (past, future) = (Some(at(999)), Some(at(1_001)));
    let table = [
        (key(None, None, None), State::Active),
        (key(future, None, None), State::Active),
        (key(None, None, Some(Business)), State::Suspended),
        (key(future, None, Some(Platform)), State::Suspended),
        (key(past, None, None), State::Expired),
        (key(past, None, Some(Platform)), State::Expired),
        (key(None, past, None), State::Revoked),
        (key(None, future, None), State::Revoked),
        (key(past, past, None), State::Revoked),
        (key(None, past, Some(Business)), State::Revoked),
        (key(past, past, Some(Business)), State::Revoked),
    ];
    for (lifecycle, state) in table {
        assert_eq!(lifecycle.state(NOW), state, "{lifecycle:?}");
        let is_live = matches!(state, State::Active | State::Suspended);
        assert_eq!(lifecycle.is_live(NOW), is_live, "{lifecycle:?}");
    }
}

#[test]
fn a_key_has_expired_from_its_expire_time_on() {
    let lifecycle = key(Some(at(1_000)), None, None);
    assert_eq!(lifecycle.state(at(999)), State::Active);
    assert_eq!(lifecycle.state(at(1_000)), State::Expired);
}

#[test]
fn every_state_can_be_revoked_once() {
    for lifecycle in [ACTIVE, suspended(Business), suspended(Platform), EXPIRED] {
        let revoked = lifecycle.revoke(NOW).unwrap();
        assert_eq!(revoked, Lifecycle { revoke_time: Some(NOW), ..lifecycle });
        assert_eq!(revoked.revoke(at(2_000)), None);
    }
}

#[test]
fn suspending_by_the_table() {
    let table = [
        (ACTIVE, Business, Ok(suspended(Business))),
        (ACTIVE, Platform, Ok(suspended(Platform))),
        (suspended(Business), Business, Ok(suspended(Business))),
        (suspended(Business), Platform, Ok(suspended(Platform))),
        (suspended(Platform), Business, Ok(suspended(Platform))),
        (suspended(Platform), Platform, Ok(suspended(Platform))),
        (EXPIRED, Platform, refused(State::Expired, TransitionCause::Expired)),
        (REVOKED, Platform, refused(State::Revoked, TransitionCause::Revoked)),
    ];
    for (lifecycle, by, expected) in table {
        assert_eq!(lifecycle.suspend(by, NOW), expected, "{lifecycle:?} by {by:?}");
    }
}

#[test]
fn resuming_by_the_table() {
    let held = refused(State::Suspended, TransitionCause::SuspendedByPlatform);
    let table = [
        (ACTIVE, Business, Ok(ACTIVE)),
        (ACTIVE, Platform, Ok(ACTIVE)),
        (suspended(Business), Business, Ok(ACTIVE)),
        (suspended(Business), Platform, Ok(ACTIVE)),
        (suspended(Platform), Business, held),
        (suspended(Platform), Platform, Ok(ACTIVE)),
        (EXPIRED, Platform, refused(State::Expired, TransitionCause::Expired)),
        (REVOKED, Platform, refused(State::Revoked, TransitionCause::Revoked)),
    ];
    for (lifecycle, by, expected) in table {
        assert_eq!(lifecycle.resume(by, NOW), expected, "{lifecycle:?} by {by:?}");
    }
}

#[test]
fn changing_the_expiry_by_the_table() {
    let later = Some(at(1_001));
    let lasting = key(later, None, Some(Platform));
    let table = [
        (ACTIVE, later, Ok(key(later, None, None))),
        (lasting, None, Ok(suspended(Platform))),
        (lasting, later, Ok(lasting)),
        (ACTIVE, Some(NOW), refused(State::Active, TransitionCause::ExpireTimePast)),
        (lasting, Some(at(1)), refused(State::Suspended, TransitionCause::ExpireTimePast)),
        (EXPIRED, later, refused(State::Expired, TransitionCause::Expired)),
        (EXPIRED, None, refused(State::Expired, TransitionCause::Expired)),
        (REVOKED, later, refused(State::Revoked, TransitionCause::Revoked)),
    ];
    for (lifecycle, expire_time, expected) in table {
        assert_eq!(lifecycle.update_expiry(expire_time, NOW), expected, "{lifecycle:?}");
    }
}

#[test]
fn rotating_by_the_table() {
    let (later, past) = (Some(at(1_001)), Some(at(999)));
    let lasting = key(Some(at(5_000)), None, None);
    let expired_while_suspended = key(past, None, Some(Platform));
    let table = [
        (ACTIVE, None, Ok(ACTIVE)),
        (ACTIVE, later, Ok(key(later, None, None))),
        (lasting, None, Ok(lasting)),
        (lasting, later, Ok(key(later, None, None))),
        (suspended(Business), None, Ok(suspended(Business))),
        (EXPIRED, later, Ok(key(later, None, None))),
        (expired_while_suspended, later, Ok(key(later, None, Some(Platform)))),
        (EXPIRED, None, refused(State::Expired, TransitionCause::ExpireTimeMissing)),
        (EXPIRED, Some(NOW), refused(State::Expired, TransitionCause::ExpireTimePast)),
        (ACTIVE, Some(NOW), refused(State::Active, TransitionCause::ExpireTimePast)),
        (REVOKED, None, refused(State::Revoked, TransitionCause::Revoked)),
        (REVOKED, later, refused(State::Revoked, TransitionCause::Revoked)),
    ];
    for (lifecycle, expire_time, expected) in table {
        assert_eq!(lifecycle.rotate(expire_time, NOW), expected, "{lifecycle:?}");
    }
}

#[test]
fn the_error_names_the_state_and_the_way_out() {
    let error = EXPIRED.suspend(Business, NOW).unwrap_err();
    let expected = "the key is EXPIRED: rotate it with a new expire_time first, or revoke it";
    assert_eq!(error.to_string(), expected);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Revoke,
    Suspend(SuspendedBy),
    Resume(SuspendedBy),
    UpdateExpiry(Option<Timestamp>),
    Rotate(Option<Timestamp>),
}

impl Step {
    fn take(self, key: Lifecycle, now: Timestamp) -> Option<Lifecycle> {
        match self {
            Step::Revoke => key.revoke(now),
            Step::Suspend(by) => key.suspend(by, now).ok(),
            Step::Resume(by) => key.resume(by, now).ok(),
            Step::UpdateExpiry(time) => key.update_expiry(time, now).ok(),
            Step::Rotate(time) => key.rotate(time, now).ok(),
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let by = || prop_oneof![Just(Business), Just(Platform)];
    let time = || prop::option::of((0..40_i64).prop_map(at));
    let step = prop_oneof![
        1 => Just(Step::Revoke),
        3 => by().prop_map(Step::Suspend),
        3 => by().prop_map(Step::Resume),
        3 => time().prop_map(Step::UpdateExpiry),
        3 => time().prop_map(Step::Rotate),
    ];
    prop::collection::vec(step, 0..30)
}

proptest! {
    /// A step a microsecond, from a new key on.
    #[test]
    fn no_forbidden_way_is_open(steps in steps()) {
        let mut key = Lifecycle::default();
        for (step, now) in steps.into_iter().zip((0..).map(at)) {
            let before = key.state(now);
            let Some(next) = step.take(key, now) else { continue };
            let after = next.state(now);
            prop_assert!(before != State::Revoked, "left REVOKED by {:?}", step);
            prop_assert_eq!(after == State::Revoked, matches!(step, Step::Revoke));
            if before == State::Expired && after != State::Revoked {
                prop_assert!(matches!(step, Step::Rotate(Some(_))), "revived by {:?}", step);
            }
            prop_assert!(after != State::Expired || before == State::Expired);
            if key.suspended_by == Some(Platform) {
                let by_platform = matches!(step, Step::Resume(Platform));
                prop_assert_eq!(next.suspended_by, (!by_platform).then_some(Platform));
            }
            key = next;
        }
    }
}
