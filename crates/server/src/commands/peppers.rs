//! `keyward peppers`: what is under which pepper, one more, one less.

use anyhow::{Context as _, bail, ensure};
use apikey::{
    clock::{Clock as _, SystemClock},
    digest::{PepperSet, PepperVersion},
};
use keyward_store::peppers::{PepperUse, RetireRefused};
use ring::rand::SecureRandom;

use super::{check_peppers, hold, prepare_schema, say, store};
use crate::{
    config::{Config, Peppers},
    data_dir,
};

/// Does what is to be done.
pub async fn run(config: &Config, what: Peppers, random: &dyn SecureRandom) -> anyhow::Result<()> {
    match what {
        Peppers::Status => status(config).await,
        Peppers::Add => add(config, random),
        Peppers::Retire { version, live_keys, dead_secrets } => {
            let version =
                PepperVersion::new(version).context("a pepper's version is at least 1")?;
            retire(config, version, PepperUse { live: live_keys, dead: dead_secrets }).await
        }
    }
}

async fn status(config: &Config) -> anyhow::Result<()> {
    let store = store(config)?;
    let _hold = match config.database_url {
        None => Some(hold(config, &store).await?),
        Some(_) => None,
    };
    prepare_schema(config, &store).await?;
    let peppers = PepperSet::parse(&data_dir::read_peppers(config)?)?;
    let uses = store.pepper_uses(SystemClock.now()).await?;
    for (version, PepperUse { live, dead }) in &uses {
        let held = peppers.iter().any(|pepper| pepper.version() == *version);
        let place = if held { "" } else { ", not in the pepper file" };
        say(&format!("pepper {version}: {live} live keys, {dead} dead secrets{place}"));
    }
    for pepper in peppers.iter() {
        let version = pepper.version();
        if !uses.iter().any(|(known, _)| *known == version) {
            say(&format!("pepper {version}: no server has started with it yet"));
        }
    }
    Ok(())
}

fn add(config: &Config, random: &dyn SecureRandom) -> anyhow::Result<()> {
    let text = data_dir::read_peppers(config)?;
    let newest = PepperSet::parse(&text)?.newest().version();
    let next = newest.get().checked_add(1).and_then(PepperVersion::new);
    let next = next.context("there is no version after the newest")?;
    let longer = PepperSet::add_to_file(&text, next, random)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    PepperSet::parse(&longer)?;
    data_dir::write_peppers(config, &longer)?;
    let file = data_dir::pepper_file(config);
    say(&format!("pepper {next} was added to {}", file.display()));
    say(
        "keep a copy of the file, apart from the database; then start the server again: from then on \
         it writes with the new pepper, and moves secrets to it as they are used",
    );
    Ok(())
}

async fn retire(
    config: &Config,
    version: PepperVersion,
    expected: PepperUse,
) -> anyhow::Result<()> {
    let text = data_dir::read_peppers(config)?;
    let peppers = PepperSet::parse(&text)?;
    ensure!(
        version < peppers.newest().version(),
        "pepper {version} is the newest, which writes; add another first, with `keyward peppers add`"
    );
    let store = store(config)?;
    // On PostgreSQL too: a server that goes on would go on looking under it.
    let _hold = hold(config, &store).await?;
    prepare_schema(config, &store).await?;
    check_peppers(&store, &peppers, &SystemClock).await?;
    match store.retire_pepper(version, expected, SystemClock.now()).await? {
        Ok(()) => {}
        Err(RetireRefused::OtherUse(PepperUse { live, dead })) => bail!(
            "without pepper {version} {live} live keys die: rotate or revoke them first. And {dead} dead \
             secrets lose their protection: they could be imported again. If that is as it should be, \
             say so: keyward peppers retire {version} --live-keys {live} --dead-secrets {dead}"
        ),
        Err(refused @ (RetireRefused::Unknown | RetireRefused::Again)) => {
            bail!("pepper {version}: {refused}")
        }
    }
    data_dir::write_peppers(config, &PepperSet::take_from_file(&text, version))?;
    say(&format!("pepper {version} is retired, and no longer in the pepper file"));
    Ok(())
}
