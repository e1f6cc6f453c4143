//! Many keys are revoked at once: all or none, in one place of the history.

use apikey::{
    id::BusinessId,
    lifecycle::State,
    scope::built_in::{OPERATE, VERIFY},
    settings::{ReasonText, RevokeReason},
};
use keyward_store::{
    access::Advisor,
    audit::{AuditAction, AuditQuery},
    bulk::BULK_MAX,
    error::{ChangeError, Refused},
    list::{KeyFilter, KeySelection, WhichKeys},
    record::{Act, Actor, Committed, KeyRecord, NewKey, Revision},
};

use crate::{database::Database, samples::*};

on_each_engine![
    keys_are_revoked_by_id_in_one_revision,
    a_filter_is_asked_in_the_change_and_leaves_what_is_revoked,
    one_missing_key_stops_all,
    keys_of_other_businesses_are_not_touched,
    too_many_matches_are_refused_with_their_number,
    the_last_operator_key_stays,
    a_look_beforehand_changes_nothing,
    an_advisor_needs_a_live_grant_of_each_business,
];

/// These keys of `acme`.
pub(crate) fn these(numbers: &[u64]) -> KeySelection {
    let ids = numbers.iter().map(|number| key_id(*number)).collect();
    KeySelection { business_ids: vec![acme()], which: WhichKeys::Ids(ids) }
}

fn named(part: &str) -> KeySelection {
    let display_name_part = Some(part.to_owned());
    let filter = KeyFilter { display_name_part, ..KeyFilter::default() };
    KeySelection { business_ids: vec![acme()], which: WhichKeys::Filter(filter) }
}

async fn revoke_keys(
    db: &Database,
    selection: KeySelection,
    second: i64,
) -> Result<Committed<Vec<KeyRecord>>, ChangeError> {
    let text = ReasonText::parse(RevokeReason::Leaked, "all of them").unwrap();
    db.store.revoke_keys(selection, RevokeReason::Leaked, text, act(at(second))).await
}

async fn states(db: &Database, numbers: &[u64], second: i64) -> Vec<State> {
    let mut states = Vec::new();
    for number in numbers {
        states.push(get(&db.store, *number).await.lifecycle.state(at(second)));
    }
    states
}

/// With an event for each; one that was revoked before stands as it stood.
async fn keys_are_revoked_by_id_in_one_revision(db: Database) {
    for number in 1..=4 {
        create(&db.store, new_key(number), at(0)).await;
    }
    let first = change(&db.store, 2, revoke(), at(1)).await.unwrap().value;
    let before = db.store.revision().await.unwrap();
    let done = revoke_keys(&db, these(&[1, 2, 3]), 2).await.unwrap();
    assert_eq!(done.revision, Revision(before.0 + 1));
    let ids: Vec<_> = done.value.iter().map(|key| key.key_id).collect();
    assert_eq!(ids, [key_id(3), key_id(2), key_id(1)]);
    for key in &done.value {
        assert_eq!(db.store.get_key(&acme(), key.key_id).await.unwrap().as_ref(), Some(key));
    }
    assert_eq!(done.value[1], first);
    assert_eq!((done.value[0].update_time, done.value[0].revision), (at(2), done.revision));
    assert_eq!(states(&db, &[1, 2, 3, 4], 2).await[3], State::Active);
    let told = db.store.changes_after(before).await.unwrap().secrets;
    assert_eq!(told.len(), 2);

    let query = AuditQuery { business_id: None, key_id: None, after: before, limit: 10 };
    let events = db.store.list_audit_events(query).await.unwrap();
    let told: Vec<_> = events.iter().map(|event| (event.action, event.key_id)).collect();
    let expected = [3, 2, 1].map(|number| (AuditAction::RevokeKey, Some(key_id(number))));
    assert_eq!(told, expected);
    assert_eq!(events[2].key_after.as_ref(), Some(&done.value[2]));
}

/// Again it matches nothing, and takes its place in the history all the same.
async fn a_filter_is_asked_in_the_change_and_leaves_what_is_revoked(db: Database) {
    for number in 1..=3 {
        create(&db.store, new_key(number), at(0)).await;
    }
    change(&db.store, 2, rename("another name"), at(1)).await.unwrap();
    let done = revoke_keys(&db, named("a key"), 2).await.unwrap();
    assert_eq!(done.value.len(), 2);
    let again = revoke_keys(&db, named("a key"), 3).await.unwrap();
    assert_eq!((again.value, again.revision), (vec![], Revision(done.revision.0 + 1)));
    use State::{Active, Revoked};
    assert_eq!(states(&db, &[1, 2, 3], 3).await, [Revoked, Active, Revoked]);
}

async fn one_missing_key_stops_all(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    let refused = refusal(revoke_keys(&db, these(&[1, 7, 8]), 1).await);
    assert_eq!(refused, Refused::KeysNotFound(vec![key_id(7), key_id(8)]));
    assert_eq!(states(&db, &[1], 1).await, [State::Active]);
}

