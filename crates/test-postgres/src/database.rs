//! One database in a cluster, and psql as the way to it that needs no library.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// A database of its own for one test, dropped (best effort) with this value.
#[derive(Debug)]
pub struct Database {
    psql: Psql,
    name: String,
}

impl Database {
    pub(crate) fn new(psql: Psql, name: String) -> Self {
        Self { psql, name }
    }

    /// Its name, unique within its cluster.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is, as `postgres://` URL through the socket, whose folder stands percent-encoded in
    /// the host's place.
    #[must_use]
    pub fn url(&self) -> String {
        let host = percent_encoded(&self.psql.folder.to_string_lossy());
        format!("postgres://postgres@{host}:{}/{}", self.psql.port.unwrap_or(5432), self.name)
    }

    /// Where it is, as `postgres://` URL through the loopback port, with [`crate::Options::tcp`].
    #[must_use]
    pub fn tcp_url(&self) -> Option<String> {
        let port = self.psql.port?;
        Some(format!("postgres://postgres@127.0.0.1:{port}/{}", self.name))
    }

    /// Runs SQL through psql and returns its rows, columns divided by `|`.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses a statement.
    pub fn psql(&self, sql: &str) -> anyhow::Result<String> {
        self.psql.run(&self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The cluster may be stopped or gone, and takes its databases along in any case.
        drop(self.psql.run("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name)));
    }
}

/// psql, and the cluster it goes to.
#[derive(Debug, Clone)]
pub(crate) struct Psql {
    pub(crate) binaries: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) port: Option<u16>,
}

impl Psql {
    pub(crate) fn run(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let output = Command::new(self.binaries.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password"])
            .args(["--set=ON_ERROR_STOP=1", "--username=postgres", "--dbname", database])
            .args(["--port", &self.port.unwrap_or(5432).to_string(), "--command", sql])
            .arg("--host")
            .arg(&self.folder)
            .output()
            .context("starting psql")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "psql, {sql}: {complaint}");
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
