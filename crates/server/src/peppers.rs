//! Which pepper new digests are made with, and how secrets get from older peppers to it.
//!
//! A digest cannot be made anew from a digest: it takes the secret, or its hash, and so the moment at
//! which a good secret is presented. Verification leaves the hash in a bounded queue and goes on; what
//! does not fit is left for the next time. A task takes it from there, and the secret's change of digest
//! reaches memory by the same feed as everything else. It is no change of the key.

use std::{collections::HashMap, sync::Arc, time::Duration};

use apikey::{
    clock::Clock,
    digest::{Digest, Pepper, PepperSet, SecretHash},
};
use keyward_store::{error::ChangeError, peppers::DigestMove, record::NewSecret};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::resident::{Outdated, follower::Follower};

/// So many secrets wait to be moved at most; each is seen again if it is used.
const QUEUE_MAX: usize = 1_024;
/// So many are moved in one change: it holds up the others for some milliseconds,
const BATCH_MAX: usize = 20;
/// and they have so long until the next one.
const PAUSE: Duration = Duration::from_millis(100);

/// The pepper that new digests are made with: the newest of those that every server on the database
/// holds. A server that met a digest under a pepper that it lacks would take a good key for an unknown
/// one. One server at a time serves a database, so it is the newest of its own.
#[must_use]
pub fn writing(peppers: &PepperSet) -> &Pepper {
    peppers.newest()
}

/// Where secrets wait that are to be moved.
#[derive(Debug, Clone)]
pub struct MoveQueue(Sender<Outdated>);

/// What moves them.
#[derive(Debug)]
pub struct Mover {
    queue: Receiver<Outdated>,
    follower: Arc<Follower>,
    peppers: Arc<PepperSet>,
    clock: Arc<dyn Clock>,
}

impl MoveQueue {
    /// Leaves a secret to be moved, if it is to be and there is room. Never waits.
    pub fn offer(&self, outdated: Option<Outdated>) {
        if let Some(outdated) = outdated {
            // A full queue is no news: the secret is moved when it is seen again.
            drop(self.0.try_send(outdated));
        }
    }
}

impl Mover {
    /// A queue, and what empties it.
    #[must_use]
    pub fn new(
        follower: Arc<Follower>,
        peppers: Arc<PepperSet>,
        clock: Arc<dyn Clock>,
    ) -> (MoveQueue, Self) {
        let (sender, queue) = channel(QUEUE_MAX);
        (MoveQueue(sender), Self { queue, follower, peppers, clock })
    }

    /// Moves what comes until told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.move_all() => {}
        }
    }

    /// Ends with the last queue.
    async fn move_all(&mut self) {
        let mut failing = false;
        loop {
            let mut seen = Vec::with_capacity(BATCH_MAX);
            if self.queue.recv_many(&mut seen, BATCH_MAX).await == 0 {
                return;
            }
            let moved = self.move_batch(seen).await;
            // Told once, however long it lasts.
            if let (Err(error), false) = (&moved, failing) {
                tracing::warn!(error.cause = %error, "secrets stay under their old pepper for now");
            }
            failing = moved.is_err();
            if moved.unwrap_or(true) {
                sleep(PAUSE).await;
            }
        }
    }

    /// Whether it took a change.
    async fn move_batch(&self, seen: Vec<Outdated>) -> Result<bool, ChangeError> {
        let seen: HashMap<Digest, SecretHash> =
            seen.into_iter().map(|Outdated { hash, digest }| (digest, hash)).collect();
        let pepper = writing(&self.peppers);
        // Not what an earlier batch has moved, which is the most of it: a secret is often used.
        let is_left = |digest: &Digest| {
            self.follower.index().answer(|view| view.get(digest).is_some()) == Ok(true)
        };
        let moves: Vec<DigestMove> = seen
            .into_iter()
            .filter(|(digest, _)| is_left(digest))
            .map(|(from, hash)| {
                let (digest, pepper_version) = (pepper.digest(&hash), pepper.version());
                DigestMove { from, to: NewSecret { digest, pepper_version } }
            })
            .collect();
        if moves.is_empty() {
            return Ok(false);
        }
        let moved = self.follower.store().move_digests(moves, self.clock.now()).await?;
        tracing::debug!(count = moved.value, pepper = %pepper.version(), "secrets were moved");
        // Until memory is up with it, both digests are good.
        self.follower.reach(moved.revision).await?;
        Ok(true)
    }
}
