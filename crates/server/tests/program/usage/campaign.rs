//! The rounds: load, something happens, compare.

use std::collections::BTreeMap;

use test_postgres::{Cluster, Options};

use super::{load::OnFailure, proxy::Proxy, site::Site};
use crate::{campaign::Told, draw::Draw, home::Home};

/// Rounds, unless told otherwise; half of them on each engine.
const ROUNDS: u64 = 20;
/// Something happens after so many answers at most: over seconds, and so before, in and after flushes.
const ANSWERS_MOST: u64 = 4_000;
/// Ends every session of the server's but the one that holds its right to answer.
const END_SESSIONS: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity
    where application_name = 'keyward' and datname = current_database()
        and pid not in (select pid from pg_locks where locktype = 'advisory')";

/// What happens on the embedded store, again and again on one folder for a while.
const ON_SQLITE: [Event; 10] = [
    Event::Kill,
    Event::Drain,
    Event::Kill,
    Event::Kill,
    Event::Drain,
    Event::Kill,
    Event::Kill,
    Event::Kill,
    Event::Drain,
    Event::Kill,
];
/// What happens on PostgreSQL, in a database. After a kill begins another: only there is nobody who
/// holds `counted_until_time` back.
const ON_POSTGRES: [Event; 10] = [
    Event::SessionsEnd,
    Event::AnswerLost,
    Event::Drain,
    Event::SessionsEnd,
    Event::AnswerLost,
    Event::AnswerLost,
    Event::Restart,
    Event::SessionsEnd,
    Event::AnswerLost,
    Event::Kill,
];

/// What happens in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// SIGKILL.
    Kill,
    /// SIGTERM.
    Drain,
    /// The database ends the server's sessions, some of them in a transaction.
    SessionsEnd,
    /// The answer to a flush's commit is lost.
    AnswerLost,
    /// The database stops at once, and starts again.
    Restart,
}

/// What is to be done.
#[derive(Debug)]
pub(super) struct Campaign {
    pub(super) told: Told,
    pub(super) rounds: u64,
}

/// What was found, by engine and event.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) rounds: BTreeMap<(&'static str, Event), Rounds>,
    pub(super) violations: Vec<String>,
}

/// Rounds of one kind.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    pub(super) rounds: u64,
    /// VALID verdicts that arrived.
    pub(super) answers: u64,
    /// Calls that were cut off by a kill.
    pub(super) cut_off: u64,
    /// Answers that were not counted.
    pub(super) lost: i64,
}

impl Campaign {
    pub(super) fn by_environment() -> Self {
        let told = Told::by_environment();
        let rounds = told.size.unwrap_or(ROUNDS);
        Self { told, rounds }
    }

    /// Ends with the first round in which anything is wrong.
    pub(super) async fn run(&self) -> Findings {
        let mut findings = Findings::default();
        // Events are taken before numbers: with the last of them no number is lost.
        let mut numbers = 1..=self.rounds / 2;
        while !numbers.is_empty() && findings.violations.is_empty() {
            let mut site = Site::new(Home::on_sqlite()).await;
            for (event, number) in ON_SQLITE.into_iter().zip(numbers.by_ref()) {
                self.round(number, ("SQLite", event), &mut site, None, &mut findings).await;
                if !findings.violations.is_empty() {
                    break;
                }
            }
        }
        let cluster = Cluster::start_with(&Options { tcp: true, ..Options::default() }).unwrap();
        let mut numbers = 1..=self.rounds - self.rounds / 2;
        while !numbers.is_empty() && findings.violations.is_empty() {
            let proxy = Proxy::before(cluster.port().unwrap()).await;
            let home = Home::on_cluster(&cluster);
            let url = format!("postgres://postgres@{}/{}", proxy.address, home.database().name());
            let mut site = Site::new(home.reached_by(url)).await;
            let mut database = Some((&cluster, proxy));
            for (event, number) in ON_POSTGRES.into_iter().zip(numbers.by_ref()) {
                let kind = ("PostgreSQL", event);
                self.round(number, kind, &mut site, database.as_mut(), &mut findings).await;
                if !findings.violations.is_empty() {
                    break;
                }
            }
        }
        findings
    }

    async fn round(
        &self,
        number: u64,
        kind: (&'static str, Event),
        site: &mut Site,
        database: Option<&mut (&Cluster, Proxy)>,
        findings: &mut Findings,
    ) {
        let (engine, event) = kind;
        let engine_number = u64::from(database.is_some());
        let mut draw = Draw::new(self.told.seed, [number, engine_number]);
        let on_failure = match event {
            Event::Kill | Event::Drain => OnFailure::End,
            Event::SessionsEnd | Event::AnswerLost | Event::Restart => OnFailure::GoOn,
        };
        let mut load = site.put_load(on_failure);
        load.answers(1 + draw.below(ANSWERS_MOST)).await;
        match (event, database) {
            (Event::SessionsEnd, Some(_)) => {
                for _ in 0..=draw.below(3) {
                    site.home.database().psql(END_SESSIONS).unwrap();
                    load.answers(1 + draw.below(500)).await;
                }
            }
            (Event::AnswerLost, Some((_, proxy))) => proxy.lose_an_answer().await,
            (Event::Restart, Some((cluster, _))) => {
                cluster.stop_immediate().unwrap();
                cluster.restart().unwrap();
                site.wait_for_log("the database is back");
                load.answers(1).await;
            }
            (Event::Kill, _) => site.kill(),
            (Event::Drain, _) => site.drain(),
            (_, None) => panic!("{event:?} on {engine}"),
        }
        let answers = site.end_load(load).await;
        let (lost, violations) = match event {
            Event::Kill => {
                let through = site.flushed_through();
                site.serve_again();
                site.compare_after_kill(&answers, through).await
            }
            Event::Drain => {
                site.serve_again();
                (0, site.compare(&answers).await)
            }
            Event::SessionsEnd | Event::AnswerLost | Event::Restart => {
                (0, site.compare(&answers).await)
            }
        };
        let named = |what: String| format!("{engine}, round {number}, {event:?}: {what}");
        findings.violations.extend(violations.into_iter().map(named));
        let rounds = findings.rounds.entry(kind).or_default();
        rounds.rounds += 1;
        rounds.lost += lost;
        for of_key in &answers {
            rounds.answers += u64::try_from(of_key.arrived.len()).unwrap();
            rounds.cut_off += of_key.cut_off;
        }
    }
}
