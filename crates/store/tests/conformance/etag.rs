//! An etag is of one state: whoever names it changes that state, or nothing.

use apikey::lifecycle::SuspendedBy;
use keyward_store::{
    Store,
    business::BusinessPatch,
    change::KeyChange,
    error::{ChangeError, Refused},
    record::{BusinessRecord, Committed, KeyRecord, KeyTarget},
};
use tokio::task::JoinSet;

use crate::{database::Database, samples::*};

on_each_engine![
    it_changes_with_each_change_and_only_then,
    a_key_of_another_etag_is_left_alone,
    of_many_that_saw_the_same_state_one_wins,
    a_business_of_another_etag_is_left_alone,
    a_business_that_is_not_there_has_none,
];

async fn change_if(
    store: &Store,
    etag: &str,
    change: KeyChange,
) -> Result<Committed<KeyRecord>, ChangeError> {
    let target = KeyTarget { etag: Some(etag.to_owned()), ..target(&acme(), key_id(1)) };
    store.change_key(target, change, None, act(at(1))).await
}

async fn limit_if(
    store: &Store,
    name: &str,
    etag: &str,
    limit: i32,
) -> Result<Committed<BusinessRecord>, ChangeError> {
    let patch = BusinessPatch { key_limit: Some(limit), ..BusinessPatch::default() };
    store.update_business(&business(name), patch, Some(etag.to_owned()), act(at(1))).await
}

/// Another key's change is none of it, and neither is one that changed nothing.
async fn it_changes_with_each_change_and_only_then(db: Database) {
    let store = &db.store;
    let mut etag = create(store, new_key(1), at(0)).await.etag();
    assert_eq!(etag, "\"1\"");
    create(store, new_key(2), at(0)).await;
    let changes = [
        rename("another"),
        rotate(3, None),
        KeyChange::Suspend(SuspendedBy::Platform),
        KeyChange::Resume(SuspendedBy::Platform),
        revoke(),
    ];
    for change in changes {
        let changed = change_if(store, &etag, change.clone()).await.unwrap();
        assert_ne!(changed.value.etag(), etag, "{change:?}");
        etag = changed.value.etag();
        assert_eq!(get(store, 1).await.etag(), etag);
    }
    let again = change_if(store, &etag, revoke()).await.unwrap();
    assert_eq!(again.value.etag(), etag);
}

async fn a_key_of_another_etag_is_left_alone(db: Database) {
    let store = &db.store;
    let stale = create(store, new_key(1), at(0)).await.etag();
    let key = change(store, 1, rename("another"), at(1)).await.unwrap().value;
    let held_before = held(store).await;
    for etag in [stale.as_str(), "2", "W/\"2\"", "*"] {
        for change in [rename("a third"), rotate(2, None), revoke()] {
            let refused = refusal(change_if(store, etag, change).await);
            assert_eq!(refused, Refused::EtagMismatch { current: key.etag() }, "{etag}");
        }
    }
    assert_eq!((get(store, 1).await, held(store).await), (key.clone(), held_before));
    assert_eq!(store.revision().await.unwrap(), key.revision);
    change_if(store, &key.etag(), rename("a third")).await.unwrap();
}

async fn of_many_that_saw_the_same_state_one_wins(db: Database) {
    let etag = create(&db.store, new_key(1), at(0)).await.etag();
    let mut writers = JoinSet::new();
    for (store, number) in [db.store.clone(), db.other_store()].into_iter().cycle().zip(1..=12) {
        let etag = etag.clone();
        let rename = rename(&number.to_string());
        writers.spawn(async move { change_if(&store, &etag, rename).await });
    }
    let (won, lost): (Vec<_>, Vec<_>) =
        writers.join_all().await.into_iter().partition(Result::is_ok);
    let key = get(&db.store, 1).await;
    assert!(won.len() == 1 && won.into_iter().all(|won| won.unwrap().value == key));
    assert_eq!(lost.len(), 11);
    for lost in lost {
        assert_eq!(refusal(lost), Refused::EtagMismatch { current: key.etag() });
    }
}

/// Its keys are no part of it.
async fn a_business_of_another_etag_is_left_alone(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    let first = store.get_business(&acme(), at(1)).await.unwrap().unwrap();
    create(store, new_key(2), at(0)).await;
    let second = limit_if(store, "acme", &first.etag(), 7).await.unwrap().value;
    assert_ne!(second.etag(), first.etag());
    let refused = refusal(limit_if(store, "acme", &first.etag(), 8).await);
    assert_eq!(refused, Refused::EtagMismatch { current: second.etag() });
    assert_eq!(store.get_business(&acme(), at(1)).await.unwrap(), Some(second.clone()));
    // The same again changes nothing, the etag least of all.
    let again = limit_if(store, "acme", &second.etag(), 7).await.unwrap().value;
    assert_eq!(again, second);
}

/// Whoever names one has seen it: nothing is made in its place, and no etag is told.
async fn a_business_that_is_not_there_has_none(db: Database) {
    for etag in ["\"1\"", "\"7\""] {
        let refused = refusal(limit_if(&db.store, "nobody", etag, 7).await);
        assert_eq!(refused, Refused::BusinessNotFound);
    }
    assert_eq!(db.store.get_business(&business("nobody"), at(1)).await.unwrap(), None);
}
