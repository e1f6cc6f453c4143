//! The data directory of the embedded default: what lies in it, and what its first start puts there.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use apikey::digest::{PepperSet, PepperVersion};
use ring::rand::SecureRandom;
use zeroize::Zeroizing;

use crate::{callers::development_issuer::DevelopmentIssuer, config::Config};

/// The store's file; its absence tells a first start.
const DATABASE: &str = "keyward.db";
/// The peppers, apart from the database and from its backups.
const PEPPERS: &str = "peppers";
/// The secret of the operator key that the first start makes: the one secret at rest.
const OPERATOR_KEY: &str = "operator-key";
/// The key of the development issuer.
const DEVELOPMENT_ISSUER: &str = "development-issuer";

/// Makes the directory, for its owner alone, if it is not there.
pub fn create(folder: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("the data directory {} cannot be made", folder.display()))
}

/// The peppers of the configuration. The embedded default makes its own at the first start; later
/// they must be there, as the digests in the database are worthless without them.
pub fn peppers(config: &Config, random: &dyn SecureRandom) -> anyhow::Result<PepperSet> {
    let file = pepper_file(config);
    if config.pepper_file.is_none() && !file.exists() {
        make_peppers(config, &file, random)?;
    }
    let text = read_peppers(config)?;
    PepperSet::parse(&text).with_context(|| format!("the pepper file {}", file.display()))
}

/// Where the peppers are.
#[must_use]
pub fn pepper_file(config: &Config) -> PathBuf {
    config.pepper_file.clone().unwrap_or_else(|| config.data_dir.join(PEPPERS))
}

/// The text of the pepper file.
pub fn read_peppers(config: &Config) -> anyhow::Result<Zeroizing<String>> {
    let file = pepper_file(config);
    let text = fs::read_to_string(&file);
    text.map(Zeroizing::new)
        .with_context(|| format!("the pepper file {} cannot be read", file.display()))
}

/// Puts another text into the pepper file.
pub fn write_peppers(config: &Config, text: &str) -> anyhow::Result<()> {
    let file = pepper_file(config);
    write_private(&file, text.as_bytes())
        .with_context(|| format!("the pepper file {} cannot be written", file.display()))
}

fn make_peppers(config: &Config, file: &Path, random: &dyn SecureRandom) -> anyhow::Result<()> {
    if config.data_dir.join(DATABASE).exists() {
        bail!(
            "the pepper file {} is gone, and no key verifies without it; put it back from its backup, \
             or give --pepper-file",
            file.display()
        );
    }
    let version = PepperVersion::new(1).context("1 is a version")?;
    let text = PepperSet::generate_file(version, random)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    write_peppers(config, &text)
}

/// Where the first start leaves the operator key.
#[must_use]
pub fn operator_key_file(folder: &Path) -> PathBuf {
    folder.join(OPERATOR_KEY)
}

/// Leaves the operator key's secret for its owner, readable by nobody else.
pub fn write_operator_key(folder: &Path, secret: &str) -> anyhow::Result<()> {
    let file = operator_key_file(folder);
    write_private(&file, format!("{secret}\n").as_bytes())
        .with_context(|| format!("the operator key {} cannot be written", file.display()))
}

/// Where the development issuer's key lies, if there is one.
#[must_use]
pub fn development_issuer_file(folder: &Path) -> PathBuf {
    folder.join(DEVELOPMENT_ISSUER)
}

/// The development issuer, made where it is not there yet.
pub fn development_issuer(
    folder: &Path,
    random: &dyn SecureRandom,
) -> anyhow::Result<DevelopmentIssuer> {
    let file = development_issuer_file(folder);
    if !file.exists() {
        let text = DevelopmentIssuer::generate(random)
            .map_err(|_unspecified| anyhow::anyhow!("the system gives no randomness"))?;
        write_private(&file, text.as_bytes()).with_context(|| {
            format!("the development issuer {} cannot be written", file.display())
        })?;
    }
    read_development_issuer(&file)
}

/// The development issuer in a file.
pub fn read_development_issuer(file: &Path) -> anyhow::Result<DevelopmentIssuer> {
    let text = fs::read_to_string(file).map(Zeroizing::new).with_context(|| {
        format!(
            "the development issuer {} cannot be read; the embedded store's first start makes it",
            file.display()
        )
    })?;
    DevelopmentIssuer::parse(&text).map_err(|rejected| {
        anyhow::anyhow!("the development issuer {} is not one: {rejected}", file.display())
    })
}

/// Written aside and renamed: a reader never sees half of it, and it is on disk when this returns.
fn write_private(file: &Path, content: &[u8]) -> io::Result<()> {
    let aside = file.with_extension("new");
    let mut out =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    out.write_all(content)?;
    out.sync_all()?;
    fs::rename(&aside, file)?;
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
