//! README's quick start, pasted as it stands into an empty folder, and then the pages that go on from
//! there.
//!
//! The commands are read out of the pages, never repeated here. In README the first block under the
//! heading "Quick start" starts the service; the blocks after it, and those under the headings of the
//! other pages, are what the reader pastes beside it, each page into a new shell.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use crate::program::program;
use crate::tools::GRPCURL;

/// What the service says when it takes calls.
const READY: &str = "listening";

/// It is built first, in release mode, on whatever machine this is.
const START_LIMIT: Duration = Duration::from_secs(15 * 60);

/// What the README promises at most.
const MOST_CALLS: usize = 5;

/// A page whose commands are pasted, and what they must say, in this order.
struct Page {
    path: &'static str,
    heading: &'static str,
    says: &'static [&'static str],
}

const README: Page =
    Page { path: "README.md", heading: "Quick start", says: &["VERDICT_VALID", "VERDICT_REVOKED"] };

/// Those that go on from there, with the same service.
const PAGES: [Page; 1] = [Page {
    path: "docs/access.md",
    heading: "The settings page, call by call",
    says: &[
        "orders.read",
        "Warehouse",
        "REVOKE_REASON_UNUSED",
        "PermissionDenied",
        "client-40",
        "Year-end export",
        "endTime",
        "REVOKE_REASON_OWNER_LEFT",
        "PermissionDenied",
        "VERDICT_REVOKED",
    ],
}];

/// Runs the service while the pipe to us is open, and ends with the service's own exit status.
const SERVICE: &str = r#"
bash -euc "$1" &
service=$!
exec >/dev/null 2>&1   # so that our reader sees the end of the service; `tail` wants an output
read -r _       # ends when xtask closes the pipe, or dies
kill -TERM "$service"
timeout 60 tail --sleep-interval=0.1 --pid="$service" --follow /dev/null || kill -KILL "$service"
wait "$service"
"#;

pub(crate) fn run() -> anyhow::Result<()> {
    let readme = std::fs::read_to_string(README.path).context(README.path)?;
    ensure!(readme.contains("cargo xtask test"), "README.md does not name `cargo xtask test`");
    let blocks = README.blocks()?;
    let Some((start, rest)) = blocks.split_first() else {
        bail!("{} starts nothing", README.path);
    };
    let rest = rest.concat();
    let calls = rest.matches("grpcurl ").count();
    ensure!(calls <= MOST_CALLS, "{calls} calls of grpcurl, {MOST_CALLS} are the most");

    let grpcurl = GRPCURL.obtain()?;
    let clone = clone_working_tree()?;
    let service = Service::start(clone.path(), start)?;
    service.wait_until_ready()?;
    // The reader's PATH has what the first block built, and grpcurl.
    let built = target_folder()?.join("release");
    let tools = [built.as_path(), grpcurl.parent().context("grpcurl's folder")?];
    README.heard_in(&paste(clone.path(), &rest, &tools)?)?;
    for page in PAGES {
        let commands = page.blocks()?.concat();
        page.heard_in(&paste(clone.path(), &commands, &tools)?)?;
    }
    service.stop()
}

impl Page {
    fn blocks(&self) -> anyhow::Result<Vec<String>> {
        let text = std::fs::read_to_string(self.path).context(self.path)?;
        let blocks = blocks(&text, self.heading);
        let Self { path, heading, .. } = self;
        ensure!(!blocks.is_empty(), "{path} has no ```console or ```sh block under \"{heading}\"");
        Ok(blocks)
    }

    fn heard_in(&self, output: &str) -> anyhow::Result<()> {
        let mut rest = output;
        for word in self.says {
            let after = rest.split_once(word).with_context(|| {
                format!("{}: no {word} came, or not in the order {:?}", self.path, self.says)
            })?;
            rest = after.1;
        }
        Ok(())
    }
}

/// The commands of each fenced block under a heading of the second level, without prompts and without
/// output.
fn blocks(page: &str, heading: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside = false;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            match language {
                "sh" if inside => blocks.push(body.join("\n") + "\n"),
                "console" if inside => blocks.push(typed(&body)),
                _ => {}
            }
        } else if let Some(of_this_level) = line.strip_prefix("## ") {
            inside = of_this_level.trim() == heading;
        }
    }
    blocks
}

