//! `cargo xtask proto`: the contract is clean, and breaks nobody who holds its last image.

use std::path::Path;

use anyhow::ensure;

use crate::program::{program, run};
use crate::tools::BUF;

/// The contract that clients hold.
const IMAGE: &str = "proto/keyward.binpb";

pub(crate) fn check() -> anyhow::Result<()> {
    let buf = BUF.obtain()?;
    run(program(&buf).arg("lint"))?;
    run(program(&buf).args(["format", "--diff", "--exit-code"]))?;
    ensure!(Path::new(IMAGE).exists(), "{IMAGE} is missing: `cargo xtask proto --accept` makes it");
    run(program(&buf).args(["breaking", "--against", IMAGE]))
}

/// Free until a release is tagged; afterwards only with a decision record.
pub(crate) fn accept() -> anyhow::Result<()> {
    // Without comments and positions, so that the image changes only when the contract does.
    run(program(BUF.obtain()?).args(["build", "--exclude-source-info", "--output", IMAGE]))
}
