//! Service keys as callers: active until the moment of the change, and what they leave behind after it.

use apikey::{
    catalogue::AssignableBy,
    id::BusinessId,
    lifecycle::SuspendedBy,
    settings::{ReasonText, RevokeReason},
};
use keyward_store::{
    Store,
    access::Advisor,
    business::BusinessPatch,
    change::KeyChange,
    error::{ChangeError, Refused},
    record::{Act, Actor, Committed, KeyRecord, NewKey, RequestId, Revision, RevokedKey},
};
use tokio::task::JoinSet;

use crate::{bulk_revoke::these, database::Database, imports::imported, samples::*};

on_each_engine![
    no_change_is_made_for_a_caller_that_is_not_active,
    an_active_one_changes_whatever_it_may,
    what_it_leaves_behind_is_what_it_was_shown_last,
    a_customers_key_leaves_nothing_behind,
    no_key_is_made_after_the_answer_that_tells_what_is_left_behind,
];

fn service_key(number: u64) -> NewKey {
    NewKey { business_id: BusinessId::keyward(), ..new_key(number) }
}

/// What a service key does.
fn by(number: u64, second: i64) -> Act {
    Act { actor: Actor::workload(key_id(number).to_string()), ..act(at(second)) }
}

async fn make(store: &Store, new: NewKey, act: Act) -> Result<Committed<KeyRecord>, ChangeError> {
    let new = NewKey { creator: act.actor.clone(), ..new };
    store.create_key(new, AssignableBy::Operators, None, act).await
}

async fn change_service_key(store: &Store, number: u64, change: KeyChange, act: Act) {
    let target = target(&BusinessId::keyward(), key_id(number));
    store.change_key(target, change, None, act).await.unwrap();
}

async fn let_go(store: &Store, number: u64, second: i64) -> RevokedKey {
    let target = target(&BusinessId::keyward(), key_id(number));
    let text = ReasonText::default();
    store.revoke_key(target, RevokeReason::Leaked, text, act(at(second))).await.unwrap().value
}

/// Each change there is, by the caller of `act`, on a key that is there.
async fn each_change(store: &Store, number: u64, act: &Act) -> Vec<Result<Revision, ChangeError>> {
    fn revision<T>(changed: Result<Committed<T>, ChangeError>) -> Result<Revision, ChangeError> {
        changed.map(|Committed { revision, .. }| revision)
    }
    let act = || act.clone();
    let advisor = Advisor { issuer: "issuer".to_owned(), subject: "dana".to_owned() };
    let request = Some(RequestId { id: [7; 16], hash: [7; 32] });
    let target = || target(&acme(), key_id(1));
    let (reason, text) = (RevokeReason::Leaked, ReasonText::default());
    let new = new_key(number);
    vec![
        revision(store.create_key(new, AssignableBy::Operators, request, act()).await),
        revision(store.change_key(target(), rename("b"), None, act()).await),
        revision(store.change_key(target(), rotate(number + 1, None), None, act()).await),
        revision(store.update_business(&acme(), BusinessPatch::default(), None, act()).await),
        revision(store.update_scope(&scope("read"), scope_edit(), true, act()).await),
        revision(store.retire_scope(&scope("read"), true, act()).await),
        revision(store.grant_access(&acme(), &advisor, act()).await),
        revision(store.revoke_access(&acme(), &advisor, true, act()).await),
        revision(store.look_up(vec![digest(1)], act()).await),
        revision(store.import_keys(vec![imported(number + 2)], act()).await),
        revision(store.revoke_keys(these(&[1]), reason, text.clone(), act()).await),
        revision(store.revoke_key(target(), reason, text, act()).await),
    ]
}

/// Whatever authentication found when the call began: revoked, suspended, expired, no service key at all,
/// or never there.
async fn no_change_is_made_for_a_caller_that_is_not_active(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    for number in [11, 12] {
        create(store, service_key(number), at(0)).await;
    }
    create(store, NewKey { expire_time: Some(at(5)), ..service_key(13) }, at(0)).await;
    change_service_key(store, 11, revoke(), act(at(1))).await;
    change_service_key(store, 12, KeyChange::Suspend(SuspendedBy::Platform), act(at(1))).await;
    let before = store.revision().await.unwrap();
    for caller in [11, 12, 13, 1, 99] {
        for (change, refused) in
            each_change(store, 50, &by(caller, 5)).await.into_iter().enumerate()
        {
            assert_eq!(refusal(refused), Refused::CallerEnded, "{caller} {change}");
        }
    }
    assert_eq!(store.revision().await.unwrap(), before);
}

