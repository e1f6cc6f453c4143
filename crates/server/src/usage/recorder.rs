//! Counts in memory, by key, verdict and quarter of an hour. Nothing here awaits or knows the store's
//! state.
//!
//! - Each thread counts in a stripe of its own, so that none waits for another: only the flusher, which
//!   takes a stripe's counts away, holds one for a moment.
//! - A stripe is held from before a decision's clock is read until the decision is counted. So whoever
//!   reads the clock and then takes all stripes has every decision made before that time.
//! - Memory is bounded: counts of the same key, verdict and quarter are one, and beyond a limit new ones
//!   are lost, which is remembered and told.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use apikey::{
    clock::Timestamp,
    id::KeyId,
    usage::{CountedVerdict, Slot},
};
use keyward_store::usage::{Gap, UsageCount, merge};

/// More than there are worker threads on most machines; where there are more still, two share one.
const STRIPES: usize = 64;
/// So many counts gather at most, in about 200 MB; each is of another key, verdict or quarter.
const COUNTS_MAX: usize = 2_000_000;

/// What gathers until the flusher takes it.
#[derive(Debug)]
pub struct Recorder {
    stripes: [Stripe; STRIPES],
    /// How many counts all stripes hold together.
    gathered: AtomicUsize,
    most: usize,
}

/// On cache lines of its own: a thread's counting must not slow another's.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(Mutex<Tallies>);

#[derive(Debug, Default)]
struct Tallies {
    tallies: Tally,
    lost: Option<Lost>,
}

type Tally = HashMap<(Slot, KeyId, CountedVerdict), (i64, Timestamp)>;

/// What could not be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// How much.
    pub count: i64,
    /// From the first to the last of it.
    pub gap: Gap,
}

/// A decision on a key.
#[derive(Debug, Clone, Copy)]
pub struct Decision {
    /// The key.
    pub key_id: KeyId,
    /// What was decided.
    pub verdict: CountedVerdict,
    /// By which reading of the clock.
    pub time: Timestamp,
}

/// A stripe, held: begun before the clock is read, and given back when what was decided is counted.
#[derive(Debug)]
pub struct Counting<'a> {
    recorder: &'a Recorder,
    stripe: MutexGuard<'a, Tallies>,
}

/// What was taken from all stripes.
#[derive(Debug, Default)]
pub struct Drained {
    /// Sorted, and none twice.
    pub counts: Vec<UsageCount>,
    /// What could not be counted.
    pub lost: Option<Lost>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::with_room_for(COUNTS_MAX)
    }
}

impl Recorder {
    /// A recorder of at most so many counts.
    #[must_use]
    pub fn with_room_for(most: usize) -> Self {
        let stripes = std::array::from_fn(|_| Stripe::default());
        Self { stripes, gathered: AtomicUsize::new(0), most }
    }

    /// To be called before the clock is read by which is decided. A thread that holds one already must
    /// not begin another.
    #[must_use]
    pub fn begin(&self) -> Counting<'_> {
        #[expect(clippy::indexing_slicing, reason = "a remainder of their number")]
        let stripe = self.stripes[own_stripe() % STRIPES].hold();
        Counting { recorder: self, stripe }
    }

    /// Takes everything that was counted by now, and waits for what is being decided meanwhile.
    #[must_use]
    pub fn drain(&self) -> Drained {
        let (mut counts, mut lost): (Vec<UsageCount>, Option<Lost>) = (Vec::new(), None);
        // Each stripe gets the emptied map of the one before it: it has room already.
        let mut spare = Tally::new();
        for stripe in &self.stripes {
            {
                let mut held = stripe.hold();
                std::mem::swap(&mut held.tallies, &mut spare);
                lost = Lost::both(lost, held.lost.take());
            }
            self.gathered.fetch_sub(spare.len(), Ordering::Relaxed);
            counts.extend(spare.drain().map(|((slot, key_id, verdict), (count, last_time))| {
                UsageCount { slot, key_id, verdict, count, last_time }
            }));
        }
        Drained { counts: merge(counts), lost }
    }
}

impl Stripe {
    fn hold(&self) -> MutexGuard<'_, Tallies> {
        // Nobody panics half-way through a count.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counting<'_> {
    /// Counts one verification.
    pub fn count(&mut self, decision: Decision) {
        self.add(decision, 1);
    }

    /// Moves the key's last use, or its last denied use, and counts nothing.
    pub fn touch(&mut self, decision: Decision) {
        self.add(decision, 0);
    }

    fn add(&mut self, Decision { key_id, verdict, time }: Decision, count: i64) {
        let place = (Slot::of(time), key_id, verdict);
        if let Some((counted, last_time)) = self.stripe.tallies.get_mut(&place) {
            *counted = counted.saturating_add(count);
            *last_time = time.max(*last_time);
        } else if self.recorder.gathered.load(Ordering::Relaxed) < self.recorder.most {
            self.recorder.gathered.fetch_add(1, Ordering::Relaxed);
            self.stripe.tallies.insert(place, (count, time));
        } else {
            let lost = Lost { count, gap: Gap { start: time, end: time } };
            self.stripe.lost = Lost::both(self.stripe.lost, Some(lost));
        }
    }
}

