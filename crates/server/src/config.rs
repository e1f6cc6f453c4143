//! What the operator decides: flags over environment (`KEYWARD_…`) over defaults. The one place that
//! reads the environment.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use apikey::secret::Prefix;
use clap::{Args, Parser, Subcommand, ValueEnum};
use http::Uri;
use zeroize::Zeroizing;

use crate::import::Import;

/// What a database's URL begins with.
const POSTGRES_SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// The longest issuer, audience and type of user tokens, in characters.
const SPOKEN_MAX: usize = 512;

/// Keyward issues, manages and verifies API keys.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where, and how.
    #[command(flatten)]
    pub config: Config,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve keys (the default).
    Serve,
    /// Look after the database's schema.
    #[command(subcommand)]
    Migrate(Migrate),
    /// Look after what digests are keyed with.
    #[command(subcommand)]
    Peppers(Peppers),
    /// Take over the keys of another system, from a file, through a running server.
    Import(Import),
    /// Make a service key that may do everything, and print its secret, once.
    OperatorKey {
        /// What people will call it.
        #[arg(long, default_value = "operator")]
        name: String,
    },
    /// Print a user token of the development issuer, good for five minutes.
    UserToken {
        /// The person, as the audit log is to name them.
        #[arg(long)]
        sub: String,
        /// What the person is: business_admin, advisor, or anything else, which may do nothing.
        #[arg(long)]
        role: String,
        /// The business whose admin the person is.
        #[arg(long, required_if_eq("role", "business_admin"))]
        business: Option<String>,
    },
}

/// What to do about the schema.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Migrate {
    /// Run the migrations that the database lacks; safe to run from several processes at once.
    Up,
    /// Say which migrations the database lacks.
    Status,
}

/// What to do about peppers.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Peppers {
    /// Say how many secrets are digested under each.
    Status,
    /// Add one to the pepper file. Servers write with it from their next start on.
    Add,
    /// Give one up, and take it out of the pepper file. Stop the server first.
    Retire {
        /// Which.
        version: u16,
        /// How many live keys die with it, as `peppers status` says: rotate or revoke them first.
        #[arg(long, default_value_t = 0)]
        live_keys: i64,
        /// How many dead secrets could be imported again without it, as `peppers status` says.
        #[arg(long, default_value_t = 0)]
        dead_secrets: i64,
    },
}

/// Where, and how.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Where the embedded store, the peppers and the first operator key lie.
    #[arg(long, global = true, env = "KEYWARD_DATA_DIR", default_value = "keyward-data")]
    pub data_dir: PathBuf,
    /// A postgres:// URL; without one, an embedded SQLite store in the data directory. Another machine's
    /// certificate and name are verified (sslmode=verify-full, the default there): by the authorities that
    /// the system trusts, or by those in the file that sslrootcert names.
    #[arg(long, global = true, env = "KEYWARD_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<DatabaseUrl>,
    /// The peppers: a line each, `<version> <64 hexadecimal digits>`. Default: `peppers` in the data
    /// directory, made at the first start of the embedded store.
    #[arg(long, global = true, env = "KEYWARD_PEPPER_FILE")]
    pub pepper_file: Option<PathBuf>,
    /// Where to listen for gRPC.
    #[arg(long, global = true, env = "KEYWARD_LISTEN", default_value = "127.0.0.1:50051")]
    pub listen: SocketAddr,
    /// Listen beyond loopback without TLS: something in front must encrypt.
    #[arg(long, global = true, env = "KEYWARD_INSECURE")]
    pub insecure: bool,
    /// What secrets may begin with; the first is the default.
    #[arg(
        long,
        global = true,
        env = "KEYWARD_SECRET_PREFIXES",
        value_delimiter = ',',
        default_value = "kw",
        value_parser = prefix
    )]
    pub secret_prefixes: Vec<Prefix>,
    /// The most connections to the database at once.
    #[arg(
        long,
        global = true,
        env = "KEYWARD_DATABASE_CONNECTIONS",
        default_value_t = 8,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub database_connections: u16,
    /// The `iss` of user tokens. Default on the embedded store: the development issuer.
    #[arg(
        long,
        global = true,
        env = "KEYWARD_USER_ISSUER",
        requires = "user_jwks",
        value_parser = spoken
    )]
    pub user_issuer: Option<String>,
    /// Where the issuer's public keys are (a JWK set): a file, or an https:// URL (http://
    /// on this machine alone).
    #[arg(
        long,
        global = true,
        env = "KEYWARD_USER_JWKS",
        requires = "user_issuer",
        value_parser = key_place
    )]
    pub user_jwks: Option<KeyPlace>,
    /// The `aud` of user tokens.
    #[arg(
        long,
        global = true,
        env = "KEYWARD_USER_AUDIENCE",
        default_value = "keyward",
        value_parser = spoken
    )]
    pub user_audience: String,
    /// The `typ` of user tokens, which tells them from the issuer's other tokens.
    #[arg(
        long,
        global = true,
        env = "KEYWARD_USER_TOKEN_TYPE",
        default_value = "keyward-user+jwt",
        value_parser = spoken
    )]
    pub user_token_type: String,
    /// How long, in seconds, calls in flight have to finish after a stop was asked for.
    #[arg(long, global = true, env = "KEYWARD_DRAIN_SECONDS", default_value_t = 15)]
    pub drain_seconds: u16,
    /// What is logged, as `tracing` filters go, for instance `info,keyward_server=debug`.
    #[arg(long, global = true, env = "KEYWARD_LOG", default_value = "info")]
    pub log: String,
    /// In what form it is logged, to standard error.
    #[arg(long, global = true, env = "KEYWARD_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

