//! Usage: who counts, what was counted, and what can be said of it.
//!
//! - Servers flush counts in batches, each of which counts once, however often it is sent.
//! - What was flushed is in every answer at once: slots are rolled up into hours, days and totals
//!   later, and whoever reads adds those that are not, all in one snapshot.
//! - A count is never refused for its time: one that comes after its slot was rolled up goes into
//!   the first that was not.
//! - Usage is no change: it has no place in the history, and touches neither etag nor `update_time`.

use std::{collections::BTreeMap, time::Duration};

use crate::{Engine, Store, error::StoreError, on_engine};
use apikey::{
    billing::BillingPeriod,
    clock::Timestamp,
    id::{BusinessId, KeyId},
    usage::{CountedVerdict, Slot},
};

/// For so long slots are kept, if they are rolled up by then.
pub const SLOTS_KEPT: Duration = Duration::from_secs(48 * 60 * 60);
/// For so long hours are kept.
pub const HOURS_KEPT: Duration = Duration::from_secs(35 * 24 * 60 * 60);
/// For so long days are kept.
pub const DAYS_KEPT: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The most rows of a batch on SQLite: no change waits longer for the one writer than these take.
const SQLITE_ROWS_MAX: usize = 5_000;
/// The most rows of a batch on PostgreSQL: a transaction of about a second.
const POSTGRES_ROWS_MAX: usize = 100_000;

/// One run of a server, as one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlusherId([u8; 16]);

/// How far a flusher is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flusher {
    /// Which.
    pub id: FlusherId,
    /// Its last batch that was counted.
    pub batch: i64,
    /// What it counted before this moment is stored.
    pub through: Timestamp,
}

/// How often one key had one verdict in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageCount {
    /// The slot.
    pub slot: Slot,
    /// The key.
    pub key_id: KeyId,
    /// The verdict.
    pub verdict: CountedVerdict,
    /// How often; 0 moves the last time alone.
    pub count: i64,
    /// The last time.
    pub last_time: Timestamp,
}

/// Counts that are stored together, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// 1 for the flusher's first, one more for each.
    pub number: i64,
    /// Sorted, and no key, slot and verdict twice: see [`merge`]. At most [`Store::batch_rows_max`].
    pub counts: Vec<UsageCount>,
    /// With this batch all that was counted before this moment is stored; `None`: more is to come.
    pub through: Option<Timestamp>,
    /// A time of which the flusher knows that it lost counts.
    pub gap: Option<Gap>,
}

/// A time of which counts may be missing. Both ends are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// From when on.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    /// It is counted now.
    Counted,
    /// It was counted before: the answer had been lost.
    CountedBefore,
    /// The flusher was closed, as lost, or is unknown: nothing was counted, and nothing of it ever will.
    Closed,
}

/// What can be said of a key's use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUsage {
    /// The last VALID verdict; of a service key, the last call.
    pub last_use_time: Option<Timestamp>,
    /// The last denial of one of its secrets.
    pub last_denied_use_time: Option<Timestamp>,
    /// VALID verdicts in the period.
    pub request_count: i64,
    /// The business's current period.
    pub billing_period: BillingPeriod,
    /// Every use before this moment is in all of this.
    pub counted_until: Timestamp,
    /// Whether counts of the period may be missing.
    pub incomplete: bool,
}

/// Which usage.
#[derive(Debug, Clone)]
pub struct UsageQuery {
    /// Whose.
    pub business_id: BusinessId,
    /// Of which of its keys; `None`: of all together.
    pub key_id: Option<KeyId>,
    /// Hours or days that begin at this moment or after it,
    pub start: Timestamp,
    /// and before this one.
    pub end: Timestamp,
    /// Hours or days.
    pub granularity: Granularity,
}

/// How finely usage is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// By hour of UTC.
    Hour,
    /// By day in the business's zone.
    Day,
}

/// Usage over a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    /// How often each verdict was given, by the first moment of the hour or day.
    pub rows: BTreeMap<Timestamp, BTreeMap<CountedVerdict, i64>>,
    /// Every verdict before this moment is in the rows.
    pub counted_until: Timestamp,
    /// Whether counts may be missing.
    pub incomplete: bool,
}

impl FlusherId {
    /// The one of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl KeyUsage {
    /// Of a key that nobody can have used before `counted_until`.
    #[must_use]
    pub const fn none(billing_period: BillingPeriod, counted_until: Timestamp) -> Self {
        Self {
            last_use_time: None,
            last_denied_use_time: None,
            request_count: 0,
            billing_period,
            counted_until,
            incomplete: false,
        }
    }
}

