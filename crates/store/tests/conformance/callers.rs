//! Service keys as callers: a change is made only if they are as they were when the call was admitted.

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
    record::{Act, Actor, Committed, NewKey, RequestId, Revision, RevokedKey},
};

use crate::{bulk_revoke::these, database::Database, imports::imported, samples::*};

on_each_engine![
    no_change_is_made_for_a_caller_that_has_changed,
    nor_for_one_that_is_no_service_key,
    nor_while_the_reserved_business_is_suspended,
    an_unchanged_one_changes_whatever_it_may,
];

pub(crate) fn service_key(number: u64) -> NewKey {
    NewKey { business_id: BusinessId::keyward(), ..new_key(number) }
}

/// What a service key does that was admitted at a revision.
pub(crate) fn by(number: u64, admitted_at: Revision, second: i64) -> Act {
    let actor = Actor::workload(key_id(number).to_string());
    Act { actor, admitted_at: Some(admitted_at), ..act(at(second)) }
}

pub(crate) async fn change_service_key(store: &Store, number: u64, change: KeyChange, act: Act) {
    let target = target(&BusinessId::keyward(), key_id(number));
    store.change_key(target, change, None, act).await.unwrap();
}

pub(crate) async fn let_go(store: &Store, number: u64, second: i64) -> RevokedKey {
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

async fn refuses_each(store: &Store, act: Act) {
    let before = store.revision().await.unwrap();
    for (change, refused) in each_change(store, 50, &act).await.into_iter().enumerate() {
        assert_eq!(refusal(refused), Refused::CallerChanged, "{act:?} {change}");
    }
    assert_eq!(store.revision().await.unwrap(), before);
}

/// Whatever authentication found when the call began: it may be revoked or suspended by now, have another
/// secret, or may less. As it is by now it may come again.
async fn no_change_is_made_for_a_caller_that_has_changed(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    for (number, change) in [
        (11, revoke()),
        (12, KeyChange::Suspend(SuspendedBy::Platform)),
        (13, rotate(33, None)),
        (14, rescope([])),
    ] {
        let mut new = service_key(number);
        new.settings.scopes = scopes(["keyward.manage"]);
        create(store, new, at(0)).await;
        let admitted_at = store.revision().await.unwrap();
        change_service_key(store, number, change, act(at(1))).await;
        refuses_each(store, by(number, admitted_at, 2)).await;
        let admitted_at = store.revision().await.unwrap();
        store
            .update_business(&acme(), BusinessPatch::default(), None, by(number, admitted_at, 3))
            .await
            .unwrap();
    }
}

async fn nor_for_one_that_is_no_service_key(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    let now = store.revision().await.unwrap();
    let nobody = Act { actor: Actor::workload("nobody"), ..by(1, now, 1) };
    for act in [by(1, now, 1), by(99, now, 1), nobody] {
        refuses_each(store, act).await;
    }
}

async fn nor_while_the_reserved_business_is_suspended(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    create(store, service_key(11), at(0)).await;
    let admitted_at = store.revision().await.unwrap();
    let suspend = BusinessPatch { suspended: Some(true), ..BusinessPatch::default() };
    store.update_business(&BusinessId::keyward(), suspend, None, act(at(1))).await.unwrap();
    refuses_each(store, by(11, admitted_at, 2)).await;
}

/// Or the tests above would prove nothing.
async fn an_unchanged_one_changes_whatever_it_may(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    create(store, service_key(11), at(0)).await;
    let admitted_at = store.revision().await.unwrap();
    let request = RequestId { id: [7; 16], hash: [7; 32] };
    let act = |second| by(11, admitted_at, second);
    for (changed, revision) in each_change(store, 50, &act(5)).await.into_iter().zip(3..) {
        assert_eq!(changed.unwrap(), Revision(revision));
    }
    store.repeat(acme(), request, act(6)).await.unwrap();
    let_go(store, 11, 7).await;
    assert_eq!(refusal(store.repeat(acme(), request, act(8)).await), Refused::CallerChanged);
}
