//! Stores what was counted: each second, in batches that count once however often they are sent. With
//! the database away one batch waits to be sent again, and the recorder goes on gathering behind it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use apikey::clock::{Clock, Timestamp};
use keyward_store::{
    Store,
    error::StoreError,
    usage::{Batch, Flushed, FlusherId, Gap, UsageCount},
};
use ring::{error::Unspecified, rand::SecureRandom};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::recorder::{Drained, Lost, Recorder};

/// How long to rest between two flushes, at least.
const EVERY: Duration = Duration::from_secs(1);
/// And at least so many times as long as the last one took: flushing takes a fifth of the time at most.
const REST: u32 = 4;
/// Where nothing was counted, it is said so often that everything is stored until now.
const IDLE_EVERY: Duration = Duration::from_secs(10);
/// How long the store may take for one batch; then nobody knows whether it is counted.
const BATCH_MAX: Duration = Duration::from_secs(30);

/// What keeps counts from being stored.
#[derive(Debug, thiserror::Error)]
pub enum FlushError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no randomness for a name to count under.
    #[error("the system gives no randomness")]
    NoRandomness,
}

impl From<Unspecified> for FlushError {
    fn from(Unspecified: Unspecified) -> Self {
        Self::NoRandomness
    }
}

/// The one writer of this server's counts.
pub struct Flusher {
    store: Store,
    recorder: Arc<Recorder>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom + Send + Sync>,
    turn: Mutex<Turn>,
}

/// Whose turn it is to flush has this.
struct Turn {
    id: FlusherId,
    /// The number of the last batch that was made.
    made: i64,
    /// Everything that was counted before this moment is stored, or waits.
    taken_until: Timestamp,
    /// Made and not known to be stored, in order.
    waiting: VecDeque<Batch>,
}

impl std::fmt::Debug for Flusher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flusher").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Flusher {
    /// Enters this server as one that counts. Nobody may be answered before.
    ///
    /// # Errors
    /// A fault of the store, or no randomness.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn SecureRandom + Send + Sync>,
    ) -> Result<Self, FlushError> {
        let (id, now) = (new_id(&*random)?, clock.now());
        store.open_flusher(id, None, now).await?;
        let turn = Turn { id, made: 0, taken_until: now, waiting: VecDeque::new() };
        let recorder = Arc::new(Recorder::default());
        Ok(Self { store, recorder, clock, random, turn: Mutex::new(turn) })
    }

    /// Where is counted.
    #[must_use]
    pub fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// Under which name this server counts now.
    pub async fn id(&self) -> FlusherId {
        self.turn.lock().await.id
    }

    /// Stores everything that is counted by now.
    ///
    /// # Errors
    /// A fault: nothing is lost, and the next flush begins with what this one could not store.
    pub async fn flush(&self) -> Result<(), FlushError> {
        self.flush_if(|_| true).await
    }

    /// Flushes until told to stop.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut failing = false;
        loop {
            let begun = Instant::now();
            let due = |idle: Duration| idle >= IDLE_EVERY;
            // A flush that is under way ends: cut off, nobody knew what it did.
            let flushed = self.flush_if(due).await;
            // Told once, however long it lasts.
            if let (Err(error), false) = (&flushed, failing) {
                tracing::warn!(error.cause = %error, "usage cannot be stored: it gathers in memory");
            }
            if flushed.is_ok() && failing {
                tracing::info!("usage is stored again");
            }
            failing = flushed.is_err();
            let rest = EVERY.max(begun.elapsed().saturating_mul(REST));
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(rest) => {}
            }
        }
    }

    /// Stores everything, and leaves: nobody is answered any more.
    ///
    /// # Errors
    /// A fault: counts may be lost, and will be said to be.
    pub async fn end(&self) -> Result<(), FlushError> {
        self.flush().await?;
        Ok(self.store.end_flusher(self.id().await).await?)
    }

    /// Stores everything that is counted by now. Where that is nothing, `due` decides by the time since
    /// the last flush whether to say so.
    async fn flush_if(&self, due: impl Fn(Duration) -> bool) -> Result<(), FlushError> {
        let mut turn = self.turn.lock().await;
        self.send(&mut turn).await?;
        // The clock first: whatever is decided before this moment is in what is taken now.
        let now = self.clock.now().max(turn.taken_until);
        let Drained { counts, lost } = self.recorder.drain();
        if let Some(Lost { count, gap: _ }) = lost {
            tracing::error!(usage.lost = count, "too many different counts: some were lost");
        }
        let idle = now.as_micros().saturating_sub(turn.taken_until.as_micros());
        let idle = Duration::from_micros(u64::try_from(idle).unwrap_or(0));
        if counts.is_empty() && lost.is_none() && !due(idle) {
            return Ok(());
        }
        turn.make(&counts, self.store.batch_rows_max(), now, lost.map(|lost| lost.gap));
        self.send(&mut turn).await
    }

    /// Sends what waits.
    async fn send(&self, turn: &mut Turn) -> Result<(), FlushError> {
        while let Some(batch) = turn.waiting.front() {
            let sent = timeout(BATCH_MAX, self.store.flush(turn.id, batch.clone())).await;
            let late = || Err(StoreError::Unavailable("no answer in time".to_owned()));
            match sent.unwrap_or_else(|_| late())? {
                Flushed::Counted | Flushed::CountedBefore => drop(turn.waiting.pop_front()),
                Flushed::Closed => return self.begin_anew(turn).await,
            }
        }
        Ok(())
    }

    /// Somebody took this server for dead, and has said that its counts are lost. What waits is, as
    /// nobody knows how much of it was stored; what came after begins under another name.
    async fn begin_anew(&self, turn: &mut Turn) -> Result<(), FlushError> {
        let waiting = || turn.waiting.iter().flat_map(|batch| &batch.counts);
        let count = waiting().map(|count| count.count).sum::<i64>();
        let lost = || turn.waiting.iter().filter_map(|batch| batch.gap);
        let starts = waiting().map(|count| count.slot.start()).chain(lost().map(|gap| gap.start));
        let ends = waiting().map(|count| count.last_time).chain(lost().map(|gap| gap.end));
        let start = starts.min().unwrap_or(turn.taken_until);
        let gap = Gap { start, end: ends.max().unwrap_or(start).max(start) };
        let id = new_id(&*self.random)?;
        self.store.open_flusher(id, Some(gap), turn.taken_until).await?;
        tracing::error!(
            usage.refused = count,
            "this server was taken for dead: what it had not stored is not counted"
        );
        *turn = Turn { id, made: 0, taken_until: turn.taken_until, waiting: VecDeque::new() };
        Ok(())
    }
}

