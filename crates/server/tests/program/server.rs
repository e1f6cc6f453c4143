//! A process that serves.

use crate::process::{Ended, Process};

/// A server that has said that it listens.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Process,
    /// Host and port.
    pub(crate) address: String,
    /// How many secrets it says it holds.
    pub(crate) secrets: usize,
}

impl Server {
    pub(crate) fn greeted(mut process: Process) -> Self {
        let greeting = process.wait_for_output(" is listening on ");
        let (_, rest) = greeting.split_once(" is listening on ").unwrap();
        let (address, rest) = rest.split_once(": ").unwrap();
        let secrets = rest.rsplit(", ").next().unwrap().strip_suffix(" secrets in memory").unwrap();
        Self { process, address: address.to_owned(), secrets: secrets.parse().unwrap() }
    }

    /// Asks it to stop, as an orchestrator does or a person at a terminal, and waits for its end.
    pub(crate) fn signalled(self, signal: &str) -> Ended {
        self.process.signal(signal);
        self.process.ended()
    }

    /// Stops it, which must go well. Callers must be able to hang up meanwhile: a test that has made
    /// calls runs on several threads.
    pub(crate) fn stop(self) -> Ended {
        let ended = self.signalled("TERM");
        assert!(ended.status.success(), "{}", ended.err);
        ended
    }

    /// Stops it as a power cut does.
    pub(crate) fn kill(self) {
        self.signalled("KILL");
    }
}