/// Where an issuer's public keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file.
    File(PathBuf),
    /// A URL: https, or http on this machine.
    Url(Uri),
}

/// The form of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

/// A database's URL, which may hold a password: shown nowhere.
#[derive(Clone)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL, to connect with.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseUrl")
    }
}

// Cannot fail: the parser of the command line echoes what it refuses, and here a password with it.
impl From<String> for DatabaseUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl Config {
    /// Refuses what makes no sense, before anything is opened.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what would be right.
    pub fn check(&self) -> Result<(), String> {
        if !self.listen.ip().is_loopback() && !self.insecure {
            return Err(format!(
                "--listen {} is reachable from elsewhere, and the connection would be plain text; \
                 listen on 127.0.0.1, or say --insecure if something in front encrypts",
                self.listen
            ));
        }
        if let Some(DatabaseUrl(url)) = &self.database_url
            && !POSTGRES_SCHEMES.iter().any(|scheme| url.starts_with(scheme))
        {
            return Err("--database-url must begin with postgres://; for the embedded store give \
                        --data-dir instead"
                .to_owned());
        }
        if self.database_url.is_some() && self.pepper_file.is_none() {
            return Err("on PostgreSQL every server needs the same peppers: give --pepper-file \
                        (a new one: echo \"1 $(openssl rand -hex 32)\" > peppers; chmod 600 peppers)"
                .to_owned());
        }
        Ok(())
    }

    /// How long calls in flight have to finish.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(u64::from(self.drain_seconds))
    }
}

/// The service key that a client of a server presents. There is no flag for it: other users could see it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the environment is read here")]
pub fn service_key() -> Option<Zeroizing<String>> {
    std::env::var("KEYWARD_SERVICE_KEY").ok().map(Zeroizing::new)
}

fn prefix(text: &str) -> Result<Prefix, String> {
    Prefix::parse(text).map_err(|error| error.to_string())
}

/// What a token must say to the letter: an empty one would be said by accident, and a longer issuer fits in
/// no grant.
fn spoken(text: &str) -> Result<String, String> {
    if !(1..=SPOKEN_MAX).contains(&text.chars().count()) {
        return Err(format!("must be 1 to {SPOKEN_MAX} characters"));
    }
    Ok(text.to_owned())
}

fn key_place(text: &str) -> Result<KeyPlace, String> {
    let Some((scheme, _)) = text.split_once("://") else {
        return Ok(KeyPlace::File(PathBuf::from(text)));
    };
    let unfit = "must be a file's path (without file://) or an https:// URL (http:// only on this \
                 machine): whoever can change the keys on their way can be any user";
    if !matches!(scheme, "https" | "http") {
        return Err(unfit.to_owned());
    }
    let url: Uri = text.parse().map_err(|_invalid| "is not a URL".to_owned())?;
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let here =
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    if scheme == "https" || here { Ok(KeyPlace::Url(url)) } else { Err(unfit.to_owned()) }
}
