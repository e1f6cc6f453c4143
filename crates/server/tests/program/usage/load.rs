//! Verifiers at full load, each of which knows what it was answered, and when.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use keyward_proto::v1::Verdict;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::timeout,
};

use crate::{
    client::{Client, Made},
    process::BOUND,
};

/// Verifiers of each key.
const VERIFIERS: usize = 2;

/// Verifiers that are at it.
pub(super) struct Load {
    enough: Arc<AtomicBool>,
    verifiers: JoinSet<(usize, Answers)>,
    answered: UnboundedReceiver<()>,
}

/// What the verifiers of one key were answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    /// When each VALID arrived, in microseconds since the epoch, by the clock that the server reads.
    pub(super) arrived: Vec<i64>,
    /// Calls whose answer never came: whether they were decided nobody knows.
    pub(super) cut_off: u64,
}

/// What a verifier does when a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnFailure {
    /// The server is gone.
    End,
    /// The server has said that it cannot answer now: it is asked again.
    GoOn,
}

impl Load {
    pub(super) fn put(client: &Client, keys: &[Made], on_failure: OnFailure) -> Self {
        let (tell, answered) = unbounded_channel();
        let enough = Arc::new(AtomicBool::new(false));
        let mut verifiers = JoinSet::new();
        for (place, key) in keys.iter().enumerate() {
            for _ in 0..VERIFIERS {
                let (client, secret) = (client.clone(), key.secret.clone());
                let (enough, tell) = (Arc::clone(&enough), tell.clone());
                verifiers.spawn(async move {
                    (place, verify(client, secret, on_failure, &enough, &tell).await)
                });
            }
        }
        Self { enough, verifiers, answered }
    }

    /// Waits for so many answers.
    pub(super) async fn answers(&mut self, count: u64) {
        for _ in 0..count {
            timeout(BOUND, self.answered.recv()).await.unwrap().unwrap();
        }
    }

    /// Ends it, and returns what the verifiers of each key know.
    pub(super) async fn end(self, keys: usize) -> Vec<Answers> {
        self.enough.store(true, Ordering::SeqCst);
        let mut all = vec![Answers::default(); keys];
        for (place, Answers { arrived, cut_off }) in
            timeout(BOUND, self.verifiers.join_all()).await.unwrap()
        {
            all[place].arrived.extend(arrived);
            all[place].cut_off += cut_off;
        }
        all
    }
}

async fn verify(
    client: Client,
    secret: String,
    on_failure: OnFailure,
    enough: &AtomicBool,
    tell: &UnboundedSender<()>,
) -> Answers {
    let mut answers = Answers::default();
    while !enough.load(Ordering::SeqCst) {
        match client.verdict(&secret).await {
            Ok(verdict) => {
                assert_eq!(verdict, Verdict::Valid);
                answers.arrived.push(now());
                // Nobody waits any more.
                let _ = tell.send(());
            }
            Err(_) if on_failure == OnFailure::GoOn => tokio::task::yield_now().await,
            Err(_) => {
                answers.cut_off += 1;
                break;
            }
        }
    }
    answers
}

/// Microseconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "the server in its own process reads this clock too")]
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_micros()).unwrap()
}
