//! `cargo xtask fuzz`: what reads what strangers send, under a fuzzer for a minute each. The tests have
//! short properties of the same; this looks deeper, and finds its way by what the code does.

use crate::program::{self, program};
use crate::tools::CARGO_FUZZ;

const SECONDS: &str = "60";
/// Of an input, in bytes: a little beyond the longest token that is looked at.
const LONGEST: &str = "-max_len=9000";
const TARGETS: [&str; 4] = ["user_token", "claims", "key_set", "headers"];
/// Where each begins, beside what it found before.
const SEEDS: &str = "crates/server/src/callers/token/samples";

/// For so many seconds a target.
pub(crate) fn run(seconds: Option<&str>) -> anyhow::Result<()> {
    let cargo_fuzz = CARGO_FUZZ.obtain()?;
    for target in TARGETS {
        let found = format!("fuzz/corpus/{target}");
        std::fs::create_dir_all(&found)?;
        let time = format!("-max_total_time={}", seconds.unwrap_or(SECONDS));
        let mut fuzz = program(&cargo_fuzz);
        fuzz.args([
            "run",
            "--target-dir",
            "target/fuzz",
            target,
            &found,
            SEEDS,
            "--",
            LONGEST,
            &time,
        ]);
        // The instrumentation is unstable still, and the compiler that everybody has is the stable one.
        program::run(fuzz.env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
}
