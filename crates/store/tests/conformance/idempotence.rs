//! A request with an id may be repeated for a day, and is carried out once.

use apikey::catalogue::AssignableBy;
use keyward_store::{
    Store,
    audit::AuditQuery,
    change::KeyChange,
    error::{ChangeError, Refused},
    record::{Act, Actor, Committed, IDEMPOTENCE, KeyRecord, NewKey, RequestId, Revision},
};
use tokio::task::JoinSet;

use crate::{database::Database, samples::*};

on_each_engine![
    a_repeated_creation_makes_nothing,
    a_repeated_rotation_rotates_nothing,
    a_repetition_is_told_of_the_key_as_it_stands,
    another_request_of_the_same_id_is_refused,
    the_id_is_the_actors_and_the_businesss_own,
    a_refused_request_leaves_its_id_free,
    after_a_day_the_id_stands_for_nothing,
    repeated_all_at_once_it_makes_one_key,
];

/// The request of this number, asking for what `body` stands for.
fn request(number: u8, body: u8) -> Option<RequestId> {
    Some(RequestId { id: [number; 16], hash: [body; 32] })
}

/// As the server does: with a new id and a new secret each time.
async fn create_as(
    store: &Store,
    number: u64,
    request: Option<RequestId>,
    act: Act,
) -> Result<Committed<KeyRecord>, ChangeError> {
    store.create_key(new_key(number), AssignableBy::Users, request, act).await
}

async fn change_as(
    store: &Store,
    change: KeyChange,
    request: Option<RequestId>,
    act: Act,
) -> Result<Committed<KeyRecord>, ChangeError> {
    store.change_key(target(&acme(), key_id(1)), change, request, act).await
}

async fn events(store: &Store) -> usize {
    let query = AuditQuery { business_id: None, key_id: None, after: Revision(0), limit: 1_000 };
    store.list_audit_events(query).await.unwrap().len()
}

/// But it takes a place in the history: whoever repeats it waits for what was done.
async fn a_repeated_creation_makes_nothing(db: Database) {
    let store = &db.store;
    let first = create_as(store, 1, request(1, 1), act(at(0))).await.unwrap();
    assert!(!first.repeated);
    let held_before = held(store).await;
    let again = create_as(store, 2, request(1, 1), act(at(1))).await.unwrap();
    assert!(again.repeated);
    assert_eq!((again.revision, again.value), (Revision(2), first.value));
    assert_eq!(store.revision().await.unwrap(), Revision(2));
    assert_eq!(held(store).await, held_before);
    assert_eq!(store.get_key(&acme(), key_id(2)).await.unwrap(), None);
    assert_eq!(events(store).await, 1);
    // Replicas are told of no change.
    let changes = store.changes_after(Revision(1)).await.unwrap();
    assert_eq!(
        (changes.through, changes.secrets, changes.businesses),
        (Revision(2), vec![], vec![])
    );
    // Without an id, or with another one, it is another request.
    assert!(!create_as(store, 3, None, act(at(1))).await.unwrap().repeated);
    assert!(!create_as(store, 4, request(2, 1), act(at(1))).await.unwrap().repeated);
}

async fn a_repeated_rotation_rotates_nothing(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    let first = change_as(store, rotate(2, None), request(1, 1), act(at(1))).await.unwrap();
    let held_before = held(store).await;
    let again = change_as(store, rotate(3, None), request(1, 1), act(at(2))).await.unwrap();
    assert!(again.repeated && !first.repeated);
    assert_eq!((again.revision, again.value), (Revision(3), first.value));
    assert_eq!(held(store).await, held_before);
    assert_eq!(events(store).await, 2);
}

/// It may have changed since, and even have ended; its etag may be none that was asked for.
async fn a_repetition_is_told_of_the_key_as_it_stands(db: Database) {
    let store = &db.store;
    let made = create_as(store, 1, request(1, 1), act(at(0))).await.unwrap().value;
    let rotation = || {
        let target = keyward_store::record::KeyTarget {
            etag: Some(made.etag()),
            ..target(&acme(), key_id(1))
        };
        store.change_key(target, rotate(2, None), request(2, 2), act(at(1)))
    };
    rotation().await.unwrap();
    let revoked = change(store, 1, revoke(), at(2)).await.unwrap().value;
    let again = create_as(store, 3, request(1, 1), act(at(3))).await.unwrap();
    assert_eq!((again.repeated, &again.value), (true, &revoked));
    let again = rotation().await.unwrap();
    assert_eq!((again.repeated, &again.value), (true, &revoked));
}

