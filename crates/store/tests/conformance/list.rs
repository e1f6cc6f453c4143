//! Lists of keys: their order, and pages that miss nothing and repeat nothing.

use keyward_store::{
    list::{KeyFilter, KeyPosition, KeyQuery},
    record::{KeyRecord, NewKey},
};
use tokio::task::JoinSet;

use crate::{database::Database, samples::*};

on_each_engine![
    newest_first_and_the_higher_id_first_of_one_moment,
    only_of_the_businesses_asked_for,
    pages_are_whole_while_keys_are_made_and_changed,
    pages_are_whole_whatever_others_write_at_once,
];

async fn newest_first_and_the_higher_id_first_of_one_moment(db: Database) {
    for (number, second) in [(3, 1), (1, 2), (5, 1), (4, 1), (2, 0)] {
        create(&db.store, new_key(number), at(second)).await;
    }
    assert_eq!(numbers(&page(&db, None, 100).await), [1, 5, 4, 3, 2]);
    assert_eq!(numbers(&page(&db, None, 2).await), [1, 5]);
}

async fn only_of_the_businesses_asked_for(db: Database) {
    for (name, number) in [("acme", 1), ("Acme", 2), ("other", 3)] {
        create(&db.store, NewKey { business_id: business(name), ..new_key(number) }, at(0)).await;
    }
    for (names, expected) in
        [(&["acme"][..], &[1][..]), (&["acme", "other"], &[3, 1]), (&["nobody"], &[]), (&[], &[])]
    {
        let business_ids = names.iter().map(|name| business(name)).collect();
        let query =
            KeyQuery { business_ids, filter: KeyFilter::default(), after: None, limit: 100 };
        assert_eq!(numbers(&db.store.list_keys(query, at(0)).await.unwrap()), expected);
    }
}

/// Between two pages a key is made, with an id that would stand on the page to come, one that was
/// shown is revoked, and so is one that was not.
async fn pages_are_whole_while_keys_are_made_and_changed(db: Database) {
    let there: Vec<u64> = (101..=120).collect();
    for number in &there {
        // Three keys a moment, so that pages end between keys of one moment.
        create(&db.store, new_key(*number), at(i64::try_from(*number).unwrap() / 3)).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    for turn in 1.. {
        let keys = page(&db, after, 4).await;
        let Some(last) = keys.last() else { break };
        after = Some(KeyPosition { create_time: last.create_time, key_id: last.key_id });
        seen.extend(numbers(&keys));
        create(&db.store, new_key(turn), at(100)).await;
        change(&db.store, 121 - turn, revoke(), at(100)).await.unwrap();
        change(&db.store, 100 + turn, revoke(), at(100)).await.unwrap();
    }
    assert!(seen.iter().eq(there.iter().rev()), "{seen:?}");
}

/// Two other processes make and change keys all the while, before, between and after those that are there.
async fn pages_are_whole_whatever_others_write_at_once(db: Database) {
    let there: Vec<u64> = (101..=160).collect();
    for number in &there {
        create(&db.store, new_key(*number), at(i64::try_from(*number).unwrap() / 3)).await;
    }
    let mut writers = JoinSet::new();
    for first in [1_001, 2_001] {
        let store = db.other_store();
        writers.spawn(async move {
            for i in 0..40 {
                let second = i64::try_from(i).unwrap() * 2;
                create(&store, new_key(first + i), at(second)).await;
                change(&store, first + i, rename("another"), at(second)).await.unwrap();
                change(&store, 101 + i, rename(&first.to_string()), at(second)).await.unwrap();
            }
        });
    }
    while !writers.is_empty() {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let keys = page(&db, after, 7).await;
            let Some(last) = keys.last() else { break };
            after = Some(KeyPosition { create_time: last.create_time, key_id: last.key_id });
            seen.extend(keys);
        }
        let place = |key: &KeyRecord| (key.create_time, key.key_id);
        assert!(seen.is_sorted_by(|one, next| place(one) > place(next)), "one of them twice");
        let mut seen = numbers(&seen);
        seen.retain(|number| there.contains(number));
        assert!(seen.iter().eq(there.iter().rev()), "{seen:?}");
        while let Some(ended) = writers.try_join_next() {
            ended.unwrap();
        }
    }
}

async fn page(db: &Database, after: Option<KeyPosition>, limit: i64) -> Vec<KeyRecord> {
    let query = KeyQuery { business_ids: vec![acme()], filter: KeyFilter::default(), after, limit };
    db.store.list_keys(query, at(0)).await.unwrap()
}

fn numbers(keys: &[KeyRecord]) -> Vec<u64> {
    let number = |key: &KeyRecord| u128::from_be_bytes(*key.key_id.as_bytes()).try_into().unwrap();
    keys.iter().map(number).collect()
}
