//! Advisors' grants: given once, ended for good, and asked for with each call.

use apikey::{catalogue::AssignableBy, id::BusinessId, settings::RevokeReason};
use keyward_store::{
    Store,
    access::{AccessGrant, AccessPosition, AccessQuery, Advisor, EndedAccess},
    audit::{AuditAction, AuditEvent, AuditQuery},
    error::{ChangeError, Refused},
    record::{Act, Actor, Committed, KeyRecord, NewKey, Revision},
};
use tokio::task::JoinSet;

use crate::{database::Database, samples::*};

on_each_engine![
    a_grant_is_live_until_it_ends,
    granting_again_keeps_the_live_grant,
    ending_again_answers_with_the_grant_that_was_live_last,
    what_was_never_granted_cannot_end,
    an_advisor_is_issuer_and_subject_together,
    the_reserved_business_takes_no_grant,
    a_grant_mentions_its_business,
    the_keys_that_the_advisor_made_are_told_and_stay,
    the_keys_that_the_advisor_rotated_last_are_told_too,
    the_keys_that_the_advisor_made_are_revoked_with_the_grant,
    each_act_leaves_its_events,
    a_change_by_grant_needs_it_to_be_live,
    no_key_is_made_after_the_answer_that_tells_of_all,
    live_ones_come_first_then_the_newest_in_pages,
    an_advisors_businesses_are_sorted_in_pages,
    access_is_to_all_of_the_businesses_or_to_none,
];

const ISSUER: &str = "https://login.example";

fn advisor(subject: &str) -> Advisor {
    Advisor { issuer: ISSUER.to_owned(), subject: subject.to_owned() }
}

/// What an advisor does.
fn by(subject: &str, second: i64) -> Act {
    let actor = Actor {
        caller: "key_1".to_owned(),
        user_issuer: ISSUER.to_owned(),
        user_subject: subject.to_owned(),
    };
    Act { actor, by_grant: true, ..act(at(second)) }
}

async fn grant(store: &Store, name: &str, subject: &str, second: i64) -> AccessGrant {
    let granted = store.grant_access(&business(name), &advisor(subject), act(at(second))).await;
    granted.unwrap().value
}

async fn end(store: &Store, name: &str, subject: &str, second: i64) -> EndedAccess {
    let (name, subject) = (business(name), advisor(subject));
    store.revoke_access(&name, &subject, false, act(at(second))).await.unwrap().value
}

async fn has(store: &Store, subject: &str, names: &[&str]) -> bool {
    let names: Vec<BusinessId> = names.iter().map(|name| business(name)).collect();
    store.has_access(&advisor(subject), &names).await.unwrap()
}

async fn make(store: &Store, new: NewKey, act: Act) -> Result<Committed<KeyRecord>, ChangeError> {
    let new = NewKey { creator: act.actor.clone(), ..new };
    store.create_key(new, AssignableBy::Users, None, act).await
}

async fn a_grant_is_live_until_it_ends(db: Database) {
    let store = &db.store;
    assert!(!has(store, "dana", &["acme"]).await);
    let granted = store.grant_access(&acme(), &advisor("dana"), by("boss", 1)).await.unwrap();
    let expected = AccessGrant {
        business_id: acme(),
        advisor: advisor("dana"),
        revision: Revision(1),
        grant_time: at(1),
        end_time: None,
        granted_by: by("boss", 1).actor,
    };
    assert_eq!((granted.revision, granted.value), (Revision(1), expected.clone()));
    assert!(has(store, "dana", &["acme"]).await);

    let ended = end(store, "acme", "dana", 2).await;
    let expected = AccessGrant { end_time: Some(at(2)), ..expected };
    assert_eq!(ended, EndedAccess { grant: expected, keys: vec![] });
    assert!(!has(store, "dana", &["acme"]).await);

    // A new one, beside the history of the first.
    let again = grant(store, "acme", "dana", 3).await;
    assert_eq!((again.revision, again.grant_time, again.end_time), (Revision(3), at(3), None));
    assert!(has(store, "dana", &["acme"]).await);
}

async fn granting_again_keeps_the_live_grant(db: Database) {
    let first = grant(&db.store, "acme", "dana", 1).await;
    let again = db.store.grant_access(&acme(), &advisor("dana"), by("another", 2)).await.unwrap();
    assert_eq!((again.revision, again.value), (Revision(2), first));
}

