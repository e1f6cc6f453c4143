//! What a campaign is told: `cargo xtask campaign` tells by the environment.

use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Told {
    /// How many rounds, or keys. `None`: as few as a test has.
    pub(crate) size: Option<u64>,
    pub(crate) seed: u64,
    /// Which commit this is, for the report.
    pub(crate) commit: String,
    /// Where the report goes, if there is to be one.
    pub(crate) report: Option<PathBuf>,
}

impl Told {
    #[expect(
        clippy::disallowed_methods,
        reason = "`cargo xtask campaign` tells by the environment"
    )]
    pub(crate) fn by_environment() -> Self {
        let told = |name: &str| std::env::var(format!("KEYWARD_CAMPAIGN_{name}")).ok();
        Self {
            size: told("SIZE").map(|size| size.parse().unwrap()),
            seed: told("SEED").map_or(1, |seed| seed.parse().unwrap()),
            commit: told("COMMIT").unwrap_or_default(),
            report: told("REPORT").map(PathBuf::from),
        }
    }
}
