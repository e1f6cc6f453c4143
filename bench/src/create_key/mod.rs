//! What a CreateKey costs on PostgreSQL, beside pgbench running the same statements.
//!
//! pgbench is as fast as statements come from outside: a small C program that computes nothing. What it
//! does in a second, no service in front of this schema does. The statements are not written down
//! here: they are read out of PostgreSQL's log of a CreateKey of the same run.

mod callers;
mod pgbench;
mod report;
mod script;
mod stage;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};

use self::{callers::Callers, pgbench::Pgbench, report::Report, stage::Stage};
use crate::{
    findings::Paired,
    machine::{Build, Machine, load_average},
    sections,
    statistics::Spread,
    tell,
};

/// How many ask at once.
const CLIENTS: [usize; 3] = [1, 8, 32];
/// How long each is let run before it is measured: connections, caches, prepared statements.
const WARM_UP: Duration = Duration::from_secs(1);

/// How long to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often each is loaded with each number of clients. Six are the fewest that give a 95 %
    /// interval.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u8).range(6..=50))]
    pairs: u8,
    /// How long each load lasts, in seconds.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=60))]
    seconds: u8,
    /// Write what is found to this file, as its section of this name.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// What so many clients came to.
#[derive(Debug)]
struct Comparison {
    clients: usize,
    /// Transactions a second.
    pgbench: Spread,
    /// Answered calls a second.
    keyward: Spread,
    /// Keyward's rate over pgbench's, within a round.
    ratio: Paired,
    /// Microseconds of processor time of Keyward for a call.
    cpu_micros: Spread,
}

/// One load of each.
struct Round {
    pgbench: f64,
    keyward: f64,
    cpu_micros: f64,
}

pub(crate) async fn measure(options: Options) -> anyhow::Result<()> {
    let Options { pairs, seconds, report: file } = &options;
    let build = Build::of_this()?;
    ensure!(
        file.is_none() || build.profile() == "dist",
        "only what is built as `dist` is worth a report: `cargo xtask bench create-key`"
    );
    let machine = Machine::look(&build)?;
    let load_before = load_average()?;
    let stage = Stage::set(&build).await?;
    let length = Duration::from_secs((*seconds).into());
    let mut comparisons = Vec::new();
    for clients in CLIENTS {
        let pgbench = Pgbench::new(&stage, clients)?;
        let callers = Callers::connect(&stage, clients).await?;
        pgbench.run(WARM_UP).await?;
        callers.run(WARM_UP).await?;
        let mut rounds = Vec::new();
        for number in 1..=*pairs {
            tell(&format!("{clients} clients, round {number} of {pairs}"));
            // Every second round runs backwards: a steady drift falls on both alike.
            rounds.push(if number % 2 == 1 {
                let transactions = pgbench.run(length).await?;
                keyward(&stage, &callers, length, transactions).await?
            } else {
                let round = keyward(&stage, &callers, length, 0.0).await?;
                Round { pgbench: pgbench.run(length).await?, ..round }
            });
        }
        comparisons.push(Comparison::of(clients, &rounds).context("too few rounds")?);
    }
    let text =
        Report { options: &options, machine, load_before, stage: &stage, comparisons }.to_string();
    crate::say(&text);
    match file {
        Some(file) => sections::replace(file, &text),
        None => Ok(()),
    }
}

async fn keyward(
    stage: &Stage,
    callers: &Callers,
    length: Duration,
    pgbench: f64,
) -> anyhow::Result<Round> {
    let before = stage.keyward.cpu_times()?;
    let load = callers.run(length).await?;
    let cpu = stage.keyward.cpu_times()?.since(&before);
    let cpu_micros = cpu.as_secs_f64() * 1e6 / f64::from(load.calls);
    Ok(Round { pgbench, keyward: load.calls_per_second(), cpu_micros })
}

impl Comparison {
    fn of(clients: usize, rounds: &[Round]) -> Option<Self> {
        let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure);
        Some(Self {
            clients,
            pgbench: Spread::of(each(|round| round.pgbench))?,
            keyward: Spread::of(each(|round| round.keyward))?,
            ratio: Paired::of(each(|round| round.keyward / round.pgbench))?,
            cpu_micros: Spread::of(each(|round| round.cpu_micros))?,
        })
    }
}