/// Neither by an id, which is then not found, nor by a filter.
async fn keys_of_other_businesses_are_not_touched(db: Database) {
    create(&db.store, NewKey { business_id: business("other"), ..new_key(1) }, at(0)).await;
    let refused = refusal(revoke_keys(&db, these(&[1]), 1).await);
    assert_eq!(refused, Refused::KeysNotFound(vec![key_id(1)]));
    assert_eq!(revoke_keys(&db, named("a key"), 1).await.unwrap().value, []);
}

/// As many as there may be go through.
async fn too_many_matches_are_refused_with_their_number(db: Database) {
    let most = u64::try_from(BULK_MAX).unwrap();
    for number in 0..=most {
        let business_id = business(&format!("b{}", number % 2));
        create(&db.store, NewKey { business_id, ..new_key(number) }, at(0)).await;
    }
    let of_both = KeySelection { business_ids: vec![business("b0"), business("b1")], ..named("a") };
    let matches = i64::try_from(BULK_MAX).unwrap() + 1;
    let refused = refusal(revoke_keys(&db, of_both.clone(), 1).await);
    assert_eq!(refused, Refused::TooManyKeys { matches });
    let refused = refusal(db.store.check_revoke_keys(of_both.clone(), at(1)).await);
    assert_eq!(refused, Refused::TooManyKeys { matches });
    let one =
        KeySelection { which: WhichKeys::Ids(vec![key_id(0)]), business_ids: vec![business("b0")] };
    revoke_keys(&db, one, 2).await.unwrap();
    assert_eq!(revoke_keys(&db, of_both, 3).await.unwrap().value.len(), BULK_MAX);
}

async fn the_last_operator_key_stays(db: Database) {
    for (number, scope) in [(1, OPERATE), (2, OPERATE), (3, VERIFY)] {
        let mut new = NewKey { business_id: BusinessId::keyward(), ..new_key(number) };
        new.settings.scopes = scopes([scope]);
        create(&db.store, new, at(0)).await;
    }
    let of_keyward = |numbers: &[u64]| KeySelection {
        business_ids: vec![BusinessId::keyward()],
        ..these(numbers)
    };
    for selection in [of_keyward(&[1, 2]), of_keyward(&[1, 2, 3])] {
        let refused = refusal(revoke_keys(&db, selection.clone(), 1).await);
        assert_eq!(refused, Refused::LastOperatorKey);
        let refused = refusal(db.store.check_revoke_keys(selection, at(1)).await);
        assert_eq!(refused, Refused::LastOperatorKey);
    }
    assert_eq!(revoke_keys(&db, of_keyward(&[1, 3]), 2).await.unwrap().value.len(), 2);
    let refused = refusal(revoke_keys(&db, of_keyward(&[1, 2]), 3).await);
    assert_eq!(refused, Refused::LastOperatorKey);
}

/// Asked in the change itself, whatever was asked before.
async fn an_advisor_needs_a_live_grant_of_each_business(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    let dana = Advisor { issuer: "https://login.example".to_owned(), subject: "dana".to_owned() };
    let by_dana = |second| Act {
        actor: Actor {
            caller: "key_1".to_owned(),
            user_issuer: dana.issuer.clone(),
            user_subject: dana.subject.clone(),
        },
        by_grant: true,
        ..act(at(second))
    };
    let revoke = async |selection, second| {
        let (reason, text) = (RevokeReason::Leaked, ReasonText::default());
        store.revoke_keys(selection, reason, text, by_dana(second)).await
    };
    store.grant_access(&acme(), &dana, act(at(1))).await.unwrap();
    let of_two = KeySelection { business_ids: vec![acme(), business("other")], ..these(&[1]) };
    assert_eq!(refusal(revoke(of_two, 2).await), Refused::AccessEnded);
    store.revoke_access(&acme(), &dana, false, act(at(3))).await.unwrap();
    assert_eq!(refusal(revoke(these(&[1]), 4).await), Refused::AccessEnded);
    assert_eq!(states(&db, &[1], 4).await, [State::Active]);
    store.grant_access(&acme(), &dana, act(at(5))).await.unwrap();
    assert_eq!(revoke(these(&[1]), 6).await.unwrap().value.len(), 1);
}

async fn a_look_beforehand_changes_nothing(db: Database) {
    let key = create(&db.store, new_key(1), at(0)).await;
    let before = db.store.revision().await.unwrap();
    assert_eq!(
        db.store.check_revoke_keys(these(&[1]), at(1)).await.unwrap(),
        std::slice::from_ref(&key)
    );
    assert_eq!(db.store.check_revoke_keys(named("a key"), at(1)).await.unwrap(), [key]);
    assert_eq!(db.store.revision().await.unwrap(), before);
}
