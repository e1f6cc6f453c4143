//! The runbooks, pasted as they stand: each into an empty folder of its own, with the program, grpcurl and
//! nothing else beside it.
//!
//! What a reader sees is read out of `docs/runbooks`, never repeated here. What it takes for granted (a
//! server that runs, a key that leaked) stands there too, in comments that Markdown does not show:
//! `<!-- run: commands -->`, and `<!-- expect: text -->` for what the commands before it must have said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};

use crate::program::{self, cargo, program};
use crate::tools::GRPCURL;

const FOLDER: &str = "docs/runbooks";

/// Before all of them. Whatever happens, no server outlives its script.
const PRELUDE: &str = r#"
server=
stop_server() {
  kill -TERM "$server"
  wait "$server"
  server=
}
start_server() {
  : > server.log
  keyward serve >> server.log 2>&1 &
  server=$!
  until grep -q 'is listening' server.log; do
    kill -0 "$server" || { cat server.log; exit 1; }
    sleep 0.1
  done
}
expect() {
  grep -qF -- "$1" said || { echo "expected: $1"; exit 1; }
}
trap 'if [ -n "$server" ]; then kill -KILL "$server"; fi' EXIT
"#;

#[derive(Debug, PartialEq)]
enum Step {
    /// Commands that a reader pastes, or would have done before.
    Run(String),
    /// What they must have said.
    Expect(String),
}

pub(crate) fn run() -> anyhow::Result<()> {
    program::run(&mut cargo("build --locked --package keyward-server"))?;
    let keyward = std::path::absolute("target/debug")?;
    let grpcurl = GRPCURL.obtain()?;
    let tools = [keyward.as_path(), grpcurl.parent().context("grpcurl's folder")?];
    for runbook in runbooks()? {
        println!("--- {}", runbook.display());
        let script = script(&steps(&fs::read_to_string(&runbook)?));
        paste(&script, &tools).with_context(|| runbook.display().to_string())?;
    }
    Ok(())
}

/// Each but the list of them.
fn runbooks() -> anyhow::Result<Vec<PathBuf>> {
    let mut runbooks = Vec::new();
    for entry in fs::read_dir(FOLDER)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name != "README.md") {
            runbooks.push(path);
        }
    }
    runbooks.sort();
    ensure!(!runbooks.is_empty(), "no runbook in {FOLDER}");
    Ok(runbooks)
}

fn steps(runbook: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = runbook.lines();
    while let Some(line) = lines.next() {
        if line == "```sh" {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            steps.push(Step::Run(block.join("\n")));
        } else if let Some(text) = line.strip_prefix("<!-- expect: ") {
            steps.push(Step::Expect(text.trim_end_matches("-->").trim().to_owned()));
        } else if let Some(first) = line.strip_prefix("<!-- run:") {
            let mut commands = first.to_owned();
            while !commands.ends_with("-->") {
                let Some(line) = lines.next() else { break };
                commands.push('\n');
                commands.push_str(line);
            }
            steps.push(Step::Run(commands.trim_end_matches("-->").trim().to_owned()));
        }
    }
    steps
}

/// All steps in one shell, so that one finds the variables of another.
fn script(steps: &[Step]) -> String {
    let pasted = steps.iter().map(|step| match step {
        Step::Run(commands) => format!("{{\n{commands}\n}} > said\ncat said\n"),
        Step::Expect(text) => format!("expect '{text}'\n"),
    });
    std::iter::once(PRELUDE.to_owned()).chain(pasted).collect()
}

#[expect(clippy::disallowed_methods, reason = "the reader's PATH, and before it our tools")]
fn paste(script: &str, tools: &[&Path]) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = tools.iter().map(|tool| tool.to_path_buf()).chain(std::env::split_paths(&path));
    let mut shell = program("bash");
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("KEYWARD_") {
            shell.env_remove(&variable);
        }
    }
    let status = shell
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder.path())
        .env("PATH", std::env::join_paths(path)?)
        .stdin(Stdio::null())
        .status()?;
    ensure!(status.success(), "ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    //! What is taken out of a runbook, and in which order.

    use super::{Step, steps};

    #[test]
    fn blocks_and_comments_are_taken_in_their_order() {
        let runbook = "# A\n<!-- run:\nstart\n-->\ntext\n```sh\na \\\n  b\n```\n<!-- expect: \"c\" -->\n\
                       ```json\n{}\n```\n<!-- run: stop -->\n";
        let run = |commands: &str| Step::Run(commands.to_owned());
        let expected =
            [run("start"), run("a \\\n  b"), Step::Expect("\"c\"".to_owned()), run("stop")];
        assert_eq!(steps(runbook), expected);
    }
}
