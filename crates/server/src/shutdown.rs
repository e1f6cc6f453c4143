//! The signals that ask a server to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Returns at the next SIGTERM or SIGINT. A system that gives no signals never asks.
pub async fn requested() {
    let (term, int) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    match (term, int) {
        (Ok(mut term), Ok(mut int)) => {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(error.cause = %error, "signals cannot be heard");
            std::future::pending().await
        }
    }
}