impl Lost {
    /// All that was lost.
    #[must_use]
    pub fn both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let (Some(one), Some(other)) = (one, other) else { return one.or(other) };
        let gap =
            Gap { start: one.gap.start.min(other.gap.start), end: one.gap.end.max(other.gap.end) };
        Some(Self { count: one.count.saturating_add(other.count), gap })
    }
}

/// Which stripe this thread counts in: each takes the next.
fn own_stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    OWN.with(|own| *own)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::{Arc, Barrier},
        thread,
    };

    use super::*;

    const TIME: Timestamp = Timestamp::from_micros(1_772_366_400_000_000);

    fn decision(key: u8, verdict: CountedVerdict, micros: i64) -> Decision {
        let time = Timestamp::from_micros(TIME.as_micros() + micros);
        Decision { key_id: KeyId::from_bytes([key; 16]), verdict, time }
    }

    fn valid(key: u8, micros: i64) -> Decision {
        decision(key, CountedVerdict::Valid, micros)
    }

    /// What is taken adds up to what was counted, whoever counts while it is taken.
    #[test]
    fn every_count_is_taken_once() {
        const THREADS: u8 = 4;
        const COUNTS: i64 = 20_000;
        let recorder = Arc::new(Recorder::default());
        let begin = Arc::new(Barrier::new(usize::from(THREADS) + 1));
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (recorder, begin) = (Arc::clone(&recorder), Arc::clone(&begin));
                thread::spawn(move || {
                    begin.wait();
                    for number in 0..COUNTS {
                        recorder.begin().count(valid(u8::try_from(number % 3).unwrap(), number));
                        recorder.begin().touch(valid(100 + thread, number));
                    }
                })
            })
            .collect();
        begin.wait();
        let mut taken: BTreeMap<KeyId, (i64, Timestamp)> = BTreeMap::new();
        let mut take = || {
            for count in recorder.drain().counts {
                let (counted, last) = taken.entry(count.key_id).or_insert((0, TIME));
                *counted += count.count;
                *last = (*last).max(count.last_time);
            }
        };
        while threads.iter().any(|thread| !thread.is_finished()) {
            take();
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        take();
        assert_eq!(taken.len(), 3 + usize::from(THREADS));
        assert_eq!(
            taken.values().map(|(count, _)| count).sum::<i64>(),
            i64::from(THREADS) * COUNTS
        );
        let last = Timestamp::from_micros(TIME.as_micros() + COUNTS - 1);
        assert!(taken[&KeyId::from_bytes([100; 16])] == (0, last));
        assert_eq!(recorder.gathered.load(Ordering::Relaxed), 0);
    }

    /// Counts of one key, verdict and quarter are one; others are not.
    #[test]
    fn counts_come_sorted_and_added_up() {
        let recorder = Recorder::default();
        use CountedVerdict::{Expired, Valid};
        let quarter = 15 * 60 * 1_000_000;
        let denied = |micros| decision(1, Expired, micros);
        for decision in [
            valid(2, 5),
            valid(1, quarter),
            valid(1, 3),
            denied(1),
            valid(1, 2),
            valid(1, quarter - 1),
        ] {
            recorder.begin().count(decision);
        }
        let counts: Vec<_> = recorder
            .drain()
            .counts
            .iter()
            .map(|count| {
                let last = count.last_time.as_micros() - TIME.as_micros();
                (count.key_id.as_bytes()[0], count.verdict, count.count, last)
            })
            .collect();
        let expected = [
            (1, Valid, 3, quarter - 1),
            (1, Expired, 1, 1),
            (2, Valid, 1, 5),
            (1, Valid, 1, quarter),
        ];
        assert_eq!(counts, expected);
        assert!(recorder.drain().counts.is_empty());
    }

    /// A full recorder counts on what it has, and remembers what it lost, once.
    #[test]
    fn what_finds_no_room_is_told() {
        let recorder = Recorder::with_room_for(2);
        for decision in
            [valid(1, 0), valid(2, 1), valid(3, 2), valid(1, 3), valid(4, 7), valid(3, 4)]
        {
            recorder.begin().count(decision);
        }
        let Drained { counts, lost } = recorder.drain();
        assert_eq!(counts.iter().map(|count| count.count).collect::<Vec<_>>(), [2, 1]);
        let gap = Gap { start: valid(3, 2).time, end: valid(4, 7).time };
        assert_eq!(lost, Some(Lost { count: 3, gap }));
        recorder.begin().count(valid(3, 8));
        let Drained { counts, lost } = recorder.drain();
        assert_eq!((counts.len(), lost), (1, None));
    }

    /// What is being decided when stripes are taken is taken too.
    #[test]
    fn whoever_takes_waits_for_what_is_being_decided() {
        let recorder = Arc::new(Recorder::default());
        let mut counting = recorder.begin();
        let taker = {
            let recorder = Arc::clone(&recorder);
            thread::spawn(move || recorder.drain().counts.len())
        };
        counting.count(valid(1, 0));
        drop(counting);
        assert_eq!(taker.join().unwrap(), 1);
    }
}
