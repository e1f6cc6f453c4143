//! What each change makes of a key.

use apikey::{
    lifecycle::{State, SuspendedBy, TransitionCause, TransitionError},
    settings::{Annotations, Description, DisplayName, ReasonText, RevokeReason},
    verdict::Generation,
};
use keyward_store::{
    change::{KeyChange, SettingsPatch},
    error::Refused,
    record::NewKey,
};

use crate::{database::Database, samples::*};

on_each_engine![
    update_changes_what_it_names_and_nothing_else,
    rotate_replaces_the_secret,
    rotate_keeps_the_expiry_or_takes_a_new_one,
    revoke_twice_keeps_the_first,
    the_platform_suspends_over_the_business,
    an_expired_key_is_rotated_or_revoked_and_no_more,
    nothing_leaves_a_revocation,
];

async fn update_changes_what_it_names_and_nothing_else(db: Database) {
    catalogue(&db.store, "read", scope_edit()).await;
    let mut expected = create(&db.store, new_key(1), at(0)).await;
    let name = DisplayName::parse("another").unwrap();
    let description = Description::parse("what for").unwrap();
    let entry = ("team".to_owned(), "billing".to_owned());
    let annotations = Annotations::from_entries([entry]).unwrap();
    let nothing = SettingsPatch::default;
    let patches = [
        SettingsPatch { display_name: Some(name), ..nothing() },
        SettingsPatch { description: Some(description), ..nothing() },
        SettingsPatch { scopes: Some(scopes(["read"])), ..nothing() },
        SettingsPatch { annotations: Some(annotations), ..nothing() },
        SettingsPatch { expire_time: Some(Some(at(99))), ..nothing() },
        SettingsPatch { expire_time: Some(None), ..nothing() },
    ];
    for (patch, second) in patches.into_iter().zip(1..) {
        let committed = change(&db.store, 1, update(patch.clone()), at(second)).await.unwrap();
        let SettingsPatch { display_name, description, scopes, expire_time, annotations } = patch;
        let settings = &mut expected.settings;
        display_name.into_iter().for_each(|new| settings.display_name = new);
        description.into_iter().for_each(|new| settings.description = new);
        scopes.into_iter().for_each(|new| settings.scopes = new);
        annotations.into_iter().for_each(|new| settings.annotations = new);
        expire_time.into_iter().for_each(|new| expected.lifecycle.expire_time = new);
        expected.update_time = at(second);
        expected.revision = committed.revision;
        assert_eq!(committed.value, expected);
        assert_eq!(get(&db.store, 1).await, expected);
    }
}

/// Each former secret keeps the time at which it was replaced; generations count up from 1.
async fn rotate_replaces_the_secret(db: Database) {
    let mut expected = create(&db.store, new_key(1), at(0)).await;
    create(&db.store, new_key(9), at(0)).await;
    for (number, second) in [(2, 10), (3, 20)] {
        let committed = change(&db.store, 1, rotate(number, None), at(second)).await.unwrap();
        expected.revision = committed.revision;
        expected.rotate_time = Some(at(second));
        expected.update_time = at(second);
        expected.obfuscated_secret = format!("kw_…{number}");
        assert_eq!(committed.value, expected);
        assert_eq!(get(&db.store, 1).await, expected);
    }
    let superseded = |second| Generation::Superseded { rotate_time: at(second) };
    let held: Vec<_> = held(&db.store).await;
    let held: Vec<_> =
        held.iter().map(|held| (held.digest, held.key_id, held.generation)).collect();
    let expected = [
        (digest(1), key_id(1), superseded(10)),
        (digest(2), key_id(1), superseded(20)),
        (digest(3), key_id(1), Generation::Current),
        (digest(9), key_id(9), Generation::Current),
    ];
    assert_eq!(held, expected);
    let generations = "select cast(generation as text) as line from secrets order by digest";
    assert_eq!(db.lines(generations), ["1", "2", "3", "1"]);
}

async fn rotate_keeps_the_expiry_or_takes_a_new_one(db: Database) {
    create(&db.store, NewKey { expire_time: Some(at(50)), ..new_key(1) }, at(0)).await;
    for (number, given, kept) in [(2, None, at(50)), (3, Some(at(90)), at(90))] {
        let key = change(&db.store, 1, rotate(number, given), at(1)).await.unwrap().value;
        assert_eq!(key.lifecycle.expire_time, Some(kept));
        assert_eq!(get(&db.store, 1).await, key);
    }
}

