//! A business holds no more live keys than it may.

use apikey::{catalogue::AssignableBy, lifecycle::SuspendedBy};
use keyward_store::{change::KeyChange, error::Refused, record::NewKey};

use crate::{database::Database, samples::*};

on_each_engine![
    a_business_may_hold_a_thousand_keys_unless_told_otherwise,
    only_live_keys_of_the_business_count,
    a_key_that_expires_makes_room_at_that_moment,
    rotating_an_expired_key_needs_room,
];

async fn a_business_may_hold_a_thousand_keys_unless_told_otherwise(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    let limit = "select cast(key_limit as text) as line from businesses";
    assert_eq!(db.lines(limit), ["1000"]);
    limit_to(&db, 0);
    assert_eq!(refused(&db, 2, 1).await, Refused::KeyLimitReached { limit: 0 });
}

async fn only_live_keys_of_the_business_count(db: Database) {
    create(&db.store, NewKey { business_id: business("other"), ..new_key(1) }, at(0)).await;
    create(&db.store, new_key(2), at(0)).await;
    create(&db.store, new_key(3), at(0)).await;
    limit_to(&db, 2);
    assert_eq!(refused(&db, 4, 1).await, Refused::KeyLimitReached { limit: 2 });

    // A suspended key counts; a revoked one does not.
    change(&db.store, 2, KeyChange::Suspend(SuspendedBy::Platform), at(1)).await.unwrap();
    assert_eq!(refused(&db, 4, 1).await, Refused::KeyLimitReached { limit: 2 });
    change(&db.store, 2, revoke(), at(1)).await.unwrap();
    create(&db.store, new_key(4), at(1)).await;
    assert_eq!(refused(&db, 5, 1).await, Refused::KeyLimitReached { limit: 2 });
}

async fn a_key_that_expires_makes_room_at_that_moment(db: Database) {
    create(&db.store, NewKey { expire_time: Some(at(9)), ..new_key(1) }, at(0)).await;
    limit_to(&db, 1);
    assert_eq!(refused(&db, 2, 8).await, Refused::KeyLimitReached { limit: 1 });
    create(&db.store, new_key(2), at(9)).await;
}

async fn rotating_an_expired_key_needs_room(db: Database) {
    create(&db.store, NewKey { expire_time: Some(at(5)), ..new_key(1) }, at(0)).await;
    create(&db.store, new_key(2), at(0)).await;
    limit_to(&db, 1);
    // A live key is rotated whatever the limit.
    change(&db.store, 2, rotate(12, None), at(6)).await.unwrap();
    let revived = change(&db.store, 1, rotate(11, Some(at(20))), at(6)).await;
    assert_eq!(refusal(revived), Refused::KeyLimitReached { limit: 1 });
    assert_eq!(get(&db.store, 1).await.rotate_time, None);

    change(&db.store, 2, revoke(), at(7)).await.unwrap();
    change(&db.store, 1, rotate(11, Some(at(20))), at(7)).await.unwrap();
}

fn limit_to(db: &Database, limit: u32) {
    db.execute(&format!("update businesses set key_limit = {limit}")).unwrap();
}

async fn refused(db: &Database, number: u64, second: i64) -> Refused {
    refusal(db.store.create_key(new_key(number), AssignableBy::Users, None, act(at(second))).await)
}