async fn ending_again_answers_with_the_grant_that_was_live_last(db: Database) {
    let store = &db.store;
    for second in [1, 3] {
        grant(store, "acme", "dana", second).await;
        end(store, "acme", "dana", second + 1).await;
    }
    let again = end(store, "acme", "dana", 9).await.grant;
    assert_eq!((again.grant_time, again.end_time), (at(3), Some(at(4))));
}

/// A name that was mistaken for another must not look like an access that ended.
async fn what_was_never_granted_cannot_end(db: Database) {
    let store = &db.store;
    grant(store, "acme", "dana", 1).await;
    for (name, subject) in [("acme", "Dana"), ("other", "dana")] {
        let (name, subject) = (business(name), advisor(subject));
        let ended = store.revoke_access(&name, &subject, true, act(at(2))).await;
        assert_eq!(refusal(ended), Refused::GrantNotFound);
    }
    assert!(has(store, "dana", &["acme"]).await);
    assert_eq!(store.get_business(&business("other"), at(2)).await.unwrap(), None);
}

async fn an_advisor_is_issuer_and_subject_together(db: Database) {
    let store = &db.store;
    let namesake = Advisor { issuer: "https://other.example".to_owned(), ..advisor("dana") };
    grant(store, "acme", "dana", 1).await;
    assert!(!store.has_access(&namesake, &[acme()]).await.unwrap());
    assert_eq!(store.businesses_of(&namesake, None, 9).await.unwrap(), []);
    let ended = store.revoke_access(&acme(), &namesake, false, act(at(2))).await;
    assert_eq!(refusal(ended), Refused::GrantNotFound);
    store.grant_access(&acme(), &namesake, act(at(3))).await.unwrap();
    end(store, "acme", "dana", 4).await;
    assert!(store.has_access(&namesake, &[acme()]).await.unwrap());
}

async fn the_reserved_business_takes_no_grant(db: Database) {
    let granted = db.store.grant_access(&BusinessId::keyward(), &advisor("dana"), act(at(1))).await;
    let fault = granted.unwrap_err().to_string();
    assert!(fault.contains("business_id"), "{fault}");
    assert_eq!(db.store.businesses_of(&advisor("dana"), None, 9).await.unwrap(), []);
}

async fn a_grant_mentions_its_business(db: Database) {
    grant(&db.store, "acme", "dana", 1).await;
    let mentioned = db.store.get_business(&acme(), at(2)).await.unwrap().unwrap();
    assert_eq!((mentioned.create_time, mentioned.live_keys), (at(1), 0));
}

/// Two live keys of the advisor's, a revoked and an expired one, one of another business, and those of
/// others in the same business.
async fn keys_of_several(store: &Store) -> [KeyRecord; 2] {
    grant(store, "acme", "dana", 0).await;
    grant(store, "other", "dana", 0).await;
    let suspended = make(store, new_key(1), by("dana", 1)).await.unwrap().value;
    let live = make(store, new_key(2), by("dana", 2)).await.unwrap().value;
    make(store, new_key(3), by("dana", 3)).await.unwrap();
    change(store, 3, revoke(), at(4)).await.unwrap();
    let expires = NewKey { expire_time: Some(at(9)), ..new_key(4) };
    make(store, expires, by("dana", 5)).await.unwrap();
    let elsewhere = NewKey { business_id: business("other"), ..new_key(5) };
    make(store, elsewhere, by("dana", 6)).await.unwrap();
    create(store, new_key(6), at(6)).await;
    make(store, new_key(7), Act { by_grant: false, ..by("nina", 6) }).await.unwrap();
    [suspended, live]
}

async fn the_keys_that_the_advisor_made_are_told_and_stay(db: Database) {
    let made = keys_of_several(&db.store).await;
    for second in [9, 10] {
        assert_eq!(end(&db.store, "acme", "dana", second).await.keys, made);
    }
    assert_eq!(get(&db.store, 1).await, made[0]);
}

/// The advisor knows their secrets, whoever made them, until somebody rotates them again.
async fn the_keys_that_the_advisor_rotated_last_are_told_too(db: Database) {
    let store = &db.store;
    grant(store, "acme", "dana", 0).await;
    for number in 1..=3 {
        create(store, new_key(number), at(1)).await;
    }
    let rotated = |number, second| {
        let act = by("dana", second);
        store.change_key(target(&acme(), key_id(number)), rotate(number + 10, None), None, act)
    };
    rotated(1, 2).await.unwrap();
    let known = rotated(2, 2).await.unwrap().value;
    change(store, 1, rotate(21, None), at(3)).await.unwrap();
    change(store, 3, rename("seen"), at(3)).await.unwrap();
    assert_eq!(end(store, "acme", "dana", 4).await.keys, [known]);
    let ended = store.revoke_access(&acme(), &advisor("dana"), true, act(at(5))).await.unwrap();
    assert_eq!(ended.value.keys.len(), 1);
    assert_eq!(get(store, 2).await.lifecycle.revoke_time, Some(at(5)));
    for number in [1, 3] {
        assert_eq!(get(store, number).await.lifecycle.revoke_time, None);
    }
}

