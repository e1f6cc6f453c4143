//! Where one Keyward lives: a folder of its own, and a database of its own where that is PostgreSQL.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;
use test_postgres::{Cluster, Database};

use crate::{
    process::{Ended, Process},
    server::Server,
};

/// The pepper file of homes on PostgreSQL. The embedded store makes its own.
pub(crate) const PEPPERS: &str =
    "1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";

#[derive(Debug)]
pub(crate) struct Home {
    folder: TempDir,
    database: Option<Database>,
    /// How the program reaches the database, where that is not the plain way.
    url: Option<String>,
}

impl Home {
    /// An empty folder: all that the embedded default needs.
    pub(crate) fn on_sqlite() -> Self {
        Self { folder: TempDir::new().unwrap(), database: None, url: None }
    }

    /// A migrated database and a pepper file.
    pub(crate) fn on_postgres() -> Self {
        Self::on_cluster(test_postgres::shared())
    }

    pub(crate) fn on_cluster(cluster: &Cluster) -> Self {
        let home = Self::on_empty_database(cluster);
        home.run(&["migrate", "up"]).succeeded();
        home
    }

    pub(crate) fn on_empty_database(cluster: &Cluster) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("peppers"), PEPPERS).unwrap();
        Self { folder, database: Some(cluster.create_database().unwrap()), url: None }
    }

    /// The same home, whose program reaches the database by another URL.
    pub(crate) fn reached_by(self, url: String) -> Self {
        Self { url: Some(url), ..self }
    }

    /// The program in this home. It sees nothing of the environment of the tests.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
        command.args(arguments).current_dir(&self.folder);
        command.env_clear().env("KEYWARD_LISTEN", "127.0.0.1:0");
        if let Some(database) = &self.database {
            let url = self.url.clone().unwrap_or_else(|| database.url());
            command.env("KEYWARD_DATABASE_URL", url);
            command.env("KEYWARD_PEPPER_FILE", "peppers");
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Process::spawn(&mut self.command(arguments)).ended()
    }

    /// Starts a server, and waits until it serves.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Server {
        Server::greeted(Process::spawn(&mut self.command(arguments)))
    }

    /// The secret of an operator key: the one of the first start, or on PostgreSQL a new one.
    pub(crate) fn operator_key(&self) -> String {
        let secret = match self.database {
            None => fs::read_to_string(self.data("operator-key")).unwrap(),
            Some(_) => self.run(&["operator-key"]).succeeded(),
        };
        secret.trim_end().to_owned()
    }

    /// Whether there is one.
    pub(crate) fn is_on_postgres(&self) -> bool {
        self.database.is_some()
    }

    /// The database, on PostgreSQL.
    pub(crate) fn database(&self) -> &Database {
        self.database.as_ref().unwrap()
    }

    /// A file in the folder where the program runs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file in the data directory of the embedded default.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.path("keyward-data").join(name)
    }
}

impl Ended {
    /// What it printed, as it must have ended well.
    pub(crate) fn succeeded(self) -> String {
        assert!(self.status.success(), "{self:?}");
        self.out
    }

    /// Checks that it ended with exit code 1, and gave a reason with all of `parts` in it.
    pub(crate) fn failed(&self, parts: &[&str]) {
        assert_eq!(self.status.code(), Some(1), "{self:?}");
        self.complained(parts);
    }

    /// Checks that its last line on standard error has all of `parts` in it.
    pub(crate) fn complained(&self, parts: &[&str]) {
        let reason = self.err.lines().last().unwrap_or_default();
        for part in parts {
            assert!(reason.contains(part), "{part:?} is not in {reason:?}");
        }
    }
}
