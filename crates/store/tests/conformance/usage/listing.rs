//! Lists of keys by their use: pages, filters, and that a roll-up changes nothing of them.

use keyward_store::list::{KeyFilter, KeyQuery, LastUsePosition, LastUseQuery};

use super::*;
use crate::{
    database::Database,
    samples::{create, new_key},
};

on_each_engine![last_use_orders_and_filters_keys];

/// Used at these minutes; the key of number 3 never, and those of 4 and 5 at the same time.
const USED: [(u64, i64); 4] = [(1, 40), (2, 10), (4, 20), (5, 20)];

async fn last_use_orders_and_filters_keys(db: Database) {
    for number in 1..=5 {
        create(&db.store, new_key(number), NOON).await;
    }
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    let counts = USED.map(|(number, minutes)| valid(number, 1, minute(minutes))).to_vec();
    flush(&db.store, flusher(1), batch(1, counts, minute(60))).await;
    // Nothing of it rolled up, a part of it, and all.
    for now in [NOON, minute(30), minute(60)] {
        roll_up_all(&db.store, now).await;
        assert_eq!(by_last_use(&db, KeyFilter::default()).await, [3, 2, 4, 5, 1]);
        let never = KeyFilter { never_used: true, ..KeyFilter::default() };
        assert_eq!(by_last_use(&db, never.clone()).await, [3]);
        assert_eq!(by_create_time(&db, never).await, [3]);
        for (minutes, expected) in [
            (10, &[3][..]),
            (11, &[3, 2]),
            (20, &[3, 2]),
            (21, &[3, 2, 4, 5]),
            (41, &[3, 2, 4, 5, 1]),
        ] {
            let unused_since = Some(minute(minutes));
            let filter = KeyFilter { unused_since, ..KeyFilter::default() };
            assert_eq!(by_last_use(&db, filter.clone()).await, expected, "since {minutes}");
            let mut same = by_create_time(&db, filter).await;
            same.sort_unstable();
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            assert_eq!(same, expected, "since {minutes}");
        }
    }
}

async fn by_create_time(db: &Database, filter: KeyFilter) -> Vec<u128> {
    let query = KeyQuery { business_ids: vec![acme()], filter, after: None, limit: 10 };
    let keys = db.store.list_keys(query, minute(60)).await.unwrap();
    keys.iter().map(|key| u128::from_be_bytes(*key.key_id.as_bytes())).collect()
}

/// All of them, in pages of two.
async fn by_last_use(db: &Database, filter: KeyFilter) -> Vec<u128> {
    let mut listed = Vec::new();
    let mut after: Option<LastUsePosition> = None;
    loop {
        let (business_ids, filter) = (vec![acme()], filter.clone());
        let query = LastUseQuery { business_ids, filter, after, limit: 2 };
        let page = db.store.list_keys_by_last_use(query, minute(60)).await.unwrap();
        let Some((_, last)) = page.last() else { return listed };
        after = Some(*last);
        listed.extend(page.iter().map(|(key, _)| u128::from_be_bytes(*key.key_id.as_bytes())));
    }
}
