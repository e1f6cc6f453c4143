//! `cargo xtask campaign <name>`: the test of that name, for so long that chance has its say, and its
//! report.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::program::{self, cargo};
use crate::tools;

pub(crate) const DURABILITY: &str = "durability";
pub(crate) const IMPORT: &str = "import";
pub(crate) const USAGE: &str = "usage";

pub(crate) fn run(name: &str) -> anyhow::Result<()> {
    let report = std::path::absolute(format!("docs/campaigns/{name}.md"))?;
    std::fs::create_dir_all(report.parent().context("a folder for the report")?)?;
    // Of keys, or of rounds; and alone, where a campaign measures times.
    let (filter, size) =
        if name == IMPORT { ("import::postgres", "200000") } else { (name, "1000") };
    let mut test = cargo("test --locked --package keyward-server --test program --");
    test.arg(filter);
    test.env(test_postgres::BINARIES_VARIABLE, tools::postgres()?);
    test.env("KEYWARD_CAMPAIGN_SIZE", size);
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
