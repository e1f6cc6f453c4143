//! The one front door for every chore: `cargo xtask <chore>`, which needs nothing but cargo.

mod bench;
mod campaign;
mod fuzz;
mod program;
mod proto;
mod quick_start;
mod report;
mod runbooks;
mod test;
mod tidy;
mod tools;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

const USAGE: &str = "\
usage: cargo xtask <chore>

  test               everything that must hold, on a fresh machine too
  tidy               the rules of the house that a program can keep
  proto              lint, format and compatibility of the contract
  proto --accept     take the contract as it is now for the one to be compatible with
  quick-start        README's quick start alone
  runbooks           the commands of docs/runbooks alone
  fuzz [seconds]     what reads what strangers send, under a fuzzer, a minute each
  bench [argument..] the benchmarks, built as what is shipped
  campaign durability
                     a thousand kills on the embedded store, and the report of them
  campaign usage     a thousand rounds of kills and faults, and whether counts are right
  campaign import    200,000 keys moved in on PostgreSQL, interrupted, and the report of it";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    enter_workspace()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => test::run(),
        ["tidy"] => tidy::run(),
        ["proto"] => proto::check(),
        ["proto", "--accept"] => proto::accept(),
        ["quick-start"] => quick_start::run(),
        ["runbooks"] => runbooks::run(),
        ["fuzz"] => fuzz::run(None),
        ["fuzz", seconds] => fuzz::run(Some(seconds)),
        ["bench", rest @ ..] => bench::run(rest),
        ["campaign", name @ (campaign::DURABILITY | campaign::IMPORT | campaign::USAGE)] => {
            campaign::run(name)
        }
        _ => bail!("{USAGE}"),
    }
}

/// Chores speak of paths from the workspace's root. Cargo says at run time which one this is: what it
/// said when this was built may be another clone's, which builds into the same folder.
#[expect(clippy::disallowed_methods, reason = "cargo tells by the environment alone")]
fn enter_workspace() -> anyhow::Result<()> {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").context("start this as `cargo xtask`")?;
    Ok(std::env::set_current_dir(Path::new(&own).join(".."))?)
}
