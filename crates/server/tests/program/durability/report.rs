//! What a campaign found, as Markdown.

use std::fmt::{self, Display, Formatter};

use super::campaign::{Campaign, Changes, Findings};

pub(super) struct Report<'a> {
    pub(super) campaign: &'a Campaign,
    pub(super) findings: &'a Findings,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Findings { kills, rounds_in_flight, changes, verdicts, violations } = self.findings;
        let Campaign { rounds: _, seed, commit, report: _ } = self.campaign;
        let sum = |part: fn(&Changes) -> u64| changes.values().map(part).sum::<u64>();
        let acknowledged = sum(|of| of.acknowledged);
        let (whole, absent) = (sum(|of| of.whole), sum(|of| of.absent));
        write!(
            f,
            "# What survives kill -9

Written by `cargo xtask campaign durability`; do not edit.

**{kills} rounds on the embedded store, {kills} kills in mid-burst, {acknowledged} acknowledged changes, {} violations.**

| change | acknowledged | cut off and there, whole | cut off and absent |
|---|---:|---:|---:|
",
            violations.len()
        )?;
        for (change, Changes { acknowledged, whole, absent }) in changes {
            writeln!(f, "| {change} | {acknowledged} | {whole} | {absent} |")?;
        }
        writeln!(f, "| all | {acknowledged} | {whole} | {absent} |\n")?;
        for violation in violations {
            writeln!(f, "- violation: {violation}")?;
        }
        write!(
            f,
            "In {rounds_in_flight} of {kills} rounds the kill cut changes off. Those that were found whole were cut off between their commit and their answer; the others before, or in it. A repetition that was cut off changes nothing, and is not classed.

## How

- The real program, as a process on a data folder of its own, which serves 50 rounds and then makes way for a new one. Four writers change keys, businesses and scopes over gRPC, each one change after the other; SIGKILL comes after a drawn number of acknowledged changes and a drawn part of 6 ms more. Then the program starts on what is there.
- Each round compares everything that the folder's writers know with what the program says: state, name and description of each key, the limit of each business, each scope, and the verdict on each secret that was ever shown: current VALID, rotated away SECRET_ROTATED, of a revoked key REVOKED. {verdicts} verdicts were compared.
- What was cut off must be there whole or not at all, and is counted as which. A CreateKey or RotateKey that was cut off is repeated under its `request_id`, and makes no second key or secret.
- The rows are looked at as well, past the program: `integrity_check` and `foreign_key_check`; one current secret a key; no row without the audit event of its revision, and no event without its row; each key what its last event made of it; no `request_id` without its key, and no secret without its `request_id`; and no key or secret that nobody asked for.
- Can it see anything? Of a build whose CreateKey was torn into two commits it found half keys within a few rounds.

## What it shows, and what not

A killed process takes nothing along that it gave to the kernel: this shows that changes are atomic and are acknowledged only when committed, whatever the moment. It does not show that they reached the disk. For that the store sets `synchronous = FULL`, which a test checks, and relies on SQLite and on a disk that keeps what it was told to sync.

Seed {seed}, commit {commit}. The seed repeats what is drawn, not what the machine makes of it.
"
        )
    }
}
