//! `cargo xtask bench`: the benchmarks, built with the profile of what is shipped.

use anyhow::Context as _;
use test_postgres::is_root;

use crate::program::{self, cargo, program};

/// Both in one go: what they share is then built once, with the same features.
const BUILD: &str = "build --profile dist --package keyward-server --package keyward-bench";

pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    load_generator()?;
    program::run(&mut cargo(BUILD))?;
    // We lie in `debug`, beside `dist`, wherever that is.
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(2).context("xtask lies in a target folder")?;
    program::run(program(target.join("dist/keyward-bench")).args(arguments))
}

/// Installs h2load if that is ours to do; else the benchmarks say what they lack.
fn load_generator() -> anyhow::Result<()> {
    if program("h2load").arg("--version").output().is_ok() || !is_root() {
        return Ok(());
    }
    program::run(program("apt-get").args(["update", "--quiet"]))?;
    let install = ["install", "--quiet", "--yes", "--no-install-recommends", "nghttp2-client"];
    program::run(program("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive"))
}
