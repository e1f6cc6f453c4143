//! What is kept for how long, and where on PostgreSQL it lies meanwhile.

use keyward_store::usage::{DAYS_KEPT, HOURS_KEPT, SLOTS_KEPT};

use super::*;
use crate::{
    database::Database,
    samples::{create, new_key},
};

on_each_engine![each_kind_is_kept_as_long_as_it_is_said, what_is_not_rolled_up_is_kept];

const DAY: i64 = 24 * 60;

fn kept(db: &Database) -> [usize; 4] {
    ["usage_slots", "usage_hours", "usage_days", "usage_totals"].map(|table| {
        db.lines(&format!("select cast(count(*) as text) as line from {table}"))[0].parse().unwrap()
    })
}

async fn keep_all(store: &Store, now: Timestamp) {
    while store.keep_usage(now).await.unwrap() {}
}

async fn each_kind_is_kept_as_long_as_it_is_said(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    keep_all(&db.store, NOON).await;
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    flush(&db.store, flusher(1), batch(1, vec![valid(1, 1, minute(1))], minute(30))).await;
    roll_up_all(&db.store, minute(30)).await;
    assert_eq!(kept(&db), [1, 1, 1, 1]);
    // On PostgreSQL until the partition is over in which it lies, too.
    let partition = |days: i64| db.either(0, days * DAY);
    let after = |kept: std::time::Duration| i64::try_from(kept.as_secs()).unwrap() / 60;
    let (slots, hours, days) = (after(SLOTS_KEPT), after(HOURS_KEPT), after(DAYS_KEPT));
    for (minutes, expected) in [
        (slots, [1, 1, 1, 1]),
        (slots + 1 + partition(1), [0, 1, 1, 1]),
        (hours, [0, 1, 1, 1]),
        (hours + 1 + partition(7), [0, 0, 1, 1]),
        (days - DAY / 2, [0, 0, 1, 1]),
        (days + 1 + partition(28), [0, 0, 0, 1]),
    ] {
        // Not rolled up is not forgotten: the flusher goes on.
        db.store.end_flusher(flusher(1)).await.unwrap();
        roll_up_all(&db.store, minute(minutes)).await;
        keep_all(&db.store, minute(minutes)).await;
        assert_eq!(kept(&db), expected, "after {minutes} minutes");
    }
    let usage = usage(&db.store, 1, minute(2)).await;
    assert_eq!((usage.request_count, usage.last_use_time), (1, Some(minute(1))));
}

async fn what_is_not_rolled_up_is_kept(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    keep_all(&db.store, NOON).await;
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    flush(&db.store, flusher(1), batch(1, vec![valid(1, 1, minute(1))], minute(2))).await;
    roll_up_all(&db.store, minute(30 * DAY)).await;
    keep_all(&db.store, minute(30 * DAY)).await;
    assert_eq!(kept(&db), [1, 0, 0, 0]);
}

/// A partition is there before it is needed; what comes for a time without one lies in the default one,
/// keeps its own from being made, and is forgotten there row by row.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_has_partitions_ahead_and_drops_them() {
    let db = Database::postgres().await;
    let partitions = || {
        db.lines(
            "select inhrelid::regclass::text as line from pg_inherits
             where inhparent = 'usage_slots'::regclass order by 1",
        )
    };
    assert_eq!(partitions(), ["usage_slots_default"]);
    keep_all(&db.store, NOON).await;
    let ahead = ["usage_slots_20260301", "usage_slots_20260302", "usage_slots_default"];
    assert_eq!(partitions(), ahead);
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    let counts = vec![valid(1, 1, minute(1)), valid(1, 1, minute(3 * DAY))];
    flush(&db.store, flusher(1), batch(1, counts, minute(4 * DAY))).await;
    let stray = "select cast(count(*) as text) as line from usage_slots_default";
    assert_eq!(db.lines(stray), ["1"]);

    roll_up_all(&db.store, minute(4 * DAY)).await;
    keep_all(&db.store, minute(3 * DAY)).await;
    let kept = ["usage_slots_20260302", "usage_slots_20260305", "usage_slots_default"];
    assert_eq!(partitions(), kept, "what is of the 4th lies in the default one");
    keep_all(&db.store, minute(7 * DAY)).await;
    assert_eq!(db.lines(stray), ["0"]);
    let rest = partitions();
    assert_eq!(rest[0], "usage_slots_20260305", "{rest:?}");
}
