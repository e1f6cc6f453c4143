//! One server at a time, until revocations are final across several.

use std::time::Duration;

use keyward_store::{Store, error::StoreError, exclusive::Exclusive};
use tokio::time::timeout;

use crate::database::Database;

on_each_engine![one_holds_and_others_do_not, letting_go_lets_the_next_one_in];

/// More than an engine ever takes to notice.
const PATIENCE: Duration = Duration::from_secs(20);

async fn one_holds_and_others_do_not(db: Database) {
    let _held = db.store.hold_exclusively().await.unwrap().unwrap();
    for store in [db.store.clone(), db.other_store()] {
        assert!(store.hold_exclusively().await.unwrap().is_none());
    }
    // A database of its own is nobody else's.
    assert!(db.unmigrated().store.hold_exclusively().await.unwrap().is_some());
}

async fn letting_go_lets_the_next_one_in(db: Database) {
    drop(db.store.hold_exclusively().await.unwrap().unwrap());
    let other = db.other_store();
    let _held = timeout(PATIENCE, hold(&other)).await.unwrap();
    assert!(db.store.hold_exclusively().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_tells_when_the_session_is_gone() {
    let db = Database::postgres().await;
    let mut held = db.store.hold_exclusively().await.unwrap().unwrap();
    let end = "select pg_terminate_backend(pid) from pg_locks join pg_database on oid = database \
               where locktype = 'advisory' and datname = current_database()";
    db.execute(end).unwrap();
    let reason = held.confirm().await.unwrap_err();
    assert!(matches!(reason, StoreError::Unavailable(_)), "{reason}");
}

/// PostgreSQL lets go when it notices that the session is gone, a moment after it is dropped.
async fn hold(store: &Store) -> Exclusive {
    loop {
        if let Some(held) = store.hold_exclusively().await.unwrap() {
            return held;
        }
        tokio::task::yield_now().await;
    }
}

/// Whoever ends it says so; whoever does not leaves a doubt for the next one.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_tells_whether_the_server_before_ended_it() {
    let db = Database::postgres().await;
    let mut told = Vec::new();
    for ends in [true, false, true, true] {
        let mut held = db.store.hold_exclusively().await.unwrap().unwrap();
        told.push(held.begin().await.unwrap());
        if ends {
            held.end().await.unwrap();
        }
    }
    assert_eq!(told, [false, false, true, false]);
}
