//! One running PostgreSQL: start, stop, start again, and psql on it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};

use crate::binaries::{find_binaries, is_root};
use crate::database::{Database, Psql};

/// `nobody` and its group, on every Linux.
pub(crate) const NOBODY: u32 = 65_534;

/// How a cluster differs from the fast and private default.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Also listen on a free port of the loopback interface, for instance for a proxy before it.
    pub tcp: bool,
    /// Survive a power cut. Costs time, and no test here cuts the power.
    pub fsync: bool,
    /// Further settings of `postgresql.conf`: name and value, as they would stand there unquoted.
    pub settings: Vec<(String, String)>,
}

/// A private PostgreSQL, stopped and removed when this is dropped or its process ends.
#[derive(Debug)]
pub struct Cluster {
    psql: Psql,
    databases: AtomicU64,
    supervisor: Mutex<Supervisor>,
}

impl Cluster {
    /// Starts a cluster that is reached through its socket alone.
    ///
    /// # Errors
    /// When PostgreSQL is missing or does not start; its log is then on stderr.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&Options::default())
    }

    /// Starts a cluster with options.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_with(options: &Options) -> anyhow::Result<Self> {
        let binaries = find_binaries()?;
        let port = options.tcp.then(free_port).transpose()?;
        let mut supervisor = Supervisor::spawn(&binaries, &configuration(options, port))?;
        let folder = supervisor.answer()?;
        Ok(Self {
            psql: Psql { binaries, folder, port },
            databases: AtomicU64::new(0),
            supervisor: Mutex::new(supervisor),
        })
    }

    /// Creates an empty database.
    ///
    /// # Errors
    /// When the server refuses or is stopped.
    pub fn create_database(&self) -> anyhow::Result<Database> {
        self.create("")
    }

    /// Creates a copy of `template`, to which nobody may be connected at the moment.
    ///
    /// # Errors
    /// As [`Cluster::create_database`].
    pub fn create_database_from(&self, template: &Database) -> anyhow::Result<Database> {
        self.create(&format!(" TEMPLATE {}", template.name()))
    }

    /// Stops the server as a crash would: connections break, nothing is flushed.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop_immediate(&self) -> anyhow::Result<()> {
        self.order("stop")
    }

    /// Starts the server again after [`Cluster::stop_immediate`], on the same socket and port.
    ///
    /// # Errors
    /// When it does not start; its log is then on stderr.
    pub fn restart(&self) -> anyhow::Result<()> {
        self.order("start")
    }

    /// The port on 127.0.0.1, with [`Options::tcp`].
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.psql.port
    }

    /// The folder that holds all of the cluster, its socket included.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.psql.folder
    }

    /// Runs SQL that concerns the whole cluster.
    pub(crate) fn psql(&self, sql: &str) -> anyhow::Result<String> {
        self.psql.run("postgres", sql)
    }

    fn create(&self, template: &str) -> anyhow::Result<Database> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.psql(&format!("CREATE DATABASE {name}{template}"))?;
        Ok(Database::new(self.psql.clone(), name))
    }

    fn order(&self, order: &str) -> anyhow::Result<()> {
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        supervisor.order(order)?;
        supervisor.answer().map(drop)
    }
}

/// Our end of `supervisor.sh`.
#[derive(Debug)]
struct Supervisor {
    shell: Child,
    answers: BufReader<ChildStdout>,
}

impl Supervisor {
    fn spawn(binaries: &Path, configuration: &[String]) -> anyhow::Result<Self> {
        let mut command = Command::new("sh");
        command
            .args(["-c", include_str!("supervisor.sh"), "supervisor.sh"])
            .arg(binaries)
            .args(configuration)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Where nobody may look up the working folder, initdb would complain.
            .current_dir("/")
            // A Ctrl-C is ours to take: the shell sees only that we are gone.
            .process_group(0);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut shell = command.spawn().context("starting the supervisor of PostgreSQL")?;
        let answers = shell.stdout.take().context("the supervisor's stdout is a pipe")?;
        Ok(Self { shell, answers: BufReader::new(answers) })
    }

    fn order(&mut self, order: &str) -> anyhow::Result<()> {
        let orders = self.shell.stdin.as_mut().context("the supervisor's stdin is a pipe")?;
        writeln!(orders, "{order}").context("the supervisor of PostgreSQL is gone")
    }

    /// Waits until the last order is carried out; the answer names the cluster's folder.
    fn answer(&mut self) -> anyhow::Result<PathBuf> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        match line.trim_end().strip_prefix("done ") {
            Some(folder) => Ok(folder.into()),
            None => bail!("PostgreSQL did not obey; its log is above"),
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Waiting closes its stdin first, which is the order to go.
        drop(self.shell.wait());
    }
}

fn configuration(options: &Options, port: Option<u16>) -> Vec<String> {
    let listen = if port.is_some() { "127.0.0.1" } else { "" };
    let durable = if options.fsync { "on" } else { "off" };
    let defaults = [
        ("listen_addresses", listen),
        ("max_connections", "300"),
        ("fsync", durable),
        ("full_page_writes", durable),
    ];
    let port = port.map(|port| format!("port = {port}"));
    let own = options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let settings = defaults.into_iter().chain(own);
    let quoted = settings.map(|(name, value)| format!("{name} = '{}'", value.replace('\'', "''")));
    quoted.chain(port).collect()
}

fn free_port() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}
