//! Somebody can always act as the platform: the last key that may is neither revoked nor suspended
//! nor stripped of the scope.

use apikey::{
    clock::Timestamp,
    id::BusinessId,
    lifecycle::SuspendedBy,
    scope::built_in::{OPERATE, VERIFY},
};
use keyward_store::{
    change::KeyChange,
    error::{ChangeError, Refused},
    record::{Committed, KeyRecord, NewKey},
};

use crate::{database::Database, samples::*};

on_each_engine![
    the_last_operator_key_stays,
    another_one_that_is_not_in_force_does_not_help,
    another_one_in_force_sets_it_free,
    other_changes_of_the_last_one_go_through,
    the_last_one_that_lasts_is_not_made_to_expire,
];

const LAST: Refused = Refused::LastOperatorKey;
const SUSPEND: KeyChange = KeyChange::Suspend(SuspendedBy::Platform);

async fn the_last_operator_key_stays(db: Database) {
    let before = create(&db.store, operator(1), at(0)).await;
    // These are no operators: another scope, another business.
    let mut verifier = operator(2);
    verifier.settings.scopes = scopes([VERIFY]);
    create(&db.store, verifier, at(0)).await;
    catalogue(&db.store, OPERATE, scope_edit()).await;
    create(&db.store, NewKey { business_id: acme(), ..operator(3) }, at(0)).await;

    for ending in [revoke(), SUSPEND, rescope([VERIFY])] {
        assert_eq!(refusal(change_of_keyward(&db, 1, ending, at(1)).await), LAST);
    }
    let found = db.store.get_key(&BusinessId::keyward(), key_id(1)).await.unwrap();
    assert_eq!(found.unwrap(), before);
    change_of_keyward(&db, 2, revoke(), at(1)).await.unwrap();
    change(&db.store, 3, revoke(), at(1)).await.unwrap();
}

async fn another_one_that_is_not_in_force_does_not_help(db: Database) {
    create(&db.store, operator(1), at(0)).await;
    create(&db.store, operator(2), at(0)).await;
    change_of_keyward(&db, 2, SUSPEND, at(1)).await.unwrap();
    assert_eq!(refusal(change_of_keyward(&db, 1, revoke(), at(1)).await), LAST);
    change_of_keyward(&db, 2, revoke(), at(2)).await.unwrap();
    assert_eq!(refusal(change_of_keyward(&db, 1, revoke(), at(2)).await), LAST);
    create(&db.store, NewKey { expire_time: Some(at(9)), ..operator(3) }, at(0)).await;
    assert_eq!(refusal(change_of_keyward(&db, 1, revoke(), at(9)).await), LAST);
}

async fn another_one_in_force_sets_it_free(db: Database) {
    for number in 1..=4 {
        create(&db.store, operator(number), at(0)).await;
    }
    for (number, ending) in [(1, revoke()), (2, SUSPEND), (3, rescope([VERIFY]))] {
        change_of_keyward(&db, number, ending, at(1)).await.unwrap();
    }
    assert_eq!(refusal(change_of_keyward(&db, 4, revoke(), at(1)).await), LAST);
}

async fn other_changes_of_the_last_one_go_through(db: Database) {
    create(&db.store, operator(1), at(0)).await;
    let more = rescope([OPERATE, VERIFY]);
    for harmless in
        [rename("root"), more, rotate(2, None), KeyChange::Resume(SuspendedBy::Platform)]
    {
        change_of_keyward(&db, 1, harmless, at(1)).await.unwrap();
    }
}

/// An expiry ends a key as a revocation does, only later; one that expires does not stand in for one
/// that lasts.
async fn the_last_one_that_lasts_is_not_made_to_expire(db: Database) {
    create(&db.store, operator(1), at(0)).await;
    create(&db.store, NewKey { expire_time: Some(at(90)), ..operator(2) }, at(0)).await;
    for ending in [expire_at(Some(at(80))), rotate(3, Some(at(80))), revoke()] {
        assert_eq!(refusal(change_of_keyward(&db, 1, ending, at(1)).await), LAST);
    }
    change_of_keyward(&db, 2, expire_at(Some(at(80))), at(1)).await.unwrap();
    change_of_keyward(&db, 2, revoke(), at(1)).await.unwrap();
    create(&db.store, operator(4), at(1)).await;
    change_of_keyward(&db, 1, expire_at(Some(at(80))), at(1)).await.unwrap();
}

fn operator(number: u64) -> NewKey {
    let mut new = NewKey { business_id: BusinessId::keyward(), ..new_key(number) };
    new.settings.scopes = scopes([OPERATE]);
    new
}

async fn change_of_keyward(
    db: &Database,
    number: u64,
    change: KeyChange,
    now: Timestamp,
) -> Result<Committed<KeyRecord>, ChangeError> {
    db.store
        .change_key(target(&BusinessId::keyward(), key_id(number)), change, None, act(now))
        .await
}
