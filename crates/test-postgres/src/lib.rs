//! A private PostgreSQL for tests: its own data, its own socket, gone when its owner is gone.
//!
//! Nothing stays behind, not even when the test process is killed with SIGKILL: a small shell
//! (`supervisor.sh`) owns folder and server, and takes both down when the pipe from us closes.
//! PostgreSQL 15 is the least. As root, it runs as `nobody`, because PostgreSQL refuses root.

mod binaries;
mod cluster;
mod database;
mod tls;

use std::sync::LazyLock;

pub use crate::binaries::{BINARIES_VARIABLE, find_binaries, is_root};
pub use crate::cluster::{Cluster, Options};
pub use crate::database::Database;
pub use crate::tls::Certificates;

/// The cluster that all tests of this process share, started when the first of them asks.
///
/// # Panics
/// When PostgreSQL is missing or does not start: a test cannot go on without it.
#[must_use]
#[expect(clippy::expect_used, reason = "a test without its database can only stop")]
pub fn shared() -> &'static Cluster {
    static SHARED: LazyLock<Cluster> =
        LazyLock::new(|| Cluster::start().expect("PostgreSQL starts"));
    &SHARED
}
