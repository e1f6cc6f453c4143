//! What a campaign found, as Markdown.

use std::fmt::{self, Display, Formatter};

use super::campaign::{Campaign, Event, Findings, Rounds};

pub(super) struct Report<'a> {
    pub(super) campaign: &'a Campaign,
    pub(super) findings: &'a Findings,
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill -9",
            Self::Drain => "drain (SIGTERM)",
            Self::SessionsEnd => "the database ends the server's sessions",
            Self::AnswerLost => "the answer to a flush's commit is lost",
            Self::Restart => "the database stops at once and starts again",
        }
    }
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Findings { rounds, violations } = self.findings;
        let count: u64 = rounds.values().map(|of| of.rounds).sum();
        let answers: u64 = rounds.values().map(|of| of.answers).sum();
        write!(
            f,
            "# How right counts are

Written by `cargo xtask campaign usage`; do not edit.

**{count} rounds at full load, {answers} answers, {} violations.**

| engine | what happens | rounds | answers | calls cut off | answers not counted |
|---|---|---:|---:|---:|---:|
",
            violations.len()
        )?;
        for ((engine, event), Rounds { rounds, answers, cut_off, lost }) in rounds {
            let event = event.name();
            writeln!(f, "| {engine} | {event} | {rounds} | {answers} | {cut_off} | {lost} |")?;
        }
        writeln!(f)?;
        for violation in violations {
            writeln!(f, "- violation: {violation}")?;
        }
        write!(
            f,
            "## How

- The real program, as a process. Eight verifiers ask about four keys, each one call after the other, and note each VALID with the time at which it arrived. Something happens after a drawn number of answers; then each key's `request_count` is compared with what its own verifiers know, and the sum of the hours that QueryUsage tells with the sum of the keys.
- After a drain, after sessions that the database ended, after a restart of it and after a lost answer the count must be exactly the answers that arrived, as soon as `counted_until_time` has passed the last of them, and `usage_incomplete` must be false.
- After a kill it must hold every answer that arrived before the `flushed_through` that the killed server left in the database, and at most all that arrived and all that were cut off. On the embedded store `usage_incomplete` must then be true, as its start knows that the server is gone; on PostgreSQL, where it may come back for two minutes, `counted_until_time` must stand where it had flushed.
- The answer is lost by a proxy before PostgreSQL, which knows a flush's transaction by its statement, passes its COMMIT on, waits until the database has answered, and closes both sides without a word. The server sends the batch again; the gate has let it through once.

## What it shows, and what not

What a kill costs is what was counted since the last flush: about a second. One server at a time has a database today: several that count at once are tested in the store alone.

Seed {}, commit {}. The seed repeats what is drawn, not what the machine makes of it.
",
            self.campaign.told.seed, self.campaign.told.commit
        )
    }
}
