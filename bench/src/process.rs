//! The processes of a run. None outlives it: each is killed and reaped when it is dropped, and the
//! kernel kills it when we are killed ourselves.

use std::{
    net::SocketAddr,
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    net::unix::pipe::Receiver,
    time::timeout,
};

use crate::{cpu::CpuTimes, machine::Core};

/// How long a server may take to start, or to stop; under callgrind all takes fifty times longer.
pub(crate) const SERVER_LIMIT: Duration = Duration::from_secs(60);

/// A program that was started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdout: BufReader<Receiver>,
}

/// A program that takes calls.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    /// Where.
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts `command` in an environment that is the same everywhere; on a core of its own, if there
    /// is one for it, and then with one worker thread if it is a program on tokio.
    pub(crate) fn start(core: Option<Core>, command: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new("setpriv");
        child.args(["--pdeathsig", "KILL", "--reset-env"]);
        if let Some(core) = core {
            child.args(["taskset", "--cpu-list", &core.to_string()]);
            child.args(["env", "TOKIO_WORKER_THREADS=1"]);
        }
        let mut child = child
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting `setpriv` (Debian's util-linux)")?;
        let stdout = OwnedFd::from(child.stdout.take().context("stdout is a pipe")?);
        Ok(Self { child, stdout: BufReader::new(Receiver::from_owned_fd(stdout)?) })
    }

    /// Waits for the end of the program, and returns the rest of what it said.
    pub(crate) async fn finish(mut self, limit: Duration) -> anyhow::Result<(ExitStatus, String)> {
        let mut said = String::new();
        let end = timeout(limit, self.stdout.read_to_string(&mut said)).await;
        end.with_context(|| format!("a program ran for more than {limit:?}"))??;
        Ok((self.child.wait()?, said))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails when the program has ended, which is as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    /// Starts a server and waits until it says where it listens.
    pub(crate) async fn start(core: Option<Core>, command: &[&str]) -> anyhow::Result<Self> {
        let mut process = Process::start(core, command)?;
        let mut greeting = String::new();
        let line = timeout(SERVER_LIMIT, process.stdout.read_line(&mut greeting)).await;
        line.context("a server does not start")??;
        let address = address(&greeting).context("a server ended before it listened")?;
        Ok(Self { process, address })
    }

    /// The processor time it has had.
    pub(crate) fn cpu_times(&self) -> anyhow::Result<CpuTimes> {
        CpuTimes::of(self.process.child.id())
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let id = self.process.child.id().to_string();
        ensure!(Command::new("kill").args(["-TERM", &id]).status()?.success(), "kill");
        let (status, _) = self.process.finish(SERVER_LIMIT).await?;
        ensure!(status.success(), "a server ended with {status}");
        Ok(())
    }
}

/// The address in `… listening on <address>: …`.
fn address(greeting: &str) -> Option<SocketAddr> {
    let (_, rest) = greeting.split_once(" listening on ")?;
    rest.split_once(": ")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    //! The greetings of both servers are understood.

    use super::address;

    #[test]
    fn greeting_tells_the_address() {
        let greeting = "keyward 0.1.0 is listening on 127.0.0.1:4711: SQLite in x, 2 secrets\n";
        assert_eq!(address(greeting), Some(([127, 0, 0, 1], 4711).into()));
        assert_eq!(address("keyward: cannot listen\n"), None);
        assert_eq!(address(""), None);
    }
}
