//! The gate of batches, and what a flusher that vanished leaves behind.

use apikey::usage::CountedVerdict;
use keyward_store::usage::{Batch, Flushed, Flusher, Gap};

use super::*;
use crate::{
    database::Database,
    samples::{at, create, get, held, new_key},
};

on_each_engine![
    a_batch_counts_once_however_often_it_is_sent,
    nothing_of_a_closed_flusher_counts,
    two_attempts_at_once_count_once,
    counted_until_is_the_least_of_all_flushers,
    a_flusher_is_closed_only_as_it_was_seen,
    a_gap_marks_the_periods_it_reaches_into,
    what_a_flusher_knows_to_be_lost_is_a_gap,
    counting_is_no_change,
];

async fn a_batch_counts_once_however_often_it_is_sent(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    let id = flusher(1);
    db.store.open_flusher(id, None, NOON).await.unwrap();
    let first = batch(1, vec![valid(1, 5, minute(1))], minute(2));
    flush(&db.store, id, first.clone()).await;
    assert_eq!(db.store.flush(id, first).await.unwrap(), Flushed::CountedBefore);
    // One that was skipped never counts, and opens no way for those after it.
    let third = batch(3, vec![valid(1, 100, minute(1))], minute(3));
    assert_eq!(db.store.flush(id, third).await.unwrap(), Flushed::Closed);
    flush(&db.store, id, batch(2, vec![valid(1, 2, minute(3))], minute(4))).await;
    let usage = usage(&db.store, 1, minute(5)).await;
    assert_eq!((usage.request_count, usage.counted_until), (7, minute(4)));
}

async fn nothing_of_a_closed_flusher_counts(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    let id = flusher(1);
    let late = || batch(1, vec![valid(1, 5, minute(1))], minute(2));
    assert_eq!(db.store.flush(id, late()).await.unwrap(), Flushed::Closed);
    db.store.open_flusher(id, None, NOON).await.unwrap();
    let seen = Flusher { id, batch: 0, through: NOON };
    assert!(db.store.close_flusher(seen, minute(3)).await.unwrap());
    assert_eq!(db.store.flush(id, late()).await.unwrap(), Flushed::Closed);
    assert_eq!(usage(&db.store, 1, minute(5)).await.request_count, 0);
}

/// As after an answer that was lost, while the first attempt is still under way.
async fn two_attempts_at_once_count_once(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    let id = flusher(1);
    db.store.open_flusher(id, None, NOON).await.unwrap();
    let other = db.other_store();
    for number in 1..=20 {
        let attempt = || batch(number, vec![valid(1, 1, minute(1))], minute(2));
        let (one, two) = tokio::join!(db.store.flush(id, attempt()), other.flush(id, attempt()));
        let mut both = [one.unwrap(), two.unwrap()];
        both.sort_by_key(|flushed| *flushed == Flushed::Counted);
        assert_eq!(both, [Flushed::CountedBefore, Flushed::Counted]);
    }
    assert_eq!(usage(&db.store, 1, minute(5)).await.request_count, 20);
}

async fn counted_until_is_the_least_of_all_flushers(db: Database) {
    let until = async || db.store.counted_until(minute(9)).await.unwrap();
    assert_eq!(until().await, minute(9), "nobody counts");
    db.store.open_flusher(flusher(1), None, minute(1)).await.unwrap();
    assert_eq!(until().await, minute(1));
    flush(&db.store, flusher(1), batch(1, Vec::new(), minute(4))).await;
    assert_eq!(until().await, minute(4));
    // More of the same is to come.
    let part = Batch { through: None, ..batch(2, Vec::new(), minute(5)) };
    flush(&db.store, flusher(1), part).await;
    assert_eq!(until().await, minute(4));
    db.store.open_flusher(flusher(2), None, minute(3)).await.unwrap();
    // On SQLite nobody else can be running, and the first is closed; elsewhere both count.
    let ids: Vec<_> = db.store.flushers().await.unwrap().iter().map(|one| one.id).collect();
    assert_eq!(ids, db.either(vec![flusher(2)], vec![flusher(1), flusher(2)]));
    assert_eq!(until().await, minute(3));
    db.store.end_flusher(flusher(2)).await.unwrap();
    assert_eq!(until().await, db.either(minute(9), minute(4)));
}

