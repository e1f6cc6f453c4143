//! The rounds: start, write, kill, start again, compare.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use tokio::{sync::mpsc::unbounded_channel, task::JoinSet, time::timeout};

use super::{
    inspection,
    ledger::{Ledger, Settled},
    writer::write_until_cut_off,
};
use crate::{campaign::Told, client::Client, draw::Draw, home::Home};

/// Rounds, unless told otherwise.
const ROUNDS: u64 = 20;
/// Writers at once: the store has one place for them, so that most wait while one commits.
const WRITERS: u64 = 4;
/// A data folder lives so many rounds: long enough to grow old, short enough to be compared in full.
const ROUNDS_A_HOME: u64 = 50;
/// The kill comes after so many acknowledged changes at most,
const ACKNOWLEDGED_MOST: u64 = 12;
/// and so long after the last of them, in microseconds.
const AFTERWARDS_MOST: u64 = 6_000;

/// What is to be done.
#[derive(Debug)]
pub(super) struct Campaign {
    pub(super) rounds: u64,
    pub(super) seed: u64,
    /// Which commit this is, for the report.
    pub(super) commit: String,
    pub(super) report: Option<PathBuf>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) kills: u64,
    /// Rounds in which the kill cut off a change at least.
    pub(super) rounds_in_flight: u64,
    /// By kind.
    pub(super) changes: BTreeMap<&'static str, Changes>,
    /// Verdicts that were compared with what they must be.
    pub(super) verdicts: usize,
    pub(super) violations: Vec<String>,
}

/// What became of changes of one kind.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) acknowledged: u64,
    /// Cut off by the kill, and there.
    pub(super) whole: u64,
    /// Cut off by the kill, and not there.
    pub(super) absent: u64,
}

impl Campaign {
    pub(super) fn from_environment() -> Self {
        let Told { size, seed, commit, report } = Told::by_environment();
        Self { rounds: size.unwrap_or(ROUNDS), seed, commit, report }
    }

    /// Ends with the first round in which anything is wrong.
    pub(super) async fn run(&self) -> Findings {
        let mut findings = Findings::default();
        let mut round = 0;
        while round < self.rounds && findings.violations.is_empty() {
            let home = Home::on_sqlite();
            let mut ledgers: Vec<Ledger> = (0..WRITERS).map(Ledger::new).collect();
            for _ in 0..ROUNDS_A_HOME {
                if round == self.rounds || !findings.violations.is_empty() {
                    break;
                }
                round += 1;
                self.cut_off(&home, round, &mut ledgers, &mut findings).await;
                compare(&home, &mut ledgers, &mut findings).await;
                let numbered = |what: String| format!("round {round}: {what}");
                let violations = std::mem::take(&mut findings.violations);
                findings.violations = violations.into_iter().map(numbered).collect();
            }
        }
        findings
    }

    /// Writes, and kills at a drawn moment.
    async fn cut_off(
        &self,
        home: &Home,
        round: u64,
        ledgers: &mut Vec<Ledger>,
        findings: &mut Findings,
    ) {
        let server = home.serve(&[]);
        let client = Client::new(&server, &home.operator_key());
        let (acknowledge, mut acknowledged) = unbounded_channel();
        let writers: JoinSet<_> = std::mem::take(ledgers)
            .into_iter()
            .zip(1..)
            .map(|(ledger, writer)| {
                let draw = Draw::new(self.seed, [round, writer]);
                write_until_cut_off(client.clone(), ledger, draw, acknowledge.clone())
            })
            .collect();
        drop(acknowledge);

        let mut draw = Draw::new(self.seed, [round, 0]);
        let mut count = async |change| {
            findings.changes.entry(change).or_default().acknowledged += 1;
        };
        for _ in 0..=draw.below(ACKNOWLEDGED_MOST) {
            count(acknowledged.recv().await.unwrap()).await;
        }
        let afterwards = Duration::from_micros(draw.below(AFTERWARDS_MOST));
        let rest = async {
            while let Some(change) = acknowledged.recv().await {
                count(change).await
            }
        };
        assert!(timeout(afterwards, rest).await.is_err(), "the writers gave up by themselves");
        server.kill();
        *ledgers = writers.join_all().await;
        while let Some(change) = acknowledged.recv().await {
            findings.changes.entry(change).or_default().acknowledged += 1;
        }
        findings.kills += 1;
        let cut_off = ledgers.iter().filter(|ledger| ledger.in_flight.is_some()).count();
        findings.rounds_in_flight += u64::from(cut_off > 0);
    }
}

/// Starts again, finds out what became of what was cut off, and compares everything.
async fn compare(home: &Home, ledgers: &mut [Ledger], findings: &mut Findings) {
    let server = home.serve(&[]);
    let client = Client::new(&server, &home.operator_key());
    let violations = &mut findings.violations;
    inspection::rows(&home.data("keyward.db"), violations);
    for ledger in ledgers.iter_mut() {
        match ledger.settle(&client, violations).await {
            None => {}
            Some((change, Settled::Whole)) => {
                findings.changes.entry(change).or_default().whole += 1
            }
            Some((change, Settled::Absent)) => {
                findings.changes.entry(change).or_default().absent += 1;
            }
        }
    }
    for ledger in ledgers.iter() {
        findings.verdicts += ledger.compare(&client, violations).await;
    }
    inspection::counts(&home.data("keyward.db"), ledgers, violations);
    // It need not end well: the next round's server starts after a kill here too.
    server.kill();
}
