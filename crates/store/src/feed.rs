//! What servers that hold everything in memory read: all of it once, then what changed.

use apikey::digest::Digest;

use crate::{
    Engine, Store,
    error::StoreError,
    on_engine,
    record::{Changes, HeldBusiness, HeldSecret, Revision},
};

impl Store {
    /// The newest committed change.
    ///
    /// # Errors
    /// A fault.
    pub async fn revision(&self) -> Result<Revision, StoreError> {
        on_engine!(self, database => database.revision())
    }

    /// A number that differs from what it was where somebody wrote past the store, and past its history.
    /// On PostgreSQL nobody can, and it is always the same.
    ///
    /// # Errors
    /// A fault.
    pub async fn foreign_writes(&self) -> Result<i64, StoreError> {
        match &self.engine {
            Engine::Postgres(_) => Ok(0),
            Engine::Sqlite(database) => database.foreign_writes().await,
        }
    }

    /// All that replicas hold and that changed after `applied`.
    ///
    /// # Errors
    /// A fault.
    pub async fn changes_after(&self, applied: Revision) -> Result<Changes, StoreError> {
        on_engine!(self, database => database.changes_after(applied))
    }

    /// Businesses by id, after `after`; at most `limit`.
    ///
    /// # Errors
    /// A fault.
    pub async fn held_businesses(
        &self,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<HeldBusiness>, StoreError> {
        on_engine!(self, database => database.held_businesses(after, limit))
    }

    /// Secrets by digest, after `after`; at most `limit`.
    ///
    /// # Errors
    /// A fault.
    pub async fn held_secrets(
        &self,
        after: Option<Digest>,
        limit: i64,
    ) -> Result<Vec<HeldSecret>, StoreError> {
        on_engine!(self, database => database.held_secrets(after, limit))
    }
}
