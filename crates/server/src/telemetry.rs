//! Logs, to standard error; in colour only where that is a terminal.

use std::io::{self, IsTerminal as _};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter,
    filter::{ParseError, filter_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::{Config, LogFormat};

/// Starts logging as the configuration says.
///
/// # Errors
/// A filter that is none.
pub fn start(config: &Config) -> Result<(), ParseError> {
    let filter: EnvFilter = config.log.parse()?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let discreet = filter_fn(is_discreet);
    match config.log_format {
        LogFormat::Text => logs.finish().with(discreet).init(),
        LogFormat::Json => logs.json().finish().with(discreet).init(),
    }
    Ok(())
}

/// The driver of PostgreSQL tells, below `info`, the values bound to a statement: digests, and what a
/// caller sent in a wrong place, which may be a secret. No configuration makes that a log.
fn is_discreet(event: &Metadata<'_>) -> bool {
    *event.level() <= Level::INFO || !event.target().starts_with("tokio_postgres")
}
