//! `cargo xtask test`: everything that must hold, the cheap first. README's one test command.

use std::path::PathBuf;

use crate::program::{self, cargo, program};
use crate::report::Report;
use crate::tools::{self, CARGO_DENY, GRPCURL, TOXIPROXY};
use crate::{proto, quick_start, runbooks, tidy};

pub(crate) fn run() -> anyhow::Result<()> {
    let mut report = Report::default();
    report.suite("format", || program::run(&mut cargo("fmt --all --check")));
    report.suite("tidy", tidy::run);
    report.suite("proto", proto::check);
    report.suite("dependencies", dependencies);
    report.suite("clippy", || {
        program::run(&mut cargo("clippy --locked --workspace --all-targets -- --deny warnings"))
    });
    report.suite("fuzz targets", fuzz_targets);
    let postgres = report.suite("get PostgreSQL", tools::postgres);
    let grpcurl = report.suite("get grpcurl", || GRPCURL.obtain());
    let toxiproxy = report.suite("get toxiproxy", || TOXIPROXY.obtain());
    report.suite("tests", || tests(postgres, grpcurl, toxiproxy));
    report.suite("docs", docs);
    report.suite("quick start", quick_start::run);
    report.suite("runbooks", runbooks::run);
    report.close(is_ci())
}

/// Bans, licences and sources. Advisories are left out: they need a database from the network.
fn dependencies() -> anyhow::Result<()> {
    program::run(program(CARGO_DENY.obtain()?).args(["check", "bans", "licenses", "sources"]))
}

/// Held to the same lints, and not run: `cargo xtask fuzz` does that. Nothing is linked here, so that the
/// fuzzer's own C++ need not be built.
fn fuzz_targets() -> anyhow::Result<()> {
    let clippy =
        "clippy --locked --manifest-path fuzz/Cargo.toml --target-dir target -- --deny warnings";
    program::run(cargo(clippy).env("CUSTOM_LIBFUZZER_PATH", "nowhere/libfuzzer.a"))
}

/// Tests that need a program which could not be had are skipped by its name in their path; that they
/// did not run is what the row of getting the program says.
fn tests(
    postgres: Option<PathBuf>,
    grpcurl: Option<PathBuf>,
    toxiproxy: Option<PathBuf>,
) -> anyhow::Result<()> {
    let mut command = cargo("test --locked --workspace --");
    match postgres {
        Some(folder) => command.env(test_postgres::BINARIES_VARIABLE, folder),
        None => command.args(["--skip", "postgres"]),
    };
    match grpcurl {
        Some(program) => command.env("KEYWARD_TEST_GRPCURL", program),
        None => command.args(["--skip", "grpcurl"]),
    };
    match toxiproxy {
        Some(program) => command.env("KEYWARD_TEST_TOXIPROXY", program),
        None => command.args(["--skip", "toxiproxy"]),
    };
    program::run(&mut command)
}

fn docs() -> anyhow::Result<()> {
    let mut command = cargo("doc --locked --workspace --no-deps --document-private-items");
    program::run(command.env("RUSTDOCFLAGS", "--deny warnings"))
}

#[expect(clippy::disallowed_methods, reason = "CI tells by the environment that it is CI")]
fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}