async fn another_request_of_the_same_id_is_refused(db: Database) {
    let store = &db.store;
    create_as(store, 1, request(1, 1), act(at(0))).await.unwrap();
    let other = create_as(store, 2, request(1, 2), act(at(1))).await;
    assert_eq!(refusal(other), Refused::RequestIdReused);
    let rotation = change_as(store, rotate(2, None), request(1, 2), act(at(1))).await;
    assert_eq!(refusal(rotation), Refused::RequestIdReused);
    assert_eq!(store.revision().await.unwrap(), Revision(1));
    assert_eq!((held(store).await.len(), events(store).await), (1, 1));
}

/// Others cannot find out, or take away, what somebody's id stands for.
async fn the_id_is_the_actors_and_the_businesss_own(db: Database) {
    let store = &db.store;
    let actor = |caller: &str, issuer: &str, subject: &str| Act {
        actor: Actor {
            caller: caller.to_owned(),
            user_issuer: issuer.to_owned(),
            user_subject: subject.to_owned(),
        },
        ..act(at(0))
    };
    let actors = [("a", "", ""), ("b", "", ""), ("a", "i", "s"), ("a", "j", "s"), ("a", "i", "t")];
    for (number, (caller, issuer, subject)) in (1..).zip(actors) {
        let by = || actor(caller, issuer, subject);
        let made = create_as(store, number, request(1, 1), by()).await.unwrap();
        assert!(!made.repeated, "{caller} {issuer} {subject}");
        let again = create_as(store, 100 + number, request(1, 1), by()).await.unwrap();
        assert_eq!((again.repeated, again.value), (true, made.value));
    }
    let elsewhere = NewKey { business_id: business("other"), ..new_key(10) };
    let by = actor("a", "", "");
    let made = store.create_key(elsewhere, AssignableBy::Users, request(1, 2), by).await;
    assert!(!made.unwrap().repeated);
}

async fn a_refused_request_leaves_its_id_free(db: Database) {
    let store = &db.store;
    let mut unknown = new_key(1);
    unknown.settings.scopes = scopes(["unheard.of"]);
    refusal(store.create_key(unknown, AssignableBy::Users, request(1, 1), act(at(0))).await);
    assert!(!create_as(store, 1, request(1, 2), act(at(0))).await.unwrap().repeated);
}

/// Up to the last microsecond it does, and then it may even stand for something else.
async fn after_a_day_the_id_stands_for_nothing(db: Database) {
    let store = &db.store;
    let first = create_as(store, 1, request(1, 1), act(at(0))).await.unwrap().value;
    create_as(store, 9, request(9, 9), act(at(1))).await.unwrap();
    let end = at(0).saturating_add(IDEMPOTENCE);
    let just_before = end.saturating_sub(std::time::Duration::from_micros(1));
    let again = create_as(store, 2, request(1, 1), act(just_before)).await.unwrap();
    assert_eq!((again.repeated, again.value), (true, first));
    let other = create_as(store, 2, request(1, 2), act(just_before)).await;
    assert_eq!(refusal(other), Refused::RequestIdReused);

    let next = create_as(store, 2, request(1, 2), act(end)).await.unwrap();
    assert_eq!((next.repeated, next.value.key_id), (false, key_id(2)));
    // What is over is no longer kept; the other one's day is not.
    let kept = db.lines("select cast(count(*) as text) as line from idempotent_requests");
    assert_eq!(kept, ["2"]);
}

/// From several processes, as a load balancer spreads a client's impatience.
async fn repeated_all_at_once_it_makes_one_key(db: Database) {
    const CALLS: u64 = 16;
    let mut calls = JoinSet::new();
    for (store, number) in [db.store.clone(), db.other_store()].into_iter().cycle().zip(1..=CALLS) {
        calls.spawn(
            async move { create_as(&store, number, request(1, 1), act(at(0))).await.unwrap() },
        );
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert!(answers.iter().all(|answer| answer.value == answers[0].value));
    assert_eq!((held(&db.store).await.len(), events(&db.store).await), (1, 1));
    assert_eq!(db.store.revision().await.unwrap(), Revision(i64::try_from(CALLS).unwrap()));
}
