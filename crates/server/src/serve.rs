//! `keyward serve`: opens the store, loads everything, and only then says that it serves.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use apikey::{
    clock::{Clock, SystemClock},
    digest::PepperSet,
    verdict::RECOGNITION_DEFAULT,
};
use keyward_store::{
    Store,
    error::StoreError,
    exclusive::{CONFIRMATION, Exclusive},
};
use ring::rand::SecureRandom;
use tokio::net::TcpListener;

use crate::{
    assembly::{self, Parts, RETRY_EVERY, Running},
    commands::{self, say},
    config::Config,
    data_dir,
    operator_key::{OperatorKey, any_service_key},
    resident::{
        follower::{Follower, WentBack},
        gate::Gate,
    },
    shutdown::StopSignals,
    usage::flusher::Flusher,
    users,
};

/// How often the right to answer is confirmed.
const CONFIRM_EVERY: Duration = Duration::from_secs(1);
/// How long after taking the right over nobody else can be answering by a confirmation of theirs, even
/// if clocks differ in their rate by a tenth.
const TAKE_OVER_AFTER: Duration = CONFIRMATION.saturating_add(Duration::from_millis(500));

/// Serves until told to stop.
///
/// # Errors
/// Whatever keeps it from starting, and a database that is lost for good.
pub async fn run(
    config: Config,
    random: Arc<dyn SecureRandom + Send + Sync>,
) -> anyhow::Result<()> {
    let mut signals = StopSignals::hear()?;
    let (server, mut hold) = tokio::select! {
        started = start(&config, random) => started?,
        () = signals.next() => return Ok(()),
    };
    tokio::select! {
        () = signals.next() => {}
        error = keep_right(&mut hold, &server) => return Err(error.into()),
        () = server.transport_ended() => anyhow::bail!("the server ended by itself"),
    }
    tracing::info!("stopping: calls in flight may finish");
    // The right is kept, and confirmed, until the last of them has: nobody else begins meanwhile.
    let gate = server.gate();
    tokio::select! {
        stopped = server.stop() => stopped?,
        () = signals.next() => anyhow::bail!("stopped at once, by a second signal"),
        reason = confirm_until_lost(&mut hold, |until| gate.extend(until)) => {
            anyhow::bail!("stopped at once: the database was lost ({reason})")
        }
    }
    if let Err(error) = hold.end().await {
        tracing::warn!(error.cause = %error, "the next server will wait, as this end is not on record");
    }
    Ok(())
}

async fn start(
    config: &Config,
    random: Arc<dyn SecureRandom + Send + Sync>,
) -> anyhow::Result<(Running, Exclusive)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = commands::store(config)?;
    let mut hold = commands::hold(config, &store).await?;
    let peppers = Arc::new(data_dir::peppers(config, &*random)?);
    let users = users::issuer(config, &clock, &*random)?;
    commands::prepare_schema(config, &store).await?;
    commands::check_peppers(&store, &peppers, &*clock).await?;
    if hold.begin().await? {
        tracing::warn!(
            "the server before ended without a word: waiting until it cannot be answering"
        );
        tokio::time::sleep(TAKE_OVER_AFTER).await;
    }
    let first_start = first_operator_key(config, &store, &peppers, &*random, &*clock).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;

    let gate = Arc::new(Gate::default());
    let follower =
        Follower::start(store.clone(), Arc::clone(&gate), Arc::clone(&clock), RECOGNITION_DEFAULT);
    let follower = Arc::new(follower.await.context("the keys cannot be loaded")?);
    let usage = Flusher::open(store.clone(), Arc::clone(&clock), Arc::clone(&random)).await;
    let parts = Parts {
        store,
        follower,
        gate,
        usage: Arc::new(usage.context("usage cannot be counted")?),
        peppers,
        random,
        clock,
        users,
        prefixes: config.secret_prefixes.clone().into(),
        recognition: RECOGNITION_DEFAULT,
    };
    // Loading may have taken long.
    let right_until = hold.confirm().await;
    let right_until = right_until.context("the database was lost while the keys were loaded")?;
    let server = assembly::start(parts, listener, right_until, config.drain()).await?;
    server.store_usage();
    greet(config, address, server.resident_secrets, first_start);
    Ok((server, hold))
}

