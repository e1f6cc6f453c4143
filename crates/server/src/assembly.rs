//! Puts the server together. The only file that knows everybody.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use apikey::{clock::Clock, digest::PepperSet, secret::Prefix};
use keyward_proto::v1::{
    advisor_access_server::AdvisorAccessServer, key_management_server::KeyManagementServer,
    key_verification_server::KeyVerificationServer,
};
use keyward_store::Store;
use ring::rand::SecureRandom;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_stream::{Stream, StreamExt as _, wrappers::TcpListenerStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::transport::Server;

use crate::{
    callers::{
        authentication::{AuthenticationLayer, Authenticator},
        issuer::UserIssuer,
    },
    errors::form::FormLayer,
    health::Health,
    management::Management,
    peppers::{MoveQueue, Mover},
    resident::{
        follower::{Follower, WentBack},
        gate::Gate,
    },
    usage::{flusher::Flusher, keeper::Keeper},
    verification::Verification,
};

/// The largest message that management takes: a batch of imports fits.
const MANAGEMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The largest message that verification takes: a full batch of ordinary questions, many times over.
const VERIFICATION_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Streams that one connection may have open at once.
const STREAMS_MAX: u32 = 1_000;
/// Headers of one request, in bytes, at most.
const HEADERS_BYTES_MAX: u32 = 16 * 1024;
/// A peer that is silent for so long is asked whether it lives.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(60);
/// And has so long to answer.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait after a connection could not be accepted.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How often a server tries to have its database again, or to load its keys from it.
pub(crate) const RETRY_EVERY: Duration = Duration::from_secs(1);
/// How long the last counts have to be stored, after the calls have ended.
const LAST_FLUSH_MAX: Duration = Duration::from_secs(5);
/// What a server is made of.
#[expect(missing_debug_implementations, reason = "a bag that is emptied at once")]
pub struct Parts {
    /// Where keys are kept.
    pub store: Store,
    /// What keeps memory up with it.
    pub follower: Arc<Follower>,
    /// The right to answer from memory.
    pub gate: Arc<Gate>,
    /// What counts, and stores it.
    pub usage: Arc<Flusher>,
    /// What digests are made with.
    pub peppers: Arc<PepperSet>,
    /// The source of secrets and ids.
    pub random: Arc<dyn SecureRandom + Send + Sync>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who vouches for users; `None`: nobody, and there are none.
    pub users: Option<UserIssuer>,
    /// What secrets may begin with; the first is the default.
    pub prefixes: Arc<[Prefix]>,
    /// How long a secret is recognised after its end.
    pub recognition: Duration,
}

/// A server that serves.
#[derive(Debug)]
pub struct Running {
    /// How many secrets were in memory at the start.
    pub resident_secrets: usize,
    /// What keeps memory up with the store.
    pub follower: Arc<Follower>,
    /// What stores counts.
    pub usage: Arc<Flusher>,
    gate: Arc<Gate>,
    stop: CancellationToken,
    ended: CancellationToken,
    health: Arc<Health>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
    tasks: TaskTracker,
    /// Ends after all of these.
    counting: Counting,
    keeper: Keeper,
    drain: Duration,
}

/// The tasks that go on while the last calls are answered.
#[derive(Debug, Default)]
struct Counting {
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Serves on `listener`, and answers until `right_until`; `None` for good.
///
/// # Errors
/// When reflection cannot be built, which a test would have told.
pub async fn start(
    mut parts: Parts,
    listener: TcpListener,
    right_until: Option<Instant>,
    drain: Duration,
) -> anyhow::Result<Running> {
    let users = parts.users.take().map(Arc::new);
    let tasks = TaskTracker::new();
    let (moves, mover) = Mover::new(
        Arc::clone(&parts.follower),
        Arc::clone(&parts.peppers),
        Arc::clone(&parts.clock),
    );
    let Services { authenticator, management, verification } =
        Services::of(&parts, users.clone(), moves, tasks.clone());
    let Parts { store, follower, gate, usage, clock, .. } = parts;
    let keeper = Keeper::new(store, clock, Arc::clone(&usage));

    let (reporter, health_service) = tonic_health::server::health_reporter();
    let health = Arc::new(Health::new(reporter, Arc::clone(&gate)));
    health.tell().await;
    let router = Server::builder()
        .max_concurrent_streams(STREAMS_MAX)
        .http2_max_header_list_size(HEADERS_BYTES_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE_EVERY))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .layer(FormLayer)
        .layer(AuthenticationLayer(Arc::new(authenticator)))
        .add_service(
            KeyVerificationServer::new(verification)
                .max_decoding_message_size(VERIFICATION_BYTES_MAX),
        )
        .add_service(
            KeyManagementServer::new(management.clone())
                .max_decoding_message_size(MANAGEMENT_BYTES_MAX),
        )
        .add_service(
            AdvisorAccessServer::new(management).max_decoding_message_size(MANAGEMENT_BYTES_MAX),
        )
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);

    let stop = CancellationToken::new();
    tasks.spawn(Arc::clone(&follower).run(stop.clone()));
    tasks.spawn(mover.run(stop.clone()));
    tasks.spawn(Arc::clone(&health).follow_gate(stop.clone()));
    if let Some(users) = users {
        tasks.spawn(Arc::clone(&users.keys).run(stop.clone()));
    }
    gate.open(right_until);
    let until = stop.clone().cancelled_owned();
    let ended = CancellationToken::new();
    let tell = ended.clone().drop_guard();
    let serving = tasks.spawn(async move {
        let _tell = tell;
        router.serve_with_incoming_shutdown(incoming(listener), until).await
    });
    health.tell().await;
    let resident_secrets = follower.index().len();
    Ok(Running {
        resident_secrets,
        follower,
        usage,
        gate,
        stop,
        ended,
        health,
        serving,
        tasks,
        counting: Counting::default(),
        keeper,
        drain,
    })
}