async fn revoke_twice_keeps_the_first(db: Database) {
    let mut expected = create(&db.store, new_key(1), at(0)).await;
    let words = ReasonText::parse(RevokeReason::Other, "lost in a train").unwrap();
    let first = KeyChange::Revoke { reason: RevokeReason::Other, text: words.clone() };
    let first = change(&db.store, 1, first, at(1)).await.unwrap();
    expected.revision = first.revision;
    expected.update_time = at(1);
    expected.lifecycle.revoke_time = Some(at(1));
    expected.revocation = Some((RevokeReason::Other, words));
    assert_eq!(first.value, expected);

    let second = change(&db.store, 1, revoke(), at(2)).await.unwrap();
    assert_eq!(second.value, expected);
    assert_eq!(get(&db.store, 1).await, expected);

    // Each reason has a code of its own.
    use RevokeReason::{Leaked, OwnerLeft, Replaced, Unused};
    for (reason, number) in [Leaked, OwnerLeft, Replaced, Unused].into_iter().zip(2..) {
        create(&db.store, new_key(number), at(0)).await;
        let revoke = KeyChange::Revoke { reason, text: ReasonText::default() };
        change(&db.store, number, revoke, at(1)).await.unwrap();
        let revocation = get(&db.store, number).await.revocation;
        assert_eq!(revocation, Some((reason, ReasonText::default())));
    }
}

async fn the_platform_suspends_over_the_business(db: Database) {
    use KeyChange::{Resume, Suspend};
    use SuspendedBy::{Business, Platform};
    create(&db.store, new_key(1), at(0)).await;
    let cannot_resume = refused(State::Suspended, TransitionCause::SuspendedByPlatform);
    let steps = [
        (Suspend(Business), Ok(Some(Business))),
        (Resume(Business), Ok(None)),
        (Suspend(Business), Ok(Some(Business))),
        (Resume(Platform), Ok(None)),
        (Suspend(Business), Ok(Some(Business))),
        (Suspend(Platform), Ok(Some(Platform))),
        (Suspend(Business), Ok(Some(Platform))),
        (Resume(Business), Err(cannot_resume)),
        (Resume(Platform), Ok(None)),
    ];
    for ((step, expected), second) in steps.into_iter().zip(1..) {
        let suspended_by = match change(&db.store, 1, step, at(second)).await {
            Ok(committed) => {
                assert_eq!(get(&db.store, 1).await, committed.value);
                Ok(committed.value.lifecycle.suspended_by)
            }
            refused => Err(refusal(refused)),
        };
        assert_eq!(suspended_by, expected, "step {second}");
    }
}

async fn an_expired_key_is_rotated_or_revoked_and_no_more(db: Database) {
    let before = create(&db.store, NewKey { expire_time: Some(at(5)), ..new_key(1) }, at(0)).await;
    let expired = refused(State::Expired, TransitionCause::Expired);
    let by = SuspendedBy::Platform;
    let without_time = refused(State::Expired, TransitionCause::ExpireTimeMissing);
    let in_the_past = refused(State::Expired, TransitionCause::ExpireTimePast);
    for (refused_change, expected) in [
        (rename("late"), &expired),
        (expire_at(None), &expired),
        (KeyChange::Suspend(by), &expired),
        (KeyChange::Resume(by), &expired),
        (rotate(2, None), &without_time),
        (rotate(2, Some(at(5))), &in_the_past),
    ] {
        assert_eq!(refusal(change(&db.store, 1, refused_change, at(5)).await), *expected);
    }
    assert_eq!(get(&db.store, 1).await, before);

    let rotated = change(&db.store, 1, rotate(2, Some(at(6))), at(5)).await.unwrap().value;
    assert_eq!(rotated.lifecycle.state(at(5)), State::Active);
    let revoked = change(&db.store, 1, revoke(), at(6)).await.unwrap().value;
    assert_eq!(revoked.lifecycle.state(at(6)), State::Revoked);
}

async fn nothing_leaves_a_revocation(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    let revoked = change(&db.store, 1, revoke(), at(1)).await.unwrap().value;
    let by = SuspendedBy::Platform;
    for refused_change in
        [rename("again"), rotate(2, Some(at(9))), KeyChange::Suspend(by), KeyChange::Resume(by)]
    {
        let expected = refused(State::Revoked, TransitionCause::Revoked);
        assert_eq!(refusal(change(&db.store, 1, refused_change, at(2)).await), expected);
    }
    assert_eq!(get(&db.store, 1).await, revoked);
}

fn refused(from: State, cause: TransitionCause) -> Refused {
    Refused::Transition(TransitionError { from, cause })
}
