//! The commands that open the store and close it again.

pub mod peppers;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use apikey::{
    clock::{Clock, SystemClock},
    digest::PepperSet,
    id::KeyId,
    verdict::RECOGNITION_DEFAULT,
};
use keyward_store::{PoolLimits, Store, exclusive::Exclusive, migrations::MigrationStatus};
use ring::rand::SecureRandom;

use crate::{
    callers::{
        development_issuer::{DevelopmentIssuer, Person},
        issuer::UserIssuer,
        key_cache::KeyCache,
    },
    config::{Config, Migrate},
    data_dir,
    operator_key::OperatorKey,
    peppers::writing,
};

/// How long a call waits for a free connection.
const POOL_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// The store of the configuration; nothing is connected yet.
pub fn store(config: &Config) -> anyhow::Result<Store> {
    let limits =
        PoolLimits { connections: usize::from(config.database_connections), wait: POOL_WAIT };
    Ok(match &config.database_url {
        Some(url) => Store::postgres(url.expose(), limits).context("--database-url")?,
        None => {
            data_dir::create(&config.data_dir)?;
            Store::sqlite(&config.data_dir, limits)?
        }
    })
}

/// Makes this process the only one on the store.
pub async fn hold(config: &Config, store: &Store) -> anyhow::Result<Exclusive> {
    match store.hold_exclusively().await? {
        Some(hold) => Ok(hold),
        None if config.database_url.is_some() => bail!(
            "another Keyward server is running on this database; a second one may start once \
             revocations are final across servers, which they are not yet in this build"
        ),
        None => bail!(
            "another Keyward process holds the data directory {}; stop the server first",
            config.data_dir.display()
        ),
    }
}

/// `keyward migrate`.
pub async fn migrate(
    config: &Config,
    what: Migrate,
    random: &dyn SecureRandom,
) -> anyhow::Result<()> {
    let store = store(config)?;
    // Concurrent PostgreSQL migrations line up by themselves.
    let _hold = match config.database_url {
        None => {
            let hold = hold(config, &store).await?;
            // This may be the folder's first use, which makes its peppers before its database.
            data_dir::peppers(config, random)?;
            Some(hold)
        }
        Some(_) => None,
    };
    match what {
        Migrate::Up => {
            refuse_unknown(&store.migration_status().await?)?;
            let run = store.migrate().await?;
            run.iter().for_each(|version| say(&format!("ran {version}")));
            say(&format!("{} migrations run; the schema is up to date", run.len()));
        }
        Migrate::Status => {
            let status = store.migration_status().await?;
            status.pending.iter().for_each(|version| say(&format!("pending {version}")));
            status.unknown.iter().for_each(|version| say(&format!("unknown {version}")));
            say(&format!(
                "{} known, {} pending, {} unknown to this version",
                status.known.len(),
                status.pending.len(),
                status.unknown.len()
            ));
        }
    }
    Ok(())
}

/// `keyward operator-key`: the secret goes to standard output, alone, and nowhere else.
pub async fn operator_key(
    config: &Config,
    name: &str,
    random: &dyn SecureRandom,
) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = store(config)?;
    let _hold = match config.database_url {
        None => Some(hold(config, &store).await?),
        Some(_) => None,
    };
    let peppers = data_dir::peppers(config, random)?;
    prepare_schema(config, &store).await?;
    refuse_early_pepper(&store, &peppers, &*clock).await?;
    check_peppers(&store, &peppers, &*clock).await?;
    let prefix = config.secret_prefixes.first().context("at least one secret prefix")?;
    let key = OperatorKey::generate(name, prefix, &peppers, random, &*clock)?;
    let secret = key.secret.expose().to_owned();
    let key = key.store(&store, &*clock).await?;
    tracing::info!(key.id = %key.key_id, "an operator key was made");
    say(&secret);
    Ok(())
}

/// `keyward user-token`: a token of the development issuer, alone on standard output. It needs no store, so
/// a server may be running. What cannot be a token is not printed.
pub fn user_token(config: &Config, person: &Person) -> anyhow::Result<()> {
    if config.database_url.is_some() || config.user_issuer.is_some() {
        bail!(
            "the development issuer is for the embedded store alone: on PostgreSQL, and wherever \
             --user-issuer is given, that issuer's tokens count"
        );
    }
    let file = data_dir::development_issuer_file(&config.data_dir);
    let development = data_dir::read_development_issuer(&file)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let keys = Arc::new(KeyCache::fixed(development.keys(), Arc::clone(&clock)));
    let expected = DevelopmentIssuer::expected(&config.user_audience, &config.user_token_type);
    let token = development.token(person, &expected, clock.now());
    let any_caller = KeyId::from_bytes([0; 16]);
    UserIssuer { expected, keys, clock }.verify(token.as_bytes(), &any_caller)?;
    say(&token);
    Ok(())
}

/// A server that is running knows the peppers that it started with, and no newer one: a key under such a
/// one would be unknown to it.
async fn refuse_early_pepper(
    store: &Store,
    peppers: &PepperSet,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let known = store.pepper_uses(clock.now()).await?;
    let version = writing(peppers).version();
    if !known.is_empty() && !known.iter().any(|(known, _)| *known == version) {
        bail!("no server has started with pepper {version} yet; start one first");
    }
    Ok(())
}

/// Brings the schema up (SQLite) or refuses one that does not fit (PostgreSQL).
pub async fn prepare_schema(config: &Config, store: &Store) -> anyhow::Result<()> {
    let status = store.migration_status().await?;
    refuse_unknown(&status)?;
    if !status.pending.is_empty() {
        if config.database_url.is_some() {
            bail!(
                "the database lacks {} migrations; run `keyward migrate up` first",
                status.pending.len()
            );
        }
        store.migrate().await?;
    }
    Ok(())
}

/// Refuses peppers that do not fit the database.
pub async fn check_peppers(
    store: &Store,
    peppers: &PepperSet,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let now = clock.now();
    store.check_peppers(peppers, now.saturating_sub(RECOGNITION_DEFAULT), now).await??;
    Ok(())
}

fn refuse_unknown(status: &MigrationStatus) -> anyhow::Result<()> {
    match status.unknown.last() {
        Some(version) => {
            bail!("the database has migration {version}, which a newer Keyward made; use that one")
        }
        None => Ok(()),
    }
}

/// A line on standard output.
#[expect(clippy::print_stdout, reason = "a command's answer")]
pub fn say(line: &str) {
    println!("{line}");
}