/// Or the test above would prove nothing.
async fn an_active_one_changes_whatever_it_may(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    create(store, service_key(11), at(0)).await;
    let request = RequestId { id: [7; 16], hash: [7; 32] };
    for (changed, revision) in each_change(store, 50, &by(11, 5)).await.into_iter().zip(3..) {
        assert_eq!(changed.unwrap(), Revision(revision));
    }
    store.repeat(acme(), request, by(11, 6)).await.unwrap();
    let_go(store, 11, 7).await;
    let repeated = store.repeat(acme(), request, by(11, 8)).await;
    assert_eq!(refusal(repeated), Refused::CallerEnded);
}

/// Made by it, or rotated by it last; live, and in the reserved business.
async fn what_it_leaves_behind_is_what_it_was_shown_last(db: Database) {
    let store = &db.store;
    for number in [11, 12] {
        create(store, service_key(number), at(0)).await;
    }
    // Made by 11, in another order than that of their ids.
    for (number, second) in [(22, 1), (21, 2), (23, 3), (24, 4)] {
        make(store, service_key(number), by(11, second)).await.unwrap();
    }
    make(store, new_key(25), by(11, 4)).await.unwrap();
    change_service_key(store, 23, revoke(), act(at(5))).await;
    // Made by 12; of these 11 rotates two, and one of them is then taken from it again.
    for number in [31, 32, 33] {
        make(store, service_key(number), by(12, 5)).await.unwrap();
    }
    change_service_key(store, 31, rotate(41, None), by(11, 6)).await;
    change_service_key(store, 32, rotate(42, None), by(11, 6)).await;
    change_service_key(store, 32, rotate(43, None), by(12, 7)).await;
    change_service_key(store, 33, rename("seen"), by(11, 8)).await;

    let RevokedKey { key, left_behind } = let_go(store, 11, 9).await;
    assert_eq!(key.lifecycle.revoke_time, Some(at(9)));
    assert_eq!(left_behind, [22, 21, 24, 31].map(key_id));
    // Again, for whoever lost the answer.
    change_service_key(store, 21, revoke(), act(at(10))).await;
    assert_eq!(let_go(store, 11, 11).await.left_behind, [22, 24, 31].map(key_id));
    assert_eq!(let_go(store, 12, 12).await.left_behind, [31, 32, 33].map(key_id));
}

/// Nobody acts by one, whatever its id is taken for.
async fn a_customers_key_leaves_nothing_behind(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    let made = NewKey { creator: by(1, 1).actor, ..service_key(11) };
    create(store, made, at(1)).await;
    let (reason, text) = (RevokeReason::Leaked, ReasonText::default());
    let target = target(&acme(), key_id(1));
    let revoked = store.revoke_key(target, reason, text, act(at(2))).await.unwrap().value;
    assert_eq!(revoked.left_behind, []);
}

/// A service key that makes others while it is revoked leaves none that nobody was told of.
async fn no_key_is_made_after_the_answer_that_tells_what_is_left_behind(db: Database) {
    create(&db.store, service_key(11), at(0)).await;
    let mut makers = JoinSet::new();
    for maker in 0..4 {
        let store = db.store.clone();
        makers.spawn(async move {
            let mut made = 0;
            for number in 0..20 {
                match make(&store, service_key(100 + maker * 20 + number), by(11, 1)).await {
                    Ok(_) => made += 1,
                    Err(error) => {
                        assert_eq!(refusal::<()>(Err(error)), Refused::CallerEnded);
                    }
                }
            }
            made
        });
    }
    let RevokedKey { left_behind, .. } = let_go(&db.store, 11, 2).await;
    let made: usize = makers.join_all().await.into_iter().sum();
    assert_eq!(left_behind.len(), made);
}
