//! pgbench, and what it says.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::stage::Stage;
use crate::process::Process;

/// How much longer than told it may take.
const GRACE: Duration = Duration::from_secs(60);

pub(super) struct Pgbench {
    command: Vec<String>,
}

impl Pgbench {
    /// The script of a CreateKey, by so many clients, prepared as Keyward's statements are.
    pub(super) fn new(stage: &Stage, clients: usize) -> anyhow::Result<Self> {
        let program = test_postgres::find_binaries()?.join("pgbench");
        ensure!(program.is_file(), "`pgbench` is not installed: Debian's `postgresql`");
        let script = stage.folder.path().join("create-key.sql");
        std::fs::write(&script, &stage.script.text)?;
        let text = |path: std::path::PathBuf| path.into_os_string().into_string().ok();
        let program = text(program).context("the path of pgbench is no text")?;
        let script = text(script).context("the temporary folder's path is no text")?;
        let mut command = vec![program, "--no-vacuum".to_owned(), "--protocol=prepared".to_owned()];
        command.extend(["--client".to_owned(), clients.to_string(), "--file".to_owned(), script]);
        for (name, value) in &stage.script.variables {
            command.extend(["--define".to_owned(), format!("{name}={value}")]);
        }
        Ok(Self { command: [command, vec![stage.pgbench_database.url()]].concat() })
    }

    /// Transactions a second, over so many seconds.
    pub(super) async fn run(&self, length: Duration) -> anyhow::Result<f64> {
        let (database, options) = self.command.split_last().context("a command")?;
        let time = format!("--time={}", length.as_secs());
        let mut command: Vec<&str> = options.iter().map(String::as_str).collect();
        command.extend([time.as_str(), database]);
        let (status, said) = Process::start(None, &command)?.finish(length + GRACE).await?;
        ensure!(status.success(), "pgbench ended with {status}: {said}");
        parse(&said).with_context(|| format!("pgbench said what is not understood: {said}"))
    }
}

/// The rate, if no transaction failed.
fn parse(said: &str) -> Option<f64> {
    let figure = |name: &str| said.lines().find_map(|line| line.strip_prefix(name));
    let failed = figure("number of failed transactions: ")?;
    let rate = figure("tps = ")?.split_once(' ')?.0;
    failed.starts_with("0 ").then(|| rate.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    //! What pgbench says is understood, and a failure is none of it.

    use super::parse;

    const SAID: &str = "\
transaction type: create-key.sql
number of transactions actually processed: 1234
number of failed transactions: 0 (0.000%)
latency average = 1.621 ms
tps = 617.012345 (without initial connection time)
";

    #[test]
    fn rate_is_found() {
        assert_eq!(parse(SAID), Some(617.012345));
        assert_eq!(parse(&SAID.replace(": 0 ", ": 1 ")), None);
        assert_eq!(parse(""), None);
    }
}
