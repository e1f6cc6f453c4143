//! Keeps the resident index up with the store's feed: at once after a change of this server's own,
//! and by polling for changes that others made.

use std::{sync::Arc, time::Duration};

use apikey::clock::Clock;
use keyward_store::{Store, error::StoreError, record::Revision};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{
    gate::Gate,
    view::{Index, View},
};

/// How often changes are looked for that this server did not make itself.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How often secrets are taken out that are no longer recognised.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// The one writer of the index.
#[derive(Debug)]
pub struct Follower {
    store: Store,
    index: Arc<Index>,
    clock: Arc<dyn Clock>,
    recognition: Duration,
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
        let view = View::load(&store, recognition, clock.now()).await?;
        let index = Arc::new(Index::new(gate, view));
        let follower = Self { store, index, clock, recognition, turn: Mutex::new(()) };
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

    /// Returns when everything up to `revision` is in memory.
    ///
    /// # Errors
    /// A fault of the store; the change is then in effect here only later.
    pub async fn reach(&self, revision: Revision) -> Result<(), StoreError> {
        while self.index.applied() < revision {
            self.catch_up().await?;
        }
        Ok(())
    }

    /// Takes in whatever is committed by now.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let changes = self.store.changes_after(self.index.applied()).await?;
        self.index.apply(changes);
        Ok(())
    }

    /// Polls and sweeps until told to stop.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut poll = tokio::time::interval(POLL_EVERY);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        let mut behind = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = poll.tick() => {
                    let fetched = self.catch_up().await;
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
