//! Under any sequence of flushes, repetitions, roll-ups and losses both engines tell what a plain map
//! tells.

use std::collections::BTreeMap;

use apikey::{
    billing::{BillingAnchor, BillingDay, BillingSchedule, ZoneName},
    usage::CountedVerdict,
};
use keyward_store::{business::BusinessPatch, usage::Flusher};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};

use super::*;
use crate::{
    database::Database,
    samples::{act, create, new_key},
};

on_each_engine![random_sequences_are_told_as_by_a_map];

const SEQUENCES: usize = 12;
const KEYS: u64 = 3;

#[derive(Debug, Clone)]
enum Step {
    /// Key, verdict, how often, minutes before now.
    Flush(Vec<(u64, usize, i64, i64)>),
    /// The last batch once more.
    Repeat,
    RollUp,
    Keep,
    /// Minutes that pass.
    Wait(i64),
    /// The flusher vanishes, and another comes.
    Lose,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let counts = (1..=KEYS, 0..8_usize, 0..5_i64, 0..3_i64);
    let step = prop_oneof![
        6 => prop::collection::vec(counts, 0..6).prop_map(Step::Flush),
        2 => Just(Step::Repeat),
        3 => Just(Step::RollUp),
        1 => Just(Step::Keep),
        4 => (1..200_i64).prop_map(Step::Wait),
        1 => Just(Step::Lose),
    ];
    prop::collection::vec(step, 10..40)
}

async fn random_sequences_are_told_as_by_a_map(db: Database) {
    let zone = ZoneName::parse("Asia/Kathmandu").unwrap();
    let day = BillingDay::new(2).unwrap();
    let anchor = BillingAnchor { day, zone: zone.clone() };
    let schedule = BillingSchedule::default().change(anchor, NOON);
    for number in 1..=KEYS {
        create(&db.store, new_key(number), NOON).await;
    }
    let patch =
        BusinessPatch { billing_day: Some(day), zone: Some(zone), ..BusinessPatch::default() };
    db.store.update_business(&acme(), patch, None, act(NOON)).await.unwrap();
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let mut run =
        Run { db: &db, schedule, now: NOON, flusher: 0, batch: None, counted: Vec::new() };
    run.open().await;
    for _ in 0..SEQUENCES {
        for step in steps().new_tree(&mut runner).unwrap().current() {
            run.take(step.clone()).await;
            run.check(&step).await;
        }
    }
    assert!(run.counted.len() > 150, "{}", run.counted.len());
}

struct Run<'a> {
    db: &'a Database,
    schedule: BillingSchedule,
    now: Timestamp,
    flusher: u8,
    batch: Option<Batch>,
    counted: Vec<UsageCount>,
}

impl Run<'_> {
    async fn open(&mut self) {
        self.flusher += 1;
        self.batch = None;
        self.db.store.open_flusher(flusher(self.flusher), None, self.now).await.unwrap();
    }

    async fn take(&mut self, step: Step) {
        let store = &self.db.store;
        let id = flusher(self.flusher);
        match step {
            Step::Flush(counts) => {
                let counts = counts.into_iter().map(|(number, verdict, times, ago)| {
                    let time = self.now.as_micros() - ago * 1_000_000;
                    let through = self.batch.as_ref().and_then(|batch| batch.through);
                    let time = Timestamp::from_micros(time).max(through.unwrap_or(NOON));
                    count(number, CountedVerdict::ALL[verdict], times, time)
                });
                let number = self.batch.as_ref().map_or(0, |batch| batch.number) + 1;
                let batch = batch(number, counts.collect(), self.now);
                flush(store, id, batch.clone()).await;
                self.counted.extend(&batch.counts);
                self.batch = Some(batch);
            }
            Step::Repeat => {
                if let Some(batch) = self.batch.clone() {
                    assert_eq!(store.flush(id, batch).await.unwrap(), Flushed::CountedBefore);
                }
            }
            Step::RollUp => {
                store.roll_up_usage(self.now).await.unwrap();
            }
            Step::Keep => {
                store.keep_usage(self.now).await.unwrap();
            }
            Step::Wait(minutes) => {
                self.now = Timestamp::from_micros(self.now.as_micros() + minutes * 60_000_000);
            }
            Step::Lose => {
                let seen: Vec<Flusher> = store.flushers().await.unwrap();
                assert!(store.close_flusher(seen[0], self.now).await.unwrap());
                self.open().await;
            }
        }
    }

    /// As the map has it. Hours older than they are kept are not asked for.
    async fn check(&self, step: &Step) {
        let store = &self.db.store;
        let day = 86_400_000_000;
        let since = Timestamp::from_micros(self.now.as_micros() - 30 * day);
        let until = Timestamp::from_micros(self.now.as_micros() + day);
        for number in 1..=KEYS {
            let of_key = || self.counted.iter().filter(|count| count.key_id == key_id(number));
            let told = usage(store, number, self.now).await;
            let period = self.schedule.period_at(self.now);
            assert_eq!(told.billing_period, period);
            let requests = of_key()
                .filter(|count| count.verdict.is_use() && period.contains(count.slot.start()))
                .map(|count| count.count);
            assert_eq!(told.request_count, requests.sum::<i64>(), "{step:?}");
            let last = |uses| {
                let uses = of_key().filter(move |count| count.verdict.is_use() == uses);
                uses.map(|count| count.last_time).max()
            };
            assert_eq!(told.last_use_time, last(true), "{step:?}");
            assert_eq!(told.last_denied_use_time, last(false), "{step:?}");
        }
        for (granularity, of) in [(Granularity::Hour, None), (Granularity::Day, Some(key_id(1)))] {
            let mut rows: BTreeMap<Timestamp, BTreeMap<CountedVerdict, i64>> = BTreeMap::new();
            let counted = self.counted.iter().filter(|one| of.is_none_or(|of| one.key_id == of));
            for count in counted.filter(|count| count.count > 0) {
                let at = match granularity {
                    Granularity::Hour => count.slot.hour(),
                    Granularity::Day => self.schedule.day_at(count.slot.start()).start,
                };
                if since <= at && at < until {
                    let verdicts = rows.entry(at).or_default();
                    *verdicts.entry(count.verdict).or_default() += count.count;
                }
            }
            let told = report(store, of, (since, until), granularity, self.now).await;
            assert_eq!(told.rows, rows, "{step:?} {granularity:?}");
        }
    }
}
