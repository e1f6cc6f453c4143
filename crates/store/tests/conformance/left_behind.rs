//! What whoever is let go leaves behind: told whole, and revoked with an advisor's grant if that is asked.

use apikey::settings::{ReasonText, RevokeReason};
use keyward_store::{
    Store,
    audit::{AuditAction, AuditEvent, AuditQuery},
    error::Refused,
    record::{Act, KeyRecord, NewKey, Revision, RevokedKey},
};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    access::{advisor, by as by_advisor, end, grant, has, make},
    callers::{by as by_service_key, change_service_key, let_go, service_key},
    database::Database,
    samples::*,
};

on_each_engine![
    the_keys_that_the_advisor_made_are_told_and_stay,
    the_keys_that_the_advisor_rotated_last_are_told_too,
    the_keys_that_the_advisor_made_are_revoked_with_the_grant,
    each_act_leaves_its_events,
    no_key_is_made_after_the_answer_to_an_ended_access,
    a_service_key_leaves_what_it_was_ever_shown,
    what_it_leaves_behind_leaves_more,
    a_customers_key_leaves_nothing_behind,
    no_key_is_made_after_the_answer_to_a_revoked_service_key,
];

/// Two live keys of the advisor's, a revoked and an expired one, one of another business, and those of
/// others in the same business.
async fn keys_of_several(store: &Store) -> [KeyRecord; 2] {
    grant(store, "acme", "dana", 0).await;
    grant(store, "other", "dana", 0).await;
    let suspended = make(store, new_key(1), by_advisor("dana", 1)).await.unwrap().value;
    let live = make(store, new_key(2), by_advisor("dana", 2)).await.unwrap().value;
    make(store, new_key(3), by_advisor("dana", 3)).await.unwrap();
    change(store, 3, revoke(), at(4)).await.unwrap();
    let expires = NewKey { expire_time: Some(at(9)), ..new_key(4) };
    make(store, expires, by_advisor("dana", 5)).await.unwrap();
    let elsewhere = NewKey { business_id: business("other"), ..new_key(5) };
    make(store, elsewhere, by_advisor("dana", 6)).await.unwrap();
    create(store, new_key(6), at(6)).await;
    make(store, new_key(7), Act { by_grant: false, ..by_advisor("nina", 6) }).await.unwrap();
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
        let act = by_advisor("dana", second);
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

/// Four make keys until they are refused, and some are made before the one they make them by is let go:
/// what is told then is all that there will ever be.
async fn makers_are_told_whole(
    store: &Store,
    new: fn(u64) -> NewKey,
    act: Act,
    refused: Refused,
    let_go: impl Future<Output = usize>,
) {
    let mut makers = JoinSet::new();
    let (tell, mut made) = mpsc::unbounded_channel();
    for maker in 1..=4 {
        let (store, act, refused, tell) =
            (store.clone(), act.clone(), refused.clone(), tell.clone());
        makers.spawn(async move {
            for made in 0..10_000 {
                match make(&store, new(maker * 10_000 + made), act.clone()).await {
                    Ok(_) => tell.send(()).unwrap(),
                    Err(error) => {
                        assert_eq!(refusal::<()>(Err(error)), refused);
                        return;
                    }
                }
            }
            panic!("never refused");
        });
    }
    drop(tell);
    made.recv().await.unwrap();
    let told = let_go.await;
    makers.join_all().await;
    let mut all = 1;
    while made.recv().await.is_some() {
        all += 1;
    }
    assert_eq!(told, all);
}

/// An advisor who makes keys while the access ends leaves none that nobody was told of.
async fn no_key_is_made_after_the_answer_to_an_ended_access(db: Database) {
    grant(&db.store, "acme", "dana", 0).await;
    db.execute("update businesses set key_limit = 100000").unwrap();
    let let_go = async {
        let ended = db.store.revoke_access(&acme(), &advisor("dana"), true, act(at(2))).await;
        ended.unwrap().value.keys.len()
    };
    let act = by_advisor("dana", 1);
    makers_are_told_whole(&db.store, new_key, act, Refused::AccessEnded, let_go).await;
}

/// Nor does a service key that makes others while it is revoked.
async fn no_key_is_made_after_the_answer_to_a_revoked_service_key(db: Database) {
    create(&db.store, service_key(11), at(0)).await;
    db.execute("update businesses set key_limit = 100000").unwrap();
    let admitted_at = db.store.revision().await.unwrap();
    let let_go = async { let_go(&db.store, 11, 2).await.left_behind.len() };
    let act = by_service_key(11, admitted_at, 1);
    makers_are_told_whole(&db.store, service_key, act, Refused::CallerChanged, let_go).await;
}

/// What a service key does that was admitted at last.
async fn service_key_act(store: &Store, number: u64, second: i64) -> Act {
    by_service_key(number, store.revision().await.unwrap(), second)
}

async fn make_by(store: &Store, number: u64, maker: u64, second: i64) {
    let act = service_key_act(store, maker, second).await;
    make(store, service_key(number), act).await.unwrap();
}

async fn rotate_by(store: &Store, number: u64, secret: u64, rotator: u64, second: i64) {
    let act = service_key_act(store, rotator, second).await;
    change_service_key(store, number, rotate(secret, None), act).await;
}

/// Made or rotated by it; live, and in the reserved business. Its own rotation leaves it itself.
async fn a_service_key_leaves_what_it_was_ever_shown(db: Database) {
    let store = &db.store;
    for number in [11, 12] {
        create(store, service_key(number), at(0)).await;
    }
    rotate_by(store, 11, 51, 11, 1).await;
    // In another order than that of their ids.
    for (number, second) in [(22, 1), (21, 2), (23, 3), (24, 4)] {
        make_by(store, number, 11, second).await;
    }
    let elsewhere = service_key_act(store, 11, 4).await;
    make(store, new_key(25), elsewhere).await.unwrap();
    change_service_key(store, 23, revoke(), act(at(5))).await;
    for number in [31, 32, 33] {
        make_by(store, number, 12, 5).await;
    }
    rotate_by(store, 31, 41, 11, 6).await;
    // What another rotated since is told all the same: who did that may be the same thief.
    rotate_by(store, 32, 42, 11, 6).await;
    rotate_by(store, 32, 43, 32, 7).await;
    let seen = service_key_act(store, 11, 8).await;
    change_service_key(store, 33, rename("seen"), seen).await;

    let RevokedKey { key, left_behind } = let_go(store, 11, 9).await;
    assert_eq!(key.lifecycle.revoke_time, Some(at(9)));
    assert_eq!(left_behind, [22, 21, 24, 31, 32].map(key_id));
    // Again, for whoever lost the answer.
    change_service_key(store, 21, revoke(), act(at(10))).await;
    assert_eq!(let_go(store, 11, 11).await.left_behind, [22, 24, 31, 32].map(key_id));
    assert_eq!(let_go(store, 12, 12).await.left_behind, [31, 32, 33].map(key_id));
}

/// Through keys that are dead by now, too: their secrets were known while they lived.
async fn what_it_leaves_behind_leaves_more(db: Database) {
    let store = &db.store;
    for number in [11, 12] {
        create(store, service_key(number), at(0)).await;
    }
    rotate_by(store, 12, 42, 11, 1).await;
    make_by(store, 13, 12, 2).await;
    make_by(store, 14, 13, 3).await;
    for number in [12, 13] {
        change_service_key(store, number, revoke(), act(at(4))).await;
    }
    assert_eq!(let_go(store, 11, 5).await.left_behind, [key_id(14)]);
}

/// Nobody acts by one, whatever its id is taken for.
async fn a_customers_key_leaves_nothing_behind(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    let creator = by_service_key(1, Revision(1), 1).actor;
    create(store, NewKey { creator, ..service_key(11) }, at(1)).await;
    let (reason, text) = (RevokeReason::Leaked, ReasonText::default());
    let target = target(&acme(), key_id(1));
    let revoked = store.revoke_key(target, reason, text, act(at(2))).await.unwrap().value;
    assert_eq!(revoked.left_behind, []);
}
