//! How many instructions of its own (not of the kernel's) a server executes for a call.
//!
//! callgrind counts them one by one, so that the machine's noise does not touch this figure. What
//! the kernel does for a call is not in it.

use std::{fs, path::Path};

use anyhow::Context as _;

use crate::{process::Server, stage::Stage, tell};

/// The difference between two loads is taken: starting, connecting and stopping fall out.
const FEW_CALLS: u32 = 2_000;
const MORE_CALLS: u32 = 10_000;

/// Instructions for a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instructions {
    pub(crate) keyward: u64,
    pub(crate) empty: u64,
}

impl Instructions {
    /// Counts them for Keyward and for the empty service; callgrind writes into `folder`.
    pub(crate) async fn count(stage: &Stage, folder: &Path) -> anyhow::Result<Self> {
        tell("counting instructions");
        let log = folder.join("callgrind");
        let log_option = format!("--log-file={}", log.display());
        let under = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", &log_option];
        let total = async |server: Server, calls| {
            stage.load(&server, &stage.question, calls).await?;
            server.stop().await?;
            collected(&fs::read_to_string(&log)?).context("callgrind did not count")
        };
        let keyward = async |calls| total(stage.keyward(&under).await?, calls).await;
        let empty = async |calls| total(stage.empty(0, &under).await?, calls).await;
        let calls = u64::from(MORE_CALLS - FEW_CALLS);
        let a_call = |few: u64, more: u64| more.saturating_sub(few) / calls;
        Ok(Self {
            keyward: a_call(keyward(FEW_CALLS).await?, keyward(MORE_CALLS).await?),
            empty: a_call(empty(FEW_CALLS).await?, empty(MORE_CALLS).await?),
        })
    }
}

/// The total of a line like `==123== Collected : 456`.
fn collected(log: &str) -> Option<u64> {
    log.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    //! The total is found among what callgrind logs.

    use super::collected;

    #[test]
    fn total_is_found() {
        let log = "==12== Events    : Ir\n==12== Collected : 1234567\n==12== \n==12== I refs: 1\n";
        assert_eq!(collected(log), Some(1_234_567));
        assert_eq!(collected("==12== Events    : Ir\n"), None);
    }
}
