//! What a flush of usage costs: a hundred thousand keys that are all in use, each second.

use std::{
    fmt::{self, Display, Formatter},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use apikey::{
    clock::Timestamp,
    id::KeyId,
    usage::{CountedVerdict, Slot},
};
use keyward_store::{
    PoolLimits, Store,
    usage::{Batch, Flushed, FlusherId, UsageCount, merge},
};
use test_postgres::Cluster;

use crate::{
    machine::{Build, Machine, load_average},
    sections,
    statistics::Spread,
    tell,
};

const LIMITS: PoolLimits = PoolLimits { connections: 2, wait: Duration::from_secs(30) };
/// 2026-03-01T12:00:00Z: the time does not matter.
const NOON: Timestamp = Timestamp::from_micros(1_772_366_400_000_000);

/// How much to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Keys that are in use.
    #[arg(long, default_value_t = 100_000)]
    keys: u64,
    /// Flushes of each kind.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(6..=100))]
    flushes: u8,
    /// Write what is found to this file, as its section of this name.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Seconds of a flush: the first of a quarter of an hour, which makes rows, and those after it.
struct Series {
    first: Spread,
    after: Spread,
}

pub(crate) async fn measure(options: Options) -> anyhow::Result<()> {
    let Options { keys, flushes, report: file } = &options;
    let build = Build::of_this()?;
    ensure!(
        file.is_none() || build.profile() == "dist",
        "only what is built as `dist` is worth a report: `cargo xtask bench flush`"
    );
    let machine = Machine::look(&build)?;
    let load_before = load_average()?;
    let folder = tempfile::Builder::new().prefix("keyward-bench-").tempdir()?;
    let cluster =
        Cluster::start_with(&test_postgres::Options { fsync: true, ..Default::default() })?;
    let database = cluster.create_database()?;
    let postgres = Store::postgres(&database.url(), LIMITS)?;
    let postgres = series("PostgreSQL", &postgres, *keys, *flushes).await?;
    let sqlite = Store::sqlite(folder.path(), LIMITS)?;
    let sqlite = series("SQLite", &sqlite, *keys, *flushes).await?;
    let version = database.psql("select split_part(version(), ' on ', 1)")?;
    let text =
        Report { options: &options, machine, load_before, version, postgres, sqlite }.to_string();
    crate::say(&text);
    file.as_deref().map_or(Ok(()), |file: &Path| sections::replace(file, &text))
}

async fn series(name: &str, store: &Store, keys: u64, flushes: u8) -> anyhow::Result<Series> {
    store.migrate().await?;
    let id = FlusherId::from_bytes([1; 16]);
    store.open_flusher(id, None, NOON).await?;
    store.keep_usage(NOON).await?;
    let (mut number, mut first, mut after) = (0, Vec::new(), Vec::new());
    let mut slot = Slot::of(NOON);
    for round in 1..=flushes {
        tell(&format!("{name}, round {round} of {flushes}"));
        for series in [&mut first, &mut after] {
            series.push(flush(store, id, &mut number, slot, keys).await?);
        }
        slot = slot.next();
    }
    let spread = |series: &[f64]| Spread::of(series.iter().copied()).context("too few flushes");
    Ok(Series { first: spread(&first)?, after: spread(&after)? })
}

/// One request on each key; seconds until it is stored.
async fn flush(
    store: &Store,
    id: FlusherId,
    number: &mut i64,
    slot: Slot,
    keys: u64,
) -> anyhow::Result<f64> {
    let count = |key: u64| UsageCount {
        slot,
        // Spread as the ids of real keys are not: their beginnings are times.
        key_id: KeyId::from_bytes(
            u128::from(key.wrapping_mul(0x9e37_79b9_7f4a_7c15)).rotate_left(64).to_be_bytes(),
        ),
        verdict: CountedVerdict::Valid,
        count: 1,
        last_time: slot.start(),
    };
    let counts = merge((1..=keys).map(count).collect());
    let parts: Vec<&[UsageCount]> = counts.chunks(store.batch_rows_max()).collect();
    let last = parts.len();
    let mut seconds = 0.0;
    for (place, part) in parts.into_iter().enumerate() {
        *number += 1;
        let through = (place + 1 == last).then(|| slot.next().start());
        let batch = Batch { number: *number, counts: part.to_vec(), through, gap: None };
        let begun = Instant::now();
        ensure!(store.flush(id, batch).await? == Flushed::Counted, "a batch was not counted");
        seconds += begun.elapsed().as_secs_f64();
    }
    Ok(seconds)
}

struct Report<'a> {
    options: &'a Options,
    machine: Machine,
    load_before: String,
    version: String,
    postgres: Series,
    sqlite: Series,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            options: Options { keys, flushes, report: _ },
            machine,
            load_before,
            version,
            ..
        } = self;
        let Machine { profile, processor, cores, kernel, date, commit, rustc, .. } = machine;
        write!(
            f,
            "# What a flush of usage costs

Written by `cargo xtask bench flush --report docs/performance.md`; do not edit.

**{keys} keys in use: a flush takes {:.2} s on PostgreSQL, {:.2} s on SQLite, in the median (the goal is less than 1 s on PostgreSQL).**

| seconds; min / median / max | the first of a quarter of an hour | each after it |
|---|---:|---:|
",
            self.postgres.after.median, self.sqlite.after.median
        )?;
        for (name, Series { first, after }) in
            [("PostgreSQL", &self.postgres), ("SQLite", &self.sqlite)]
        {
            writeln!(f, "| {name} | {first:.2} | {after:.2} |")?;
        }
        write!(
            f,
            "
## How

- {flushes} quarters of an hour with two flushes each: the first makes a row a key, the second rewrites it. Each key had one VALID verdict; the keys themselves are not there, which a flush does not look at.
- On PostgreSQL (a private cluster with its defaults, `fsync` and `synchronous_commit` on) a flush is one transaction; on SQLite (`synchronous = FULL`) one of at most 5,000 rows after the other, so that a change waits for no more than one of them.
- The server flushes each second, and rests four times as long as a flush took.

## Where and when

{date}, commit {commit}, profile `{profile}`. {processor}, {cores} cores, Linux {kernel}; {version}, {rustc}. The load average before was {load_before}: well above 0, others had their share of the machine.
"
        )
    }
}