impl Running {
    /// Stores what is counted from time to time, from now on and until the stop. Place for it is made first,
    /// which may have to wait for another server's transaction: nothing else does.
    pub fn store_usage(&self) {
        let Counting { stop, tasks } = &self.counting;
        let (usage, keeper, stop) = (Arc::clone(&self.usage), self.keeper.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = keeper.make_place() => {}
                () = stop.cancelled() => {}
            }
            tokio::join!(usage.run(stop.clone()), keeper.run(stop));
        });
    }

    /// Answers nothing from memory until resumed.
    pub async fn pause(&self) {
        self.gate.close();
        self.health.tell().await;
    }

    /// Loads everything anew, while paused.
    ///
    /// # Errors
    /// When the database went back in time: only a start may answer from what it holds now.
    pub async fn reload(&self) -> Result<(), WentBack> {
        loop {
            match self.follower.reload().await {
                Ok(loaded) => return loaded,
                Err(error) => {
                    tracing::warn!(error.cause = %error, "the keys cannot be loaded");
                    tokio::time::sleep(RETRY_EVERY).await;
                }
            }
        }
    }

    /// Answers from now on until a moment; `None` for good.
    pub async fn resume(&self, right_until: Option<Instant>) {
        self.gate.open(right_until);
        self.health.tell().await;
    }

    /// Goes on answering until a moment, unless paused; `None` for good.
    pub fn extend(&self, right_until: Option<Instant>) {
        self.gate.extend(right_until);
    }

    /// What opens and closes the answering from memory.
    #[must_use]
    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// Returns when the transport has ended, which only a stop should make it do.
    pub async fn transport_ended(&self) {
        self.ended.cancelled().await;
    }

    /// Takes no more calls, and waits until those in flight and changes under way have finished, or
    /// the drain's time is over; then what was counted is stored.
    ///
    /// # Errors
    /// When the server itself failed, or its time was over.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self { usage, stop, health, serving, tasks, counting, drain, .. } = self;
        stop.cancel();
        health.end().await;
        tasks.close();
        let finished = async {
            serving.await??;
            tasks.wait().await;
            Ok(())
        };
        let finished = match tokio::time::timeout(drain, finished).await {
            Ok(result) => result,
            Err(_) => Err(anyhow::anyhow!("calls in flight did not finish in {drain:?}")),
        };
        counting.end(&usage, finished.is_ok()).await;
        finished
    }
}

/// What calls meet, in this order.
struct Services {
    authenticator: Authenticator,
    management: Management,
    verification: Verification,
}

impl Services {
    fn of(
        parts: &Parts,
        users: Option<Arc<UserIssuer>>,
        moves: MoveQueue,
        changes: TaskTracker,
    ) -> Self {
        let Parts { store, follower, usage, peppers, random, clock, prefixes, .. } = parts;
        Self {
            authenticator: Authenticator {
                index: Arc::clone(follower.index()),
                peppers: Arc::clone(peppers),
                clock: Arc::clone(clock),
                recorder: Arc::clone(usage.recorder()),
                moves: moves.clone(),
                users,
            },
            management: Management {
                store: store.clone(),
                follower: Arc::clone(follower),
                peppers: Arc::clone(peppers),
                random: Arc::clone(random),
                clock: Arc::clone(clock),
                prefixes: Arc::clone(prefixes),
                changes,
            },
            verification: Verification {
                index: Arc::clone(follower.index()),
                peppers: Arc::clone(peppers),
                clock: Arc::clone(clock),
                recorder: Arc::clone(usage.recorder()),
                recognition: parts.recognition,
                moves,
            },
        }
    }
}

impl Counting {
    /// Stores what was counted. Where calls may still be under way, which nobody will count, this server
    /// does not leave in order, and will be said to have lost some.
    async fn end(self, usage: &Flusher, nobody_is_answered: bool) {
        let Self { stop, tasks } = self;
        stop.cancel();
        tasks.close();
        let last = async {
            tasks.wait().await;
            if nobody_is_answered { usage.end().await } else { usage.flush().await }
        };
        match tokio::time::timeout(LAST_FLUSH_MAX, last).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error.cause = %error, "the last usage is not stored"),
            Err(_) => tracing::error!("the last usage was not stored in {LAST_FLUSH_MAX:?}"),
        }
    }
}

/// The connections that come. `serve_with_incoming` leaves the sockets as they are; small answers must not
/// wait for company.
fn incoming(listener: TcpListener) -> impl Stream<Item = std::io::Result<TcpStream>> {
    TcpListenerStream::new(listener).then(async |accepted| {
        if accepted.is_err() {
            // Out of descriptors, most likely: trying again at once would only burn the processor.
            tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
        }
        let socket = accepted?;
        socket.set_nodelay(true)?;
        Ok(socket)
    })
}

/// With the error types too: else nobody could read an error's details.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(keyward_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
}