/// Sorts counts as a batch has them, and adds up those of the same slot, key and verdict.
#[must_use]
pub fn merge(mut counts: Vec<UsageCount>) -> Vec<UsageCount> {
    counts.sort_unstable_by_key(|count| (count.slot, count.key_id, count.verdict));
    counts.dedup_by(|next, kept| {
        let same = (next.slot, next.key_id, next.verdict) == (kept.slot, kept.key_id, kept.verdict);
        if same {
            kept.count = kept.count.saturating_add(next.count);
            kept.last_time = kept.last_time.max(next.last_time);
        }
        same
    });
    counts
}

impl Store {
    /// How many rows a batch has at most: each is one transaction.
    #[must_use]
    pub fn batch_rows_max(&self) -> usize {
        match &self.engine {
            Engine::Postgres(_) => POSTGRES_ROWS_MAX,
            Engine::Sqlite(_) => SQLITE_ROWS_MAX,
        }
    }

    /// Enters a flusher that has counted nothing before `now`, and a time of which counts were lost
    /// before it came. On SQLite, where nobody else can be running, all others are closed as lost.
    /// Done twice it is done once.
    ///
    /// # Errors
    /// A fault.
    pub async fn open_flusher(
        &self,
        id: FlusherId,
        gap: Option<Gap>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on_engine!(self, database => database.open_flusher(id, gap, now))
    }

    /// Counts a batch, once.
    ///
    /// # Errors
    /// A fault: whether it was counted is unknown, and asking again with the same batch tells.
    pub async fn flush(&self, id: FlusherId, batch: Batch) -> Result<Flushed, StoreError> {
        on_engine!(self, database => database.flush(id, batch))
    }

    /// Ends a flusher that has flushed everything.
    ///
    /// # Errors
    /// A fault: it may be declared lost later.
    pub async fn end_flusher(&self, id: FlusherId) -> Result<(), StoreError> {
        on_engine!(self, database => database.end_flusher(id))
    }

    /// All flushers that were neither ended nor closed.
    ///
    /// # Errors
    /// A fault.
    pub async fn flushers(&self) -> Result<Vec<Flusher>, StoreError> {
        on_engine!(self, database => database.flushers())
    }

    /// Closes a flusher as lost, if it is as it was `seen`: a gap from where it had flushed through until
    /// `now` is left in its place. Tells whether it was.
    ///
    /// # Errors
    /// A fault.
    pub async fn close_flusher(&self, seen: Flusher, now: Timestamp) -> Result<bool, StoreError> {
        on_engine!(self, database => database.close_flusher(seen, now))
    }

    /// Every use before this moment is stored: the least time through which a flusher has flushed, or
    /// `now` where nobody counts.
    ///
    /// # Errors
    /// A fault.
    pub async fn counted_until(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        on_engine!(self, database => database.counted_until(now))
    }

    /// Rolls up one step of the slots that are complete; tells whether more are left. Several may do so
    /// at once: one does, the others wait.
    ///
    /// # Errors
    /// A fault.
    pub async fn roll_up_usage(&self, now: Timestamp) -> Result<bool, StoreError> {
        on_engine!(self, database => database.roll_up_usage(now))
    }

    /// Makes place for usage to come, and forgets one step of what was kept long enough; tells whether
    /// more is left.
    ///
    /// # Errors
    /// A fault.
    pub async fn keep_usage(&self, now: Timestamp) -> Result<bool, StoreError> {
        on_engine!(self, database => database.keep_usage(now))
    }

    /// What can be said of these keys' use; a key that is unknown, or whose business is, is left out.
    ///
    /// # Errors
    /// A fault.
    pub async fn usage_of_keys(
        &self,
        key_ids: Vec<KeyId>,
        now: Timestamp,
    ) -> Result<BTreeMap<KeyId, KeyUsage>, StoreError> {
        on_engine!(self, database => database.usage_of_keys(key_ids, now))
    }

    /// A business's billing period at a time; one that is not there has what it would have.
    ///
    /// # Errors
    /// A fault.
    pub async fn billing_period(
        &self,
        business_id: &BusinessId,
        time: Timestamp,
    ) -> Result<BillingPeriod, StoreError> {
        on_engine!(self, database => database.billing_period(business_id, time))
    }

    /// Usage over a time. `None`: the business has no such key.
    ///
    /// # Errors
    /// A fault.
    pub async fn query_usage(
        &self,
        query: UsageQuery,
        now: Timestamp,
    ) -> Result<Option<UsageReport>, StoreError> {
        on_engine!(self, database => database.query_usage(query, now))
    }
}
