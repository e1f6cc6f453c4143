//! The rounds: each loads every server once, in turn, so that a drift of the machine falls on all.

use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::{Plan, call::Question, process::Server, stage::Stage, tell};

/// Calls that tell how fast a server is, and warm it up.
const WARM_UP_CALLS: u32 = 20_000;
/// A server that waits for its client measures the client.
pub(crate) const BUSY_PERCENT_LEAST: f64 = 95.0;
/// How often a load is tried when something else runs on the server's core: a minute of it is waited
/// out, by default.
pub(crate) const ATTEMPTS: u8 = 30;

/// What one load of one server gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leg {
    /// Microseconds of processor time of the server for a call.
    pub(crate) cpu_micros: f64,
    /// Calls that were answered in a second.
    pub(crate) calls_per_second: f64,
    /// The server's share of its core, in percent.
    pub(crate) busy_percent: f64,
}

/// One load of each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) keyward: Leg,
    /// The same Keyward, asked not to count.
    pub(crate) uncounted: Leg,
    pub(crate) empty: Leg,
    pub(crate) handicapped: Leg,
}

/// A server that is loaded again and again.
struct Contender<'a> {
    name: &'static str,
    server: &'a Server,
    question: &'a Question,
    stage: &'a Stage,
    calls: u32,
}

/// Starts the three servers, warms them up, and runs all rounds.
pub(crate) async fn run(plan: &Plan, stage: &Stage) -> anyhow::Result<Vec<Round>> {
    let (server, nothing) = (stage.keyward(&[]).await?, stage.empty(0, &[]).await?);
    let slower = stage.empty(plan.handicap_us, &[]).await?;
    let warm = |name, server, question| Contender::warm(name, server, question, stage, plan.leg());
    let question = &stage.question;
    let keyward = warm("Keyward", &server, question).await?;
    let uncounted = warm("Keyward without counting", &server, &stage.uncounted).await?;
    let empty = warm("the empty service", &nothing, question).await?;
    let handicapped = warm("the empty service with its handicap", &slower, question).await?;

    let mut rounds = Vec::new();
    for number in 1..=plan.pairs {
        tell(&format!("round {number} of {}", plan.pairs));
        // Every second round runs backwards: a steady drift falls on all alike.
        let round = if number % 2 == 1 {
            let (keyward, uncounted) = (keyward.leg().await?, uncounted.leg().await?);
            let empty = empty.leg().await?;
            Round { keyward, uncounted, empty, handicapped: handicapped.leg().await? }
        } else {
            let handicapped = handicapped.leg().await?;
            let empty = empty.leg().await?;
            let uncounted = uncounted.leg().await?;
            Round { keyward: keyward.leg().await?, uncounted, empty, handicapped }
        };
        rounds.push(round);
    }
    Ok(rounds)
}

impl<'a> Contender<'a> {
    /// A server that has been loaded a little, and how many calls make a load of the given length.
    async fn warm(
        name: &'static str,
        server: &'a Server,
        question: &'a Question,
        stage: &'a Stage,
        length: Duration,
    ) -> anyhow::Result<Self> {
        let load = stage.load(server, question, WARM_UP_CALLS).await;
        let load = load.with_context(|| format!("warming up {name}"))?;
        let calls = u128::from(load.calls) * length.as_micros() / load.time().as_micros();
        Ok(Self { name, server, question, stage, calls: calls.try_into()? })
    }

    /// A load in which the server was busy.
    async fn leg(&self) -> anyhow::Result<Leg> {
        let name = self.name;
        for _ in 0..ATTEMPTS {
            let leg = self.measure().await.with_context(|| format!("loading {name}"))?;
            if leg.busy_percent >= BUSY_PERCENT_LEAST {
                return Ok(leg);
            }
            tell(&format!("again: {name} was only {:.1} % busy", leg.busy_percent));
        }
        bail!(
            "this run is invalid: {name} was {ATTEMPTS} times less than {BUSY_PERCENT_LEAST} % busy, \
             as something else ran on its core, or the client was too slow"
        )
    }

    /// What the calls cost, between two proofs that they are answered rightly.
    async fn measure(&self) -> anyhow::Result<Leg> {
        let Self { name: _, server, question, stage, calls } = self;
        question.check(server.address).await?;
        let before = server.cpu_times()?;
        let load = stage.load(server, question, *calls).await?;
        let cpu = server.cpu_times()?.since(&before);
        question.check(server.address).await?;
        Ok(Leg {
            cpu_micros: cpu.as_secs_f64() * 1e6 / f64::from(load.calls),
            calls_per_second: load.calls_per_second,
            busy_percent: 100.0 * cpu.as_secs_f64() / load.time().as_secs_f64(),
        })
    }
}
