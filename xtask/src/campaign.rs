//! `cargo xtask campaign durability`: the test of that name, for so long that chance has its say, and
//! its report.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::program::{self, cargo};

const TEST: &str = "test --locked --package keyward-server --test program -- durability";
const REPORT: &str = "docs/campaigns/durability.md";
const ROUNDS: &str = "1000";

pub(crate) fn durability() -> anyhow::Result<()> {
    let report = std::path::absolute(REPORT)?;
    std::fs::create_dir_all(report.parent().context("a folder for the report")?)?;
    let mut test = cargo(TEST);
    test.env("KEYWARD_CAMPAIGN_ROUNDS", ROUNDS);
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
