//! Flushes, roll-ups, partitions and readers at once: nothing is lost, counted twice, or told from halves.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::{
    database::Database,
    samples::{create, new_key},
};

on_each_engine![whatever_runs_at_once_adds_up];

/// Batches a flusher, each some minutes after the one before: three hours together.
const BATCHES: i64 = 60;
const MINUTES: i64 = 3;

async fn whatever_runs_at_once_adds_up(db: Database) {
    for number in 1..=2 {
        create(&db.store, new_key(number), NOON).await;
    }
    db.store.keep_usage(NOON).await.unwrap();
    // On SQLite there is one at a time.
    let flushers = db.either(&[1_u8][..], &[1, 2]);
    for &number in flushers {
        db.store.open_flusher(flusher(number), None, NOON).await.unwrap();
    }
    let left = AtomicI64::new(i64::try_from(flushers.len()).unwrap());
    let is_over = || left.load(Ordering::SeqCst) == 0;
    let flushing = async |number: u8| {
        let store = db.other_store();
        for batch_number in 1..=BATCHES {
            let time = minute(batch_number * MINUTES);
            let counts = vec![valid(1, 1, time), valid(2, 10, time)];
            flush(&store, flusher(number), batch(batch_number, counts, time)).await;
        }
        left.fetch_sub(1, Ordering::SeqCst);
    };
    let keeping = async || {
        let store = db.other_store();
        while !is_over() {
            let now = store.counted_until(minute(0)).await.unwrap();
            store.roll_up_usage(now).await.unwrap();
            store.keep_usage(now).await.unwrap();
        }
    };
    let reading = async || {
        let mut seen = 0;
        while !is_over() {
            let told = usage(&db.store, 1, minute(0)).await.request_count;
            assert!(told >= seen, "{told} after {seen}");
            let span = (minute(-60), minute(600));
            let report = report(&db.store, None, span, Granularity::Hour, minute(0)).await;
            let sum: i64 = report.rows.values().flat_map(|counts| counts.values()).sum();
            assert_eq!(sum % 11, 0, "a batch by halves");
            assert!(sum >= told * 11, "{sum} after {told}");
            seen = told;
        }
    };
    let last = *flushers.last().unwrap();
    let second = async {
        if last != 1 {
            flushing(last).await;
        }
    };
    tokio::join!(flushing(1), second, keeping(), keeping(), reading(), reading());
    roll_up_all(&db.store, minute(BATCHES * MINUTES)).await;
    let expected = BATCHES * i64::try_from(flushers.len()).unwrap();
    assert_eq!(usage(&db.store, 1, minute(0)).await.request_count, expected);
    assert_eq!(usage(&db.store, 2, minute(0)).await.request_count, 10 * expected);
}
