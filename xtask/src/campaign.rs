//! `cargo xtask campaign <name>`: the test of that name, for so long that chance has its say, and its
//! report.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::program::{self, cargo};
use crate::tools;

pub(crate) fn durability() -> anyhow::Result<()> {
    run("durability", ("KEYWARD_CAMPAIGN_ROUNDS", "1000"), cargo(&test("durability::")))
}

pub(crate) fn import() -> anyhow::Result<()> {
    let mut test = cargo(&test("import::postgres"));
    test.env(test_postgres::BINARIES_VARIABLE, tools::postgres()?);
    run("import", ("KEYWARD_CAMPAIGN_KEYS", "200000"), test)
}

fn test(filter: &str) -> String {
    format!("test --locked --package keyward-server --test program -- {filter}")
}

fn run(name: &str, (variable, size): (&str, &str), mut test: Command) -> anyhow::Result<()> {
    let report = std::path::absolute(format!("docs/campaigns/{name}.md"))?;
    std::fs::create_dir_all(report.parent().context("a folder for the report")?)?;
    test.env(variable, size);
    test.env("KEYWARD_CAMPAIGN_COMMIT", commit()?);
    test.env("KEYWARD_CAMPAIGN_REPORT", report);
    program::run(&mut test)
}

/// Which state of the program the report is about.
fn commit() -> anyhow::Result<String> {
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--", ".", ":!docs"])?;
    let dirty = if changes.is_empty() { "" } else { " with uncommitted changes" };
    Ok(format!("{commit}{dirty}"))
}

fn git(arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git").args(arguments).output()?;
    ensure!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
