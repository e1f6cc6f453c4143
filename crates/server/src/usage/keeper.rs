//! Looks after what is stored of usage: rolls slots up, makes place, forgets what was kept long enough,
//! and closes who vanished. Every server does; the store lines them up.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use apikey::clock::Clock;
use keyward_store::{Store, error::StoreError};
use tokio_util::sync::CancellationToken;

use super::{flusher::Flusher, watch::Watch};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(30);
/// How often it makes place and forgets.
const KEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// See the module.
#[derive(Debug, Clone)]
pub struct Keeper {
    store: Store,
    clock: Arc<dyn Clock>,
    flusher: Arc<Flusher>,
}

impl Keeper {
    /// One beside this flusher.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, flusher: Arc<Flusher>) -> Self {
        Self { store, clock, flusher }
    }

    /// Makes place for what is to be counted. A database that does not let it is no reason not to serve.
    pub async fn make_place(&self) {
        if let Err(error) = self.store.keep_usage(self.clock.now()).await {
            tracing::warn!(error.cause = %error, "usage: partitions cannot be made or dropped");
        }
    }

    /// Looks after usage until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut failing = false;
        let (mut watch, mut kept) = (Watch::default(), None);
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                done = self.look(&mut watch, &mut kept) => done,
            };
            // Told once, however long it lasts.
            if let (Err(error), false) = (&done, failing) {
                tracing::warn!(error.cause = %error, "usage cannot be rolled up");
            }
            failing = done.is_err();
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    async fn look(&self, watch: &mut Watch, kept: &mut Option<Instant>) -> Result<(), StoreError> {
        self.close_lost(watch).await?;
        while self.store.roll_up_usage(self.clock.now()).await? {}
        if kept.is_none_or(|kept| kept.elapsed() >= KEEP_EVERY) {
            while self.store.keep_usage(self.clock.now()).await? {}
            *kept = Some(Instant::now());
        }
        Ok(())
    }

    async fn close_lost(&self, watch: &mut Watch) -> Result<(), StoreError> {
        let own = self.flusher.id().await;
        let mut others = self.store.flushers().await?;
        others.retain(|other| other.id != own);
        for lost in watch.lost(others, Instant::now()) {
            if self.store.close_flusher(lost, self.clock.now()).await? {
                tracing::warn!(
                    usage.flushed_through = %lost.through,
                    "a server vanished before it stored what it had counted: usage is incomplete"
                );
            }
        }
        Ok(())
    }
}
