//! Where PostgreSQL's programs are, and as whom they may run.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Names the folder of PostgreSQL's programs, where it is not to be searched for.
pub const BINARIES_VARIABLE: &str = "KEYWARD_TEST_POSTGRES_BIN";

const NEEDED: [&str; 4] = ["initdb", "pg_ctl", "postgres", "psql"];

/// The folder with PostgreSQL's programs: the one that [`BINARIES_VARIABLE`] names, else the newest
/// under `/usr/lib/postgresql`, else the first on `PATH`.
///
/// # Errors
/// When no such folder has all programs; the message says what to install.
#[expect(clippy::disallowed_methods, reason = "tests find their programs by the environment")]
pub fn find_binaries() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os(BINARIES_VARIABLE) {
        let named = PathBuf::from(named);
        if !is_complete(&named) {
            bail!("{BINARIES_VARIABLE} is {}, which lacks one of {NEEDED:?}", named.display());
        }
        return Ok(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian_folders()
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|folder| is_complete(folder))
        .with_context(|| {
            format!(
                "PostgreSQL's programs {NEEDED:?} were not found: install the server (Debian: \
                 `postgresql`), or name their folder in {BINARIES_VARIABLE}"
            )
        })
}

/// Whether this process runs as root, as whom PostgreSQL refuses to run.
#[must_use]
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn is_complete(folder: &Path) -> bool {
    NEEDED.iter().all(|program| folder.join(program).is_file())
}

/// `/usr/lib/postgresql/<major>/bin`, the newest first.
fn debian_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut majors: Vec<u32> =
        versions.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors.iter().map(|major| format!("/usr/lib/postgresql/{major}/bin").into()).collect()
}