/// Also where the access had ended before; and nobody else's.
async fn the_keys_that_the_advisor_made_are_revoked_with_the_grant(db: Database) {
    let store = &db.store;
    let made = keys_of_several(store).await;
    end(store, "acme", "dana", 9).await;
    let before = store.revision().await.unwrap();
    let ended = store.revoke_access(&acme(), &advisor("dana"), true, act(at(10))).await.unwrap();
    assert_eq!(ended.value.keys.len(), 2);
    for (revoked, made) in ended.value.keys.iter().zip(&made) {
        assert_eq!(revoked.key_id, made.key_id);
        assert_eq!(revoked.lifecycle.revoke_time, Some(at(10)));
        assert_eq!(revoked.revocation.as_ref().unwrap().0, RevokeReason::OwnerLeft);
        assert_eq!(revoked.revision, ended.revision);
        assert_eq!(store.get_key(&acme(), made.key_id).await.unwrap().as_ref(), Some(revoked));
    }
    let changes = store.changes_after(before).await.unwrap();
    assert_eq!((changes.through, changes.secrets.len()), (ended.revision, 2));
    for number in [6, 7] {
        assert_eq!(get(store, number).await.lifecycle.revoke_time, None);
    }
    assert!(has(store, "dana", &["other"]).await);
    let again = store.revoke_access(&acme(), &advisor("dana"), true, act(at(11))).await.unwrap();
    assert_eq!(again.value.keys, []);
}

async fn each_act_leaves_its_events(db: Database) {
    let store = &db.store;
    keys_of_several(store).await;
    let after = store.revision().await.unwrap();
    grant(store, "acme", "nina", 7).await;
    let revoked = store.revoke_access(&acme(), &advisor("dana"), true, act(at(10))).await.unwrap();
    end(store, "acme", "dana", 11).await;
    let query = AuditQuery { business_id: Some(acme()), key_id: None, after, limit: 100 };
    let told = store.list_audit_events(query).await.unwrap();

    let of_access = |offset, action, subject, second| AuditEvent {
        revision: Revision(after.0 + offset),
        act: act(at(second)),
        action,
        business_id: Some(acme()),
        key_id: None,
        scope: None,
        advisor: Some(advisor(subject)),
        key_before: None,
        key_after: None,
    };
    let of_key = |told: &AuditEvent, key: &KeyRecord| {
        let expected = AuditEvent {
            key_id: Some(key.key_id),
            advisor: None,
            key_before: told.key_before.clone(),
            key_after: Some(key.clone()),
            ..of_access(2, AuditAction::RevokeKey, "", 10)
        };
        assert_eq!(*told, expected);
        assert_eq!(told.key_before.as_ref().unwrap().lifecycle.revoke_time, None);
    };
    assert_eq!(told[0], of_access(1, AuditAction::GrantAccess, "nina", 7));
    assert_eq!(told[1], of_access(2, AuditAction::RevokeAccess, "dana", 10));
    for (told, key) in told[2..4].iter().zip(&revoked.value.keys) {
        of_key(told, key);
    }
    assert_eq!(told[4..], [of_access(3, AuditAction::RevokeAccess, "dana", 11)]);
}

/// Whatever was asked before the change took its place.
async fn a_change_by_grant_needs_it_to_be_live(db: Database) {
    let store = &db.store;
    let refused = make(store, new_key(1), by("dana", 0)).await;
    assert_eq!(refusal(refused), Refused::AccessEnded);
    grant(store, "acme", "dana", 1).await;
    make(store, new_key(1), by("dana", 2)).await.unwrap();
    let rename = || store.change_key(target(&acme(), key_id(1)), rename("b"), None, by("dana", 3));
    rename().await.unwrap();
    let elsewhere = NewKey { business_id: business("other"), ..new_key(2) };
    assert_eq!(refusal(make(store, elsewhere, by("dana", 3)).await), Refused::AccessEnded);

    end(store, "acme", "dana", 4).await;
    let before = store.revision().await.unwrap();
    assert_eq!(refusal(make(store, new_key(2), by("dana", 5)).await), Refused::AccessEnded);
    assert_eq!(refusal(rename().await), Refused::AccessEnded);
    assert_eq!(store.revision().await.unwrap(), before);
}

