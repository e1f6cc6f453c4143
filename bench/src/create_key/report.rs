//! What was found, as Markdown.

use std::fmt::{self, Display, Formatter};

use super::{
    Comparison, Options,
    stage::{BUSINESSES, Stage},
};
use crate::machine::Machine;

/// Everything there is to say about a run.
pub(super) struct Report<'a> {
    pub(super) options: &'a Options,
    pub(super) machine: Machine,
    /// Before anything was run: what else the machine had to do.
    pub(super) load_before: String,
    pub(super) stage: &'a Stage,
    pub(super) comparisons: Vec<Comparison>,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.figures(f)?;
        self.method(f)?;
        self.place(f)
    }
}

impl Report<'_> {
    fn figures(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "# What a CreateKey costs

Written by `cargo xtask bench create-key --report docs/performance.md`; do not edit.

"
        )?;
        let medians = self
            .comparisons
            .iter()
            .map(|of| format!("{:.2} with {}", of.ratio.median, clients(of.clients)));
        let medians: Vec<String> = medians.collect();
        writeln!(
            f,
            "**Keyward's CreateKey, over gRPC and in effect, beside pgbench running the same transaction: {} (1 = as fast; the goal is 0.8).**\n",
            medians.join(", ")
        )?;
        writeln!(f, "| clients | Keyward ÷ pgbench, median | 95 % interval |")?;
        writeln!(f, "|---:|---:|---:|")?;
        for Comparison { clients, ratio, .. } in &self.comparisons {
            writeln!(f, "| {clients} | {ratio:.3} |")?;
        }
        writeln!(
            f,
            "\n| clients; min / median / max | Keyward, calls a second | pgbench, transactions a second | Keyward's processor time a call, µs |"
        )?;
        writeln!(f, "|---:|---:|---:|---:|")?;
        for Comparison { clients, pgbench, keyward, cpu_micros, .. } in &self.comparisons {
            writeln!(f, "| {clients} | {keyward:.0} | {pgbench:.0} | {cpu_micros:.0} |")?;
        }
        Ok(())
    }

    fn method(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Options { pairs, seconds, report: _ } = self.options;
        let profile = &self.machine.profile;
        write!(
            f,
            "
## How

- A private PostgreSQL cluster with its defaults: `fsync` and `synchronous_commit` on, so that each commit waits for the disk. Keyward (profile `{profile}`) writes to one database of it, pgbench to a copy, so that Keyward's memory does not fill with what pgbench makes. Nothing is pinned: server, database and callers share the machine.
- pgbench runs what Keyward runs: the statements are read out of PostgreSQL's log of a CreateKey of this run, and become its script, prepared, with the parameters as variables. Each transaction has a revision, a key id and a digest of its own, which the first statement hands on, and one of {BUSINESSES} businesses that are there.
- {pairs} rounds of {seconds} s for each, in turn, every second round backwards, after a warm-up. The ratio is taken within a round; the interval is the one of order statistics for a median. Each caller of Keyward has a connection of its own and makes one call after the other; every answer must bring a secret.
- pgbench's figure ends with the commit. Keyward's call includes what follows: the look at what changed, by which every change reaches memory before it is acknowledged, and which changes that wait at the same time share.

One CreateKey is these statements:

```sql
{}
```

Every change locks the counter's row first, so that changes have one order, and holds it until its commit is on the disk. So the rate hardly grows with the clients, on either side, and what lies between that lock and the commit is what counts: the statements' round trips, and the disk.

With one client nothing overlaps: after pgbench's round trips Keyward makes those of the look at what changed (the counter, businesses, scopes, secrets), and before and after them there is a call of gRPC. With several, these happen while others have the lock.
",
            self.stage.script.statements.join(";\n") + ";"
        )
    }

    fn place(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Machine { profile: _, processor, cores, kernel, date, commit, rustc, .. } =
            &self.machine;
        let (postgres, load) = (&self.stage.postgres, &self.load_before);
        write!(
            f,
            "
## Where and when

{date}, commit {commit}. {processor}, {cores} cores, Linux {kernel}; {postgres}, {rustc}. The load average before was {load}: well above 0, others had their share of the machine, and the figures scatter. Figures of another machine compare by their ratios alone.
"
        )
    }
}

fn clients(number: usize) -> String {
    if number == 1 { "one client".to_owned() } else { format!("{number} clients") }
}