async fn a_flusher_is_closed_only_as_it_was_seen(db: Database) {
    let id = flusher(1);
    db.store.open_flusher(id, None, NOON).await.unwrap();
    let seen = db.store.flushers().await.unwrap()[0];
    assert_eq!(seen, Flusher { id, batch: 0, through: NOON });
    flush(&db.store, id, batch(1, Vec::new(), minute(1))).await;
    assert!(!db.store.close_flusher(seen, minute(3)).await.unwrap());
    flush(&db.store, id, batch(2, Vec::new(), minute(2))).await;
    let seen = db.store.flushers().await.unwrap()[0];
    assert!(db.store.close_flusher(seen, minute(3)).await.unwrap());
    assert!(!db.store.close_flusher(seen, minute(3)).await.unwrap());
    assert_eq!(gaps(&db), ["2..3"]);
}

/// The vanished one had flushed through noon, and was declared lost five minutes later.
async fn a_gap_marks_the_periods_it_reaches_into(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    let seen = Flusher { id: flusher(1), batch: 0, through: NOON };
    db.store.open_flusher(seen.id, None, NOON).await.unwrap();
    assert!(!usage(&db.store, 1, minute(1)).await.incomplete);
    db.store.close_flusher(seen, minute(5)).await.unwrap();
    let month = 31 * 24 * 60;
    assert!(usage(&db.store, 1, minute(6)).await.incomplete);
    assert!(!usage(&db.store, 1, minute(6 + month)).await.incomplete, "in April");
    for (start, end, incomplete) in [
        (-60, -1, false),
        (-60, 0, false),
        (-60, 1, true),
        (2, 3, true),
        (5, 60, true),
        (6, 60, false),
    ] {
        let span = (minute(start), minute(end));
        let report = report(&db.store, None, span, Granularity::Hour, minute(7)).await;
        assert_eq!(report.incomplete, incomplete, "{start} to {end}");
    }
}

async fn what_a_flusher_knows_to_be_lost_is_a_gap(db: Database) {
    let id = flusher(1);
    db.store
        .open_flusher(id, Some(Gap { start: minute(-2), end: minute(-1) }), NOON)
        .await
        .unwrap();
    let lossy = Batch {
        gap: Some(Gap { start: minute(1), end: minute(1) }),
        ..batch(1, Vec::new(), minute(2))
    };
    flush(&db.store, id, lossy.clone()).await;
    assert_eq!(db.store.flush(id, lossy).await.unwrap(), Flushed::CountedBefore);
    assert_eq!(gaps(&db), ["-2..-1", "1..1"]);
}

/// It takes no revision, is in no feed, and touches no key.
async fn counting_is_no_change(db: Database) {
    let key = create(&db.store, new_key(1), at(0)).await;
    let (revision, held_before) = (db.store.revision().await.unwrap(), held(&db.store).await);
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    let denied = count(1, CountedVerdict::Revoked, 1, minute(2));
    flush(&db.store, flusher(1), batch(1, vec![valid(1, 3, minute(1)), denied], minute(60))).await;
    roll_up_all(&db.store, minute(60)).await;
    assert_eq!(db.store.revision().await.unwrap(), revision);
    assert_eq!(held(&db.store).await, held_before);
    assert_eq!(get(&db.store, 1).await, key);
}

/// Gaps, in minutes after noon.
fn gaps(db: &Database) -> Vec<String> {
    let micros = |column: &str| {
        db.either(column.to_owned(), format!("(extract(epoch from {column}) * 1000000)::bigint"))
    };
    let (start, end) = (micros("start_time"), micros("end_time"));
    let noon = NOON.as_micros();
    db.lines(&format!(
        "select cast(({start} - {noon}) / 60000000 as text) || '..' \
             || cast(({end} - {noon}) / 60000000 as text) as line
         from usage_gaps order by start_time"
    ))
}