/// An advisor who makes keys while the access ends leaves none that nobody was told of.
async fn no_key_is_made_after_the_answer_that_tells_of_all(db: Database) {
    grant(&db.store, "acme", "dana", 0).await;
    let mut makers = JoinSet::new();
    for maker in 0..4 {
        let store = db.store.clone();
        makers.spawn(async move {
            let mut made = 0;
            for number in 0..20 {
                match make(&store, new_key(1 + maker * 20 + number), by("dana", 1)).await {
                    Ok(_) => made += 1,
                    Err(error) => {
                        assert_eq!(refusal::<()>(Err(error)), Refused::AccessEnded);
                    }
                }
            }
            made
        });
    }
    let ended = db.store.revoke_access(&acme(), &advisor("dana"), true, act(at(2))).await.unwrap();
    let made: usize = makers.join_all().await.into_iter().sum();
    assert_eq!(ended.value.keys.len(), made);
}

async fn list(
    store: &Store,
    include_ended: bool,
    after: Option<AccessPosition>,
    limit: i64,
) -> Vec<AccessGrant> {
    let query = AccessQuery { business_id: acme(), include_ended, after, limit };
    store.list_access(query).await.unwrap()
}

async fn live_ones_come_first_then_the_newest_in_pages(db: Database) {
    let store = &db.store;
    assert_eq!(list(store, true, None, 9).await, []);
    for (subject, second) in ["a", "b", "c", "d", "e"].into_iter().zip(0..) {
        grant(store, "acme", subject, second).await;
    }
    grant(store, "other", "a", 9).await;
    for subject in ["a", "d", "b"] {
        end(store, "acme", subject, 10).await;
    }
    grant(store, "acme", "a", 11).await;
    for (include_ended, expected) in
        [(false, &["a11", "e4", "c2"][..]), (true, &["a11", "e4", "c2", "d3", "b1", "a0"])]
    {
        for limit in 1..=7 {
            let (mut told, mut after) = (Vec::new(), None);
            loop {
                let page = list(store, include_ended, after, limit).await;
                let Some(last) = page.last() else { break };
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let (ended, revision) = (last.end_time.is_some(), last.revision);
                after = Some(AccessPosition { ended, revision });
                told.extend(page);
            }
            let told: Vec<String> = told
                .iter()
                .map(|grant| {
                    let seconds = (grant.grant_time.as_micros() - at(0).as_micros()) / 1_000_000;
                    format!("{}{seconds}", grant.advisor.subject)
                })
                .collect();
            assert_eq!(told, expected, "{include_ended} {limit}");
        }
    }
}

async fn an_advisors_businesses_are_sorted_in_pages(db: Database) {
    let store = &db.store;
    for name in ["b", "a.b", "B", "a-b", "a", "10", "9", "_"] {
        grant(store, name, "dana", 0).await;
    }
    grant(store, "c", "nina", 0).await;
    grant(store, "ended", "dana", 0).await;
    end(store, "ended", "dana", 1).await;
    for limit in [1, 3, 8, 9] {
        let mut names: Vec<BusinessId> = Vec::new();
        loop {
            let after = names.last().cloned();
            let page = store.businesses_of(&advisor("dana"), after, limit).await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= usize::try_from(limit).unwrap());
            names.extend(page);
        }
        assert_eq!(names, ["10", "9", "B", "_", "a", "a-b", "a.b", "b"].map(business), "{limit}");
    }
}

async fn access_is_to_all_of_the_businesses_or_to_none(db: Database) {
    let store = &db.store;
    for name in ["a", "b", "c", "ended"] {
        grant(store, name, "dana", 0).await;
    }
    grant(store, "theirs", "nina", 0).await;
    end(store, "ended", "dana", 1).await;
    for (names, expected) in [
        (&["a"][..], true),
        (&["a", "b", "c"], true),
        (&["c", "a", "c", "a"], true),
        (&["a", "b", "missing"], false),
        (&["a", "b", "theirs"], false),
        (&["a", "b", "ended"], false),
        (&["A"], false),
    ] {
        assert_eq!(has(store, "dana", names).await, expected, "{names:?}");
    }
}
