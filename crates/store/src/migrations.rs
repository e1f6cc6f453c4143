//! How a database's schema stands to this binary's.

use crate::{Engine, Store, error::StoreError, on_engine};

/// Which migrations are missing here, and which are unknown here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// In this binary, in order.
    pub known: Vec<String>,
    /// Of those, not yet in the database.
    pub pending: Vec<String>,
    /// In the database and not in this binary: a newer one was here.
    pub unknown: Vec<String>,
}

impl MigrationStatus {
    pub(crate) fn compare(
        known: impl Iterator<Item = String>,
        mut applied: Vec<String>,
    ) -> diesel::migration::Result<Self> {
        let mut known: Vec<String> = known.collect();
        known.sort();
        applied.sort();
        let pending = known.iter().filter(|version| !applied.contains(version)).cloned().collect();
        let unknown = applied.into_iter().filter(|version| !known.contains(version)).collect();
        Ok(Self { known, pending, unknown })
    }
}

impl Store {
    /// Runs the migrations that the database lacks, and names them. Any number of processes may do so
    /// at once on PostgreSQL; on SQLite the caller holds the folder.
    ///
    /// # Errors
    /// A fault; the migrations that ran before it stay.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        // Not bounded: a migration takes what it takes.
        match &self.engine {
            Engine::Postgres(database) => database.migrate().await,
            Engine::Sqlite(database) => database.migrate().await,
        }
    }

    /// How the database's schema stands to this binary's.
    ///
    /// # Errors
    /// A fault.
    pub async fn migration_status(&self) -> Result<MigrationStatus, StoreError> {
        on_engine!(self, database => database.migration_status())
    }
}
