//! Logs, to standard error.

use tracing_subscriber::{EnvFilter, filter::ParseError};

use crate::config::{Config, LogFormat};

/// Starts logging as the configuration says.
///
/// # Errors
/// A filter that is none.
pub fn start(config: &Config) -> Result<(), ParseError> {
    let filter: EnvFilter = config.log.parse()?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
    Ok(())
}
