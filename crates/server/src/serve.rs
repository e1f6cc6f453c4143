//! `keyward serve`: opens the store, loads everything, and only then says that it serves.

use std::sync::Arc;

use anyhow::Context as _;
use apikey::{
    clock::{Clock, SystemClock},
    digest::PepperSet,
    verdict::RECOGNITION_DEFAULT,
};
use keyward_store::{Exclusive, Store};
use ring::rand::SecureRandom;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    assembly::{self, Parts},
    commands::{self, say},
    config::Config,
    data_dir,
    operator_key::{OperatorKey, any_service_key},
    resident::{follower::Follower, gate::Gate},
    shutdown,
};

/// Serves until told to stop.
///
/// # Errors
/// Whatever keeps it from starting, and the loss of the database's lock.
pub async fn run(
    config: Config,
    random: Arc<dyn SecureRandom + Send + Sync>,
) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = commands::store(&config)?;
    let hold = commands::hold(&config, &store).await?;
    let peppers = Arc::new(data_dir::peppers(&config, &*random)?);
    commands::prepare(&config, &store, &peppers, &*clock).await?;
    let first_start = first_operator_key(&config, &store, &peppers, &*random, &*clock).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;

    let gate = Arc::new(Gate::default());
    let follower =
        Follower::start(store.clone(), Arc::clone(&gate), Arc::clone(&clock), RECOGNITION_DEFAULT);
    let follower = Arc::new(follower.await.context("the keys cannot be loaded")?);
    let parts = Parts {
        store,
        follower,
        gate,
        peppers,
        random,
        clock,
        prefixes: config.secret_prefixes.clone().into(),
        recognition: RECOGNITION_DEFAULT,
    };
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let server = assembly::start(parts, listener, stop.clone(), config.drain()).await?;
    greet(&config, address, server.resident_secrets, first_start);
    tokio::select! {
        () = shutdown::requested() => {}
        reason = lost(hold) => {
            // Another server may have the database by now: nothing may be answered from this memory.
            server.gate.close();
            stop.cancel();
            server.drained().await?;
            anyhow::bail!("the lock on the database was lost ({reason}); start again");
        }
    }
    tracing::info!("stopping: calls in flight may finish");
    stop.cancel();
    tokio::select! {
        drained = server.drained() => drained,
        () = shutdown::requested() => anyhow::bail!("stopped at once, by a second signal"),
    }
}

/// Returns when the right to be the only server is lost.
async fn lost(mut hold: Exclusive) -> String {
    hold.lost().await.to_string()
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
    say(&format!("keyward {version} is listening on {address}: {database}, {secrets} secrets"));
    let key_file = data_dir::operator_key_file(&config.data_dir);
    if config.database_url.is_none() && key_file.exists() {
        let key_file = key_file.display();
        if first_start {
            say(&format!("an operator key was made for you, in {key_file}"));
        }
        say(&format!("delete {key_file} once you have made service keys of your own"));
        say(&format!(
            "try: grpcurl -plaintext -H \"authorization: Bearer $(cat {key_file})\" {address} \
             keyward.v1.KeyManagement/ListScopes"
        ));
    }
}
