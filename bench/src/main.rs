//! Measures what a call of Keyward's Verify costs, beside a service that does nothing; what a CreateKey
//! costs, beside pgbench (`create_key`); and what a flush of usage costs (`flush`).
//!
//! A run about Verify holds three servers, pinned to one core and loaded in turn from another: Keyward, an empty
//! service that gives the same answer, and the empty service made slower by a known microsecond. The
//! third must show, or the run has no say about the other two.

mod call;
mod cpu;
mod create_key;
mod empty;
mod findings;
mod flush;
mod instructions;
mod load;
mod machine;
mod operator;
mod process;
mod report;
mod rounds;
mod sections;
mod stage;
mod statistics;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{bail, ensure};
use clap::{Parser, Subcommand};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use crate::{
    findings::Findings,
    instructions::Instructions,
    machine::{Build, Cores, Machine},
    report::Report,
    stage::Stage,
};

/// What a call of Keyward's Verify costs, beside an empty service.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    other: Option<Other>,
    #[command(flatten)]
    plan: Plan,
    /// Also count the instructions of a call, with valgrind's callgrind (a minute more).
    #[arg(long)]
    instructions: bool,
    /// Write what is found to this file, as Markdown.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// What a CreateKey costs, beside pgbench.
    CreateKey(create_key::Options),
    /// What a flush of usage costs.
    Flush(flush::Options),
    /// Be the empty service.
    #[command(hide = true)]
    Empty(empty::Options),
}

/// How long to measure what.
#[derive(Debug, clap::Args)]
struct Plan {
    /// How often each server is loaded. Six are the fewest that give a 95 % interval.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(6..=50))]
    pairs: u8,
    /// How long each load lasts, in seconds.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=10))]
    seconds: u8,
    /// The delay, in microseconds, that the harness must be able to see.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=100))]
    handicap_us: u8,
}

impl Plan {
    fn leg(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.other {
        Some(Other::Empty(options)) => {
            // As `#[tokio::main]` makes it for Keyward.
            let runtime = Builder::new_multi_thread().enable_all().build();
            runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(empty::serve(options)))
        }
        Some(Other::Flush(options)) => {
            // As Keyward's own is.
            let runtime = Builder::new_multi_thread().enable_all().build();
            runtime
                .map_err(Into::into)
                .and_then(|runtime| runtime.block_on(flush::measure(options)))
        }
        Some(Other::CreateKey(_)) | None => {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(interruptible(cli)))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// A signal drops all that runs, as an error would: processes and folders go with it.
async fn interruptible(cli: Cli) -> anyhow::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        result = measure(cli) => result,
        _ = term.recv() => bail!("terminated"),
        _ = int.recv() => bail!("interrupted"),
    }
}

async fn measure(cli: Cli) -> anyhow::Result<()> {
    let Cli { other, plan, instructions, report: file } = cli;
    if let Some(Other::CreateKey(options)) = other {
        return create_key::measure(options).await;
    }
    let build = Build::of_this()?;
    ensure!(
        file.is_none() || build.profile() == "dist",
        "only what is built as `dist` is worth a report: `cargo xtask bench`"
    );
    let machine = Machine::look(&build)?;
    let folder = tempfile::Builder::new().prefix("keyward-bench-").tempdir()?;

    let stage = Stage::set(&build, Cores::pick()?, folder.path()).await?;
    let instructions = match instructions {
        true => Some(Instructions::count(&stage, folder.path()).await?),
        false => None,
    };
    let rounds = rounds::run(&plan, &stage).await?;
    let findings = &Findings::of(&rounds, Duration::from_micros(plan.handicap_us.into()))?;
    let question = &stage.question;
    let text = Report { plan, machine, question, findings, instructions }.to_string();
    say(&text);
    findings.check()?;
    file.map_or(Ok(()), |file| sections::replace(&file, &text))
}

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "progress, and why the program ends")]
fn tell(text: &str) {
    eprintln!("{text}");
}

fn fail(error: &anyhow::Error) -> ExitCode {
    tell(&format!("bench: {error:#}"));
    ExitCode::FAILURE
}
