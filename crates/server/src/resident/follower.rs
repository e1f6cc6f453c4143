//! Keeps the resident index up with the store's feed: at once after a change of this server's own,
//! and by polling for changes that others made, sooner where the store hints at them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use apikey::clock::Clock;
use keyward_store::{Store, error::StoreError, exclusive::CONFIRMATION, record::Revision};
use tokio::{sync::Mutex, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    gate::Gate,
    view::{Index, View},
};

/// How often changes are looked for that this server did not make itself.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How often secrets are taken out that are no longer recognised.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// How long a look at what changed proves that memory is current: as long as a proof of being alone
/// counts. Where nothing can be fetched or taken in for longer, no answer is better than an old one.
const CURRENT_FOR: Duration = CONFIRMATION;
/// How long the store may take to tell what changed.
const FETCH_MAX: Duration = Duration::from_secs(10);

/// A database that was further once: restored, or failed over with a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the database is at revision {database}, and memory at {memory}: it went back in time; \
     start again to serve what it holds now"
)]
pub struct WentBack {
    /// Where the database is.
    pub database: Revision,
    /// Where it had been.
    pub memory: Revision,
}

impl WentBack {
    /// A database must hold at least what memory does.
    fn unless_ahead(database: Revision, memory: Revision) -> Result<(), Self> {
        if database < memory { Err(Self { database, memory }) } else { Ok(()) }
    }
}

impl From<WentBack> for StoreError {
    fn from(went_back: WentBack) -> Self {
        Self::Unavailable(went_back.to_string())
    }
}

/// The one writer of the index.
#[derive(Debug)]
pub struct Follower {
    store: Store,
    index: Arc<Index>,
    clock: Arc<dyn Clock>,
    recognition: Duration,
    /// The store's number as it was when it was asked last.
    foreign_writes: AtomicI64,
    /// Held while changes are fetched and applied: one at a time, in order.
    turn: Mutex<()>,
}

impl Follower {
    /// Loads everything, and follows from there.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn start(
        store: Store,
        gate: Arc<Gate>,
        clock: Arc<dyn Clock>,
        recognition: Duration,
    ) -> Result<Self, StoreError> {
        let foreign_writes = AtomicI64::new(store.foreign_writes().await?);
        let view = View::load(&store, recognition, clock.now()).await?;
        let index = Arc::new(Index::new(gate, view));
        let turn = Mutex::new(());
        let follower = Self { store, index, clock, recognition, foreign_writes, turn };
        follower.catch_up().await?;
        Ok(follower)
    }

    /// What it keeps up with.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What it keeps up.
    #[must_use]
    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// Returns when everything up to `revision`, which is committed, is in memory.
    ///
    /// # Errors
    /// A fault of the store, or one that does not have the revision: the change is then not in effect
    /// here, or lost.
    pub async fn reach(&self, revision: Revision) -> Result<(), StoreError> {
        if self.index.applied() >= revision {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        // Many changes share one look: whoever had the turn before may have taken this one in.
        if self.index.applied() < revision {
            self.take_in().await?;
        }
        if self.index.applied() < revision {
            return Err(StoreError::Unavailable(format!("the database is behind {revision}")));
        }
        Ok(())
    }

    /// Takes in whatever is committed by now.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        self.take_in().await
    }

    /// Only ever called by whoever has the turn.
    async fn take_in(&self) -> Result<(), StoreError> {
        let asked = Instant::now();
        let changes = self.store.changes_after(self.index.applied());
        let changes = timeout(FETCH_MAX, changes)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("no answer in time".to_owned())))?;
        WentBack::unless_ahead(changes.through, self.index.applied())?;
        self.index.apply(changes);
        self.index.keep_current(asked + CURRENT_FOR);
        Ok(())
    }

    /// Puts everything anew in memory's place, if the database holds no less. Only ever called by whoever
    /// has the turn.
    async fn load_anew(&self) -> Result<Result<(), WentBack>, StoreError> {
        let view = View::load(&self.store, self.recognition, self.clock.now()).await?;
        let ahead = WentBack::unless_ahead(view.applied(), self.index.applied());
        if ahead.is_ok() {
            self.index.replace(view);
        }
        Ok(ahead)
    }

    /// Takes in whatever others did by now. Where somebody wrote past the history, as a forced write to
    /// SQLite's file does, the history tells nothing, and everything is loaded anew.
    async fn look(&self) -> Result<(), StoreError> {
        let foreign_writes = self.store.foreign_writes().await?;
        if self.foreign_writes.load(Ordering::Acquire) != foreign_writes {
            tracing::error!("another program wrote to the database, past Keyward: loading it anew");
            let _turn = self.turn.lock().await;
            self.load_anew().await??;
            self.foreign_writes.store(foreign_writes, Ordering::Release);
        }
        self.catch_up().await
    }

    /// Loads everything anew: what happened while somebody else had the database need not be a
    /// continuation of what is in memory. Nobody may be answering meanwhile.
    ///
    /// # Errors
    /// A fault of the store. A database that holds less than memory did is the inner error.
    pub async fn reload(&self) -> Result<Result<(), WentBack>, StoreError> {
        let _turn = self.turn.lock().await;
        if let Err(went_back) = self.load_anew().await? {
            return Ok(Err(went_back));
        }
        // Loading may have taken long.
        self.take_in().await.map(Ok)
    }

    /// Polls, listens and sweeps until told to stop.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.poll() => {}
            () = self.listen() => {}
        }
    }

    /// Looks whenever something is said to have changed. Never returns.
    pub async fn listen(&self) {
        let mut hints = self.store.hints();
        loop {
            hints.next().await;
            // The next poll fails likewise, and says so.
            drop(self.look().await);
        }
    }

    async fn poll(&self) {
        let mut poll = tokio::time::interval(POLL_EVERY);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        let mut behind = false;
        loop {
            tokio::select! {
                _ = poll.tick() => {
                    let fetched = self.look().await;
                    // Told once, however long it lasts.
                    if let (Err(error), false) = (&fetched, behind) {
                        tracing::warn!(error.cause = %error, "changes cannot be fetched");
                    }
                    behind = fetched.is_err();
                }
                _ = sweep.tick() => {
                    let _turn = self.turn.lock().await;
                    self.index.sweep(self.recognition, self.clock.now());
                }
            }
        }
    }
}
