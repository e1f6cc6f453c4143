//! Where two engines would differ if they were left to: the order of texts, the precision of times,
//! and what stands where nothing stands.

use apikey::{catalogue::AssignableBy, clock::Timestamp};
use keyward_store::record::NewKey;

use crate::{database::Database, samples::*};

on_each_engine![
    ids_are_ordered_by_their_bytes,
    times_keep_their_microseconds,
    a_cleared_time_is_no_time,
];

/// The test databases of PostgreSQL have a locale, in which `_` would come first and `a` before `B`.
async fn ids_are_ordered_by_their_bytes(db: Database) {
    let in_order = ["-", ".", "1", "@keyward", "A", "B", "B_", "Ba", "_", "a", "a-b", "a.b", "ab"];
    for (name, number) in in_order.iter().rev().zip(1..) {
        create(&db.store, NewKey { business_id: business(name), ..new_key(number) }, at(0)).await;
    }
    let mut seen = Vec::new();
    loop {
        let after = seen.last().map(String::as_str);
        let page = db.store.held_businesses(after, 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|held| held.business_id.to_string()));
    }
    assert_eq!(seen, in_order);
}

/// From the first to the last time that the contract can say, on both sides of both engines' epochs.
async fn times_keep_their_microseconds(db: Database) {
    let epochs = [0, 946_684_800_000_000].into_iter();
    let micros = epochs.flat_map(|epoch| [epoch - 1, epoch, epoch + 1]).chain([-999_999, 999_999]);
    let times = micros.map(Timestamp::from_micros).chain([Timestamp::MIN, Timestamp::MAX]);
    for (now, number) in times.zip(1..) {
        // Nothing expires after the last time.
        let expire_time = (now < Timestamp::MAX).then_some(Timestamp::MAX);
        create(&db.store, NewKey { expire_time, ..new_key(number) }, now).await;
        change(&db.store, number, rotate(100 + number, None), now).await.unwrap();
        change(&db.store, number, revoke(), now).await.unwrap();
        let key = get(&db.store, number).await;
        assert_eq!(key.lifecycle.expire_time, expire_time);
        let read = [Some(key.create_time), Some(key.update_time), key.rotate_time];
        assert_eq!((read, key.lifecycle.revoke_time), ([Some(now); 3], Some(now)), "{now}");
    }
}

async fn a_cleared_time_is_no_time(db: Database) {
    let limited = NewKey { expire_time: Some(at(5)), ..new_key(1) };
    db.store.create_key(limited, AssignableBy::Users, None, act(at(0))).await.unwrap();
    let nulls = "select cast(count(*) as text) as line from keys where expire_time is null";
    assert_eq!(db.lines(nulls), ["0"]);
    change(&db.store, 1, expire_at(None), at(1)).await.unwrap();
    assert_eq!(db.lines(nulls), ["1"]);
    assert_eq!(get(&db.store, 1).await.lifecycle.expire_time, None);
}
