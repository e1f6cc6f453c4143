//! What the campaign found, as Markdown.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use super::campaign::{Campaign, Findings, Latencies};
use crate::campaign::Told;

pub(super) struct Report<'a> {
    pub(super) campaign: &'a Campaign,
    pub(super) findings: &'a Findings,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Findings { client_kills, server_kills, took, verified, quiet, meanwhile, violations } =
            self.findings;
        let Campaign { told: Told { size: _, seed, commit, report: _ }, keys } = self.campaign;
        let seconds = took.as_secs();
        let ratio = meanwhile.percentile(99).as_secs_f64() / quiet.percentile(99).as_secs_f64();
        write!(
            f,
            "# Moving in

Written by `cargo xtask campaign import`; do not edit.

**{keys} keys from a CSV file into PostgreSQL, the client killed {client_kills} times and the server {server_kills} times, in {seconds} s; {} violations. Verify's p99 meanwhile was {ratio:.2} of the quiet one (the goal is 2 at most).**

| Verify | answers | p50 | p99 | UNAVAILABLE |
|---|---:|---:|---:|---:|
",
            violations.len()
        )?;
        for (when, latencies) in [("between imports", quiet), ("while keys came in", meanwhile)] {
            let [p50, p99] = [50, 99].map(|hundredths| millis(latencies, hundredths));
            let (answers, unavailable) = (latencies.count(), latencies.unavailable);
            writeln!(f, "| {when} | {answers} | {p50} ms | {p99} ms | {unavailable} |")?;
        }
        writeln!(f)?;
        for violation in violations {
            writeln!(f, "- violation: {violation}")?;
        }
        write!(
            f,
            "## How

- The real program twice, as server and as `keyward import`, and PostgreSQL beside them. SIGKILL comes to the client after a drawn number of verifications, and in one of twelve rounds to the server too, which then starts again and waits, as it must, until its predecessor cannot be answering. Then the same command goes on.
- At the end each key is in the database once, with one secret and one audit event; and {verified} drawn secrets of the other system verify.
- One caller verifies a good key all the while, one call after the other, and every answer is VALID. UNAVAILABLE says that the server was for four seconds not let run for long enough to prove that it may answer. Every fourth round begins with as many calls without an import, so that whatever else the machine does weighs on both.

## What it shows, and what not

That an import may be stopped at any moment, and that whoever verifies need not wait for it. The times are of a build without optimization, with the server, the client, the database and the caller on the same machine of two processors: they say how much company costs there, and not what a call takes.

Seed {seed}, commit {commit}.
"
        )
    }
}

fn millis(latencies: &Latencies, hundredths: usize) -> String {
    let time: Duration = latencies.percentile(hundredths);
    format!("{:.2}", time.as_secs_f64() * 1_000.0)
}