/// What was typed in a console: the lines after a `$ `, with those that a backslash continues.
fn typed(console: &[&str]) -> String {
    let mut commands = String::new();
    let mut continued = false;
    for line in console {
        let command = if continued { Some(*line) } else { line.strip_prefix("$ ") };
        continued = command.is_some_and(|command| command.ends_with('\\'));
        if let Some(command) = command {
            commands.push_str(command);
            commands.push('\n');
        }
    }
    commands
}

/// What a clone would hold if everything were committed as it stands.
fn clone_working_tree() -> anyhow::Result<TempDir> {
    let clone = tempfile::tempdir()?;
    for path in crate::tidy::files_git_knows()? {
        let copy = clone.path().join(&path);
        std::fs::create_dir_all(copy.parent().context("a file has a folder")?)?;
        std::fs::copy(&path, copy).with_context(|| path.clone())?;
    }
    Ok(clone)
}

/// Pastes commands into one shell beside the service and returns all they said.
#[expect(clippy::disallowed_methods, reason = "the reader's PATH, and before it our tools")]
fn paste(folder: &Path, commands: &str, tools: &[&Path]) -> anyhow::Result<String> {
    println!("{commands}");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let tools = tools.iter().map(|tool| (*tool).to_owned());
    let path = std::env::join_paths(tools.chain(std::env::split_paths(&path)))?;
    let output = in_fresh_environment()?
        .args(["-euc", commands])
        .current_dir(folder)
        .env("PATH", path)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    println!("{said}");
    ensure!(output.status.success(), "the pasted commands ended with {}", output.status);
    Ok(said)
}

/// The service as README starts it, stopped when this goes.
#[derive(Debug)]
struct Service {
    shell: Child,
    lines: Receiver<String>,
}

impl Service {
    fn start(folder: &Path, start: &str) -> anyhow::Result<Self> {
        print!("{start}");
        let (output, theirs) = std::io::pipe()?;
        let mut command = in_fresh_environment()?;
        command.args(["-c", SERVICE, "service", start.trim_end()]).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(theirs.try_clone()?).stderr(theirs);
        let shell = command.spawn().context("starting bash")?;
        drop(command); // and with it our copies of the pipe's other end
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                println!("service | {line}");
                // Nobody may be waiting any more: then it is only shown.
                drop(sender.send(line));
            }
        });
        Ok(Self { shell, lines })
    }

    fn wait_until_ready(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(READY) => return Ok(()),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => bail!("no \"{READY}\" within {START_LIMIT:?}"),
                Err(RecvTimeoutError::Disconnected) => bail!("ended without \"{READY}\""),
            }
        }
    }

    fn stop(mut self) -> anyhow::Result<()> {
        let status = self.shell.wait()?;
        ensure!(status.success(), "on SIGTERM the service ended with {status}");
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Waiting closes its stdin first, which is the order to stop.
        drop(self.shell.wait());
    }
}

/// A shell that knows none of the reader's own settings of the service. It builds into a folder apart:
/// cargo would take what the clone left there for a build of the working tree, which may have moved on.
fn in_fresh_environment() -> anyhow::Result<Command> {
    let mut shell = program("bash");
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("KEYWARD_") {
            shell.env_remove(&variable);
        }
    }
    shell.env("CARGO_TARGET_DIR", target_folder()?);
    Ok(shell)
}

fn target_folder() -> anyhow::Result<PathBuf> {
    Ok(std::path::absolute("target/quick-start")?)
}

#[cfg(test)]
mod tests {
    //! What is taken out of a README, and what is left.

    use super::blocks;

    #[test]
    fn only_blocks_under_the_heading_are_taken() {
        let readme = "# A\n```sh\nno\n```\n## Quick start\n```sh\nrun # not a heading\n```\n\
                      text\n```json\n{}\n```\n### A part of it\n```sh\ncall\n```\n## Next\n```sh\nno\n```\n";
        assert_eq!(blocks(readme, "Quick start"), ["run # not a heading\n", "call\n"]);
    }

    #[test]
    fn console_yields_what_was_typed() {
        let readme = "## Quick start\n```console\n$ a \\\n  -b\nout\n# out\n$ c\n```\n";
        assert_eq!(blocks(readme, "Quick start"), ["a \\\n  -b\nc\n"]);
    }
}