/// Answers from memory only while this server has its database alone. Where it may not have, it pauses
/// until it has again, and has loaded what is there by then. Returns only when that can never be.
async fn keep_right(hold: &mut Exclusive, server: &Running) -> WentBack {
    loop {
        let reason = confirm_until_lost(hold, |until| server.extend(until)).await;
        server.pause().await;
        tracing::warn!(error.cause = %reason, "the database was lost: no answers until it is back");
        let right_until = loop {
            *hold = hold_again(server).await;
            // Another server may have come and gone meanwhile, and still be answering.
            tokio::time::sleep(TAKE_OVER_AFTER).await;
            if let Err(went_back) = server.reload().await {
                return went_back;
            }
            // Loading may have taken long.
            if let Ok(right_until) = hold.confirm().await {
                break right_until;
            }
        };
        server.resume(right_until).await;
        tracing::info!("the database is back");
    }
}

/// Proves the right again and again, until it is lost; returns the reason.
async fn confirm_until_lost(hold: &mut Exclusive, extend: impl Fn(Option<Instant>)) -> StoreError {
    loop {
        tokio::time::sleep(CONFIRM_EVERY).await;
        match hold.confirm().await {
            Ok(right_until) => extend(right_until),
            Err(reason) => return reason,
        }
    }
}

async fn hold_again(server: &Running) -> Exclusive {
    let mut told = false;
    loop {
        tokio::time::sleep(RETRY_EVERY).await;
        match server.follower.store().hold_exclusively().await {
            Ok(Some(hold)) => return hold,
            Ok(None) if !told => {
                told = true;
                tracing::warn!("another server has the database now; this one waits");
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(error.cause = %error, "the database is still away"),
        }
    }
}

/// The embedded default makes an operator key while there is no service key, and leaves its secret in
/// a file. The file comes first: a key whose secret nobody ever saw would be worse than a file
/// without a key, which the next start replaces.
async fn first_operator_key(
    config: &Config,
    store: &Store,
    peppers: &PepperSet,
    random: &dyn SecureRandom,
    clock: &dyn Clock,
) -> anyhow::Result<bool> {
    if config.database_url.is_some() || any_service_key(store, clock).await? {
        return Ok(false);
    }
    let prefix = config.secret_prefixes.first().context("at least one secret prefix")?;
    let key = OperatorKey::generate("operator", prefix, peppers, random, clock)?;
    data_dir::write_operator_key(&config.data_dir, key.secret.expose())?;
    key.store(store, clock).await?;
    Ok(true)
}

/// What a newcomer needs next.
fn greet(config: &Config, address: std::net::SocketAddr, secrets: usize, first_start: bool) {
    let version = env!("CARGO_PKG_VERSION");
    let database = match config.database_url {
        Some(_) => "PostgreSQL".to_owned(),
        None => format!("SQLite in {}", config.data_dir.display()),
    };
    say(&format!(
        "keyward {version} is listening on {address}: {database}, {secrets} secrets in memory"
    ));
    let key_file = data_dir::operator_key_file(&config.data_dir);
    if config.database_url.is_none() && key_file.exists() {
        let key_file = key_file.display();
        if first_start {
            say(&format!("an operator key was made for you, in {key_file}"));
        }
        say(&format!("delete {key_file} once you have made service keys of your own"));
        say(&format!(
            "try: grpcurl -plaintext -H \"authorization: Bearer $(cat '{key_file}')\" {address} \
             keyward.v1.KeyManagement/ListScopes"
        ));
    }
}
