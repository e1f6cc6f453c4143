//! `cargo xtask bench`: the benchmarks, built with the profile of what is shipped.

use crate::program::{self, cargo};

pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    program::run(cargo("run --profile dist --package keyward-bench --").args(arguments))
}