impl Turn {
    /// Makes batches of counts that were taken after `now`, the last of which says so.
    fn make(&mut self, counts: &[UsageCount], rows_max: usize, now: Timestamp, gap: Option<Gap>) {
        let mut parts: VecDeque<&[UsageCount]> = counts.chunks(rows_max).collect();
        let last = parts.pop_back().unwrap_or_default();
        let mut gap = gap;
        for (counts, through) in
            parts.into_iter().map(|part| (part, None)).chain([(last, Some(now))])
        {
            self.made = self.made.saturating_add(1);
            let (number, counts) = (self.made, counts.to_vec());
            self.waiting.push_back(Batch { number, counts, through, gap: gap.take() });
        }
        self.taken_until = now;
    }
}

fn new_id(random: &dyn SecureRandom) -> Result<FlusherId, Unspecified> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(FlusherId::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use apikey::{
        id::KeyId,
        usage::{CountedVerdict, Slot},
    };

    use super::*;

    const TIME: Timestamp = Timestamp::from_micros(1_772_366_400_000_000);

    /// Each count is in one batch, in order; what lies beyond them is said with the last alone.
    #[test]
    fn batches_have_everything_once() {
        let counts: Vec<UsageCount> = (0..5)
            .map(|number| UsageCount {
                slot: Slot::of(TIME),
                key_id: KeyId::from_bytes([number; 16]),
                verdict: CountedVerdict::Valid,
                count: 1,
                last_time: TIME,
            })
            .collect();
        let gap = Gap { start: TIME, end: TIME };
        for (counted, sizes) in [(0, &[0][..]), (1, &[1]), (2, &[2]), (3, &[2, 1]), (5, &[2, 2, 1])]
        {
            let id = FlusherId::from_bytes([1; 16]);
            let mut turn = Turn { id, made: 7, taken_until: TIME, waiting: VecDeque::new() };
            turn.make(&counts[..counted], 2, TIME, Some(gap));
            let batches = Vec::from(turn.waiting);
            assert_eq!(batches.iter().map(|batch| batch.counts.len()).collect::<Vec<_>>(), sizes);
            let all = batches.iter().flat_map(|batch| batch.counts.clone());
            assert_eq!(all.collect::<Vec<_>>(), counts[..counted]);
            for (i, batch) in batches.iter().enumerate() {
                assert_eq!(batch.number, 8 + i64::try_from(i).unwrap());
                assert_eq!(batch.through, (i + 1 == batches.len()).then_some(TIME));
                assert_eq!(batch.gap, (i == 0).then_some(gap));
            }
        }
    }
}
