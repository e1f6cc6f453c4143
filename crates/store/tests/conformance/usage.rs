//! Usage: each batch counts once, whatever happens to answers, and every count is told, whether or not
//! it is rolled up by then.

mod flushers;
mod forgetting;
mod listing;
mod racing;
mod random;
mod rolling_up;

use apikey::{
    clock::Timestamp,
    id::KeyId,
    usage::{CountedVerdict, Slot},
};
use keyward_store::{
    Store,
    usage::{
        Batch, Flushed, FlusherId, Granularity, KeyUsage, UsageCount, UsageQuery, UsageReport,
        merge,
    },
};

use crate::samples::{acme, key_id};

/// 2026-03-01T12:00:00Z: a slot, an hour and no day begin then.
pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_772_366_400_000_000);

/// So many minutes after noon.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_micros(NOON.as_micros() + minutes * 60_000_000)
}

pub(crate) fn flusher(number: u8) -> FlusherId {
    FlusherId::from_bytes([number; 16])
}

/// So many verdicts on a key of a number, the last of them at a time.
pub(crate) fn count(
    number: u64,
    verdict: CountedVerdict,
    count: i64,
    last_time: Timestamp,
) -> UsageCount {
    UsageCount { slot: Slot::of(last_time), key_id: key_id(number), verdict, count, last_time }
}

pub(crate) fn valid(number: u64, requests: i64, last_time: Timestamp) -> UsageCount {
    count(number, CountedVerdict::Valid, requests, last_time)
}

pub(crate) fn batch(number: i64, counts: Vec<UsageCount>, through: Timestamp) -> Batch {
    Batch { number, counts: merge(counts), through: Some(through), gap: None }
}

/// The batch must be counted now.
pub(crate) async fn flush(store: &Store, id: FlusherId, batch: Batch) {
    assert_eq!(store.flush(id, batch).await.unwrap(), Flushed::Counted);
}

pub(crate) async fn usage(store: &Store, number: u64, now: Timestamp) -> KeyUsage {
    let usages = store.usage_of_keys(vec![key_id(number)], now).await.unwrap();
    usages[&key_id(number)]
}

pub(crate) async fn roll_up_all(store: &Store, now: Timestamp) {
    while store.roll_up_usage(now).await.unwrap() {}
}

/// Of `acme`, or of one key of it.
pub(crate) async fn report(
    store: &Store,
    key_id: Option<KeyId>,
    (start, end): (Timestamp, Timestamp),
    granularity: Granularity,
    now: Timestamp,
) -> UsageReport {
    let query = UsageQuery { business_id: acme(), key_id, start, end, granularity };
    store.query_usage(query, now).await.unwrap().unwrap()
}
