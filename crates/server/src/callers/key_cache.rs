//! The issuer's public keys in memory, and what keeps them fresh: one task, which alone fetches, so that
//! no request ever waits for the issuer and no flood of requests becomes a flood of fetches.
//!
//! The last good set stays for as long as the process lives, however often fetching fails: keys that
//! an issuer withdraws are gone with the next fetch that succeeds, and an issuer that is away takes
//! nobody's access with it.

use std::{sync::Arc, time::Duration};

use apikey::clock::{Clock, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{
    key_source::{KeySource, LoadError},
    token::{
        fault::TokenFault,
        keys::{KeySet, VerificationKey},
    },
};

/// How often keys are fetched when nothing asks for it; also how long a withdrawn key may live on.
const REFRESH_EVERY: Duration = Duration::from_secs(5 * 60);
/// How soon a fetch that failed is repeated.
const RETRY_AFTER: Duration = Duration::from_secs(15);
/// A key that is not in the set has it fetched anew, but so often at most.
pub const REFETCH_AFTER: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub struct KeyCache {
    state: watch::Sender<State>,
    wanted: Notify,
    /// `None`: the keys are what they are.
    source: Option<KeySource>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Clone, Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    last: Option<Attempt>,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    ended: Timestamp,
    succeeded: bool,
}

impl KeyCache {
    /// Keys that never change.
    #[must_use]
    pub fn fixed(keys: KeySet, clock: Arc<dyn Clock>) -> Self {
        let state = State { keys: Some(Arc::new(keys)), last: None };
        let (state, _) = watch::channel(state);
        Self { state, wanted: Notify::new(), source: None, clock }
    }

    /// Keys that [`KeyCache::run`] fetches and keeps fresh.
    #[must_use]
    pub fn fetched(source: KeySource, clock: Arc<dyn Clock>) -> Self {
        let (state, _) = watch::channel(State::default());
        Self { state, wanted: Notify::new(), source: Some(source), clock }
    }

    /// The key of this name.
    ///
    /// # Errors
    /// That there is none. Where a fetch could still bring it, one is begun, and the error says to try again.
    pub fn find(&self, kid: &str, now: Timestamp) -> Result<Arc<VerificationKey>, TokenFault> {
        let State { keys, last } = self.state.borrow().clone();
        if let Some(key) = keys.as_ref().and_then(|keys| keys.get(kid)) {
            return Ok(key);
        }
        let due = is_due(last, now);
        if due {
            self.wanted.notify_one();
        }
        let certain = self.source.is_none() || (!due && last.is_some_and(|last| last.succeeded));
        Err(if certain { TokenFault::KeyUnknown } else { TokenFault::KeysUnavailable })
    }

    /// Fetches until told to stop.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let Some(source) = &self.source else { return };
        loop {
            let loaded = tokio::select! {
                loaded = source.load() => loaded,
                () = stop.cancelled() => return,
            };
            let wait = self.take(loaded);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.wanted_and_due() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Takes what a fetch brought; returns how long to wait for the next.
    fn take(&self, loaded: Result<KeySet, LoadError>) -> Duration {
        let succeeded = loaded.is_ok();
        let last = Some(Attempt { ended: self.clock.now(), succeeded });
        match loaded {
            Ok(keys) => {
                let keys = Arc::new(keys);
                self.state.send_modify(|state| {
                    if state.keys.as_ref() != Some(&keys) {
                        tell(&keys);
                    }
                    *state = State { keys: Some(keys), last };
                });
                REFRESH_EVERY
            }
            Err(error) => {
                let has_keys = self.state.borrow().keys.is_some();
                tracing::warn!(error.cause = %error, has_keys, "the users' keys cannot be fetched");
                self.state.send_modify(|state| state.last = last);
                RETRY_AFTER
            }
        }
    }

    async fn wanted_and_due(&self) {
        loop {
            self.wanted.notified().await;
            let last = self.state.borrow().last;
            if is_due(last, self.clock.now()) {
                return;
            }
        }
    }
}

/// A clock that went back must not make it wait for ever.
fn is_due(last: Option<Attempt>, now: Timestamp) -> bool {
    last.is_none_or(|Attempt { ended, .. }| {
        now < ended || now >= ended.saturating_add(REFETCH_AFTER)
    })
}

fn tell(keys: &KeySet) {
    if keys.is_empty() {
        tracing::warn!("the users' issuer has no key that verifies: no user token is good");
    } else {
        tracing::info!(keys = keys.len(), "the users' keys have changed");
    }
    for skipped in &keys.skipped {
        tracing::warn!(skipped, "a key of the users' issuer is of no use");
    }
}

#[cfg(test)]
mod tests;
