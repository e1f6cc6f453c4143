//! Durable keys, on SQLite and on PostgreSQL. Both engines share one schema and one text for each
//! query, and pass one conformance suite; which of them a store runs on shows nowhere outside.
//!
//! What the store promises:
//! - A change happens in one transaction, whole or not at all, and has a place in one history
//!   (`Revision`). What it is decided on is read after it has taken that place.
//! - A secret is stored as its keyed digest alone, and no digest is ever deleted.
//! - Time, ids and randomness come in; the database makes none of them.
//! - Not finding a row is a `None`, a change that cannot be is `Refused`, and only a fault is an error.

pub mod audit;
pub mod business;
pub mod catalogue;
pub mod change;
mod columns;
pub mod error;
pub mod exclusive;
pub mod list;
pub mod migrations;
pub mod peppers;
mod postgres;
pub mod record;
mod rows;
mod schema;
mod sqlite;

use std::{path::Path, time::Duration};

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    digest::{Digest, PepperSet},
    id::{BusinessId, KeyId},
    scope::{ScopeName, ScopeSet},
};

use crate::{
    audit::AuditQuery,
    business::{BusinessPatch, BusinessQuery},
    catalogue::ScopeEdit,
    change::KeyChange,
    error::{ChangeError, StoreError},
    exclusive::{Exclusive, Hold},
    list::KeyQuery,
    migrations::MigrationStatus,
    peppers::PepperProblem,
    record::{
        Act, AuditEvent, BusinessRecord, Changes, Committed, HeldBusiness, HeldSecret, KeyRecord,
        KeyTarget, NewKey, RequestId, Revision, ScopeRecord,
    },
};

/// The bounds of a pool of connections.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// At most so many connections (SQLite: readers; its writer is one).
    pub connections: usize,
    /// How long to wait for a free one.
    pub wait: Duration,
}

/// A database of keys. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Engine,
}

#[derive(Debug, Clone)]
enum Engine {
    Postgres(Box<postgres::Database>),
    Sqlite(sqlite::Database),
}

/// The same call on whichever engine it is.
macro_rules! on_engine {
    ($store:ident, $database:ident => $call:expr) => {
        match &$store.engine {
            Engine::Postgres($database) => $call.await,
            Engine::Sqlite($database) => $call.await,
        }
    };
}

impl Store {
    /// A store in a folder, on SQLite. The folder must exist; connections come with their first use.
    ///
    /// # Errors
    /// `Unavailable` when the path cannot be a database's.
    pub fn sqlite(folder: &Path, limits: PoolLimits) -> Result<Self, StoreError> {
        Ok(Self { engine: Engine::Sqlite(sqlite::Database::new(folder, limits)?) })
    }

    /// A store on PostgreSQL, by a `postgres://` URL. Connections come with their first use.
    ///
    /// # Errors
    /// `Unavailable` when the URL is none.
    pub fn postgres(url: &str, limits: PoolLimits) -> Result<Self, StoreError> {
        Ok(Self { engine: Engine::Postgres(Box::new(postgres::Database::new(url, limits)?)) })
    }

    /// Makes this process the only server on the database; `None` when another is.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached.
    pub async fn hold_exclusively(&self) -> Result<Option<Exclusive>, StoreError> {
        Ok(match &self.engine {
            Engine::Postgres(database) => database
                .hold_exclusively()
                .await?
                .map(|hold| Exclusive(Hold::Postgres(Box::new(hold)))),
            Engine::Sqlite(database) => {
                database.hold_exclusively()?.map(|hold| Exclusive(Hold::Sqlite(hold)))
            }
        })
    }

    /// Runs the migrations that the database lacks, and names them. Any number of processes may do so
    /// at once on PostgreSQL; on SQLite the caller holds the folder.
    ///
    /// # Errors
    /// A fault; the migrations that ran before it stay.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        on_engine!(self, database => database.migrate())
    }

    /// How the database's schema stands to this binary's.
    ///
    /// # Errors
    /// A fault.
    pub async fn migration_status(&self) -> Result<MigrationStatus, StoreError> {
        on_engine!(self, database => database.migration_status())
    }

    /// Compares the peppers with what the database remembers of them, and remembers new ones.
    /// Denials since `recognised_since` still need their pepper.
    ///
    /// # Errors
    /// A fault. A pepper that does not fit is the inner error.
    pub async fn check_peppers(
        &self,
        peppers: &PepperSet,
        recognised_since: Timestamp,
        now: Timestamp,
    ) -> Result<Result<(), PepperProblem>, StoreError> {
        on_engine!(self, database => database.check_peppers(peppers, recognised_since, now))
    }

    /// Every check that `create_key` makes, and nothing else.
    ///
    /// # Errors
    /// `KeyLimitReached`, `Scopes`; a fault.
    pub async fn check_new_key(
        &self,
        business_id: &BusinessId,
        scopes: &ScopeSet,
        assigner: AssignableBy,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        on_engine!(self, database => database.check_new_key(business_id, scopes, assigner, now))
    }

    /// Makes a key, and its business with the first one. Where `request` was answered before, it takes
    /// its place in the history all the same, and answers with that key as it stands.
    ///
    /// # Errors
    /// `KeyLimitReached`, `Scopes`, `RequestIdReused`; a fault.
    pub async fn create_key(
        &self,
        new: NewKey,
        assigner: AssignableBy,
        request: Option<RequestId>,
        act: Act,
    ) -> Result<Committed<KeyRecord>, ChangeError> {
        on_engine!(self, database => database.create_key(new, assigner, request, act))
    }

    /// One key of a business.
    ///
    /// # Errors
    /// A fault.
    pub async fn get_key(
        &self,
        business_id: &BusinessId,
        key_id: KeyId,
    ) -> Result<Option<KeyRecord>, StoreError> {
        on_engine!(self, database => database.get_key(business_id, key_id))
    }

    /// Keys by `create_time`, newest first; at most `query.limit`.
    ///
    /// # Errors
    /// A fault.
    pub async fn list_keys(
        &self,
        query: KeyQuery,
        now: Timestamp,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        on_engine!(self, database => database.list_keys(query, now))
    }

    /// Changes one key of a business. Where there is nothing to do, or `request` was answered before, it
    /// takes its place in the history all the same: whoever asked waits for what was done before.
    ///
    /// # Errors
    /// `KeyNotFound`, `EtagMismatch`, `Transition`, `Scopes`, `KeyLimitReached`, `LastOperatorKey`,
    /// `RequestIdReused`; a fault.
    pub async fn change_key(
        &self,
        target: KeyTarget,
        change: KeyChange,
        request: Option<RequestId>,
        act: Act,
    ) -> Result<Committed<KeyRecord>, ChangeError> {
        on_engine!(self, database => database.change_key(target, change, request, act))
    }

    /// The live keys of a business that the caller `creator` made, oldest first.
    ///
    /// # Errors
    /// A fault.
    pub async fn live_keys_made_by(
        &self,
        business_id: &BusinessId,
        creator: &str,
        now: Timestamp,
    ) -> Result<Vec<KeyId>, StoreError> {
        on_engine!(self, database => database.live_keys_made_by(business_id, creator, now))
    }

    /// Scopes by name, after `after`, and of one kind if `assignable_by` says so; at most `limit`.
    ///
    /// # Errors
    /// A fault.
    pub async fn list_scopes(
        &self,
        after: Option<ScopeName>,
        include_retired: bool,
        assignable_by: Option<AssignableBy>,
        limit: i64,
    ) -> Result<Vec<ScopeRecord>, StoreError> {
        on_engine!(self, database => database.list_scopes(after, include_retired, assignable_by, limit))
    }

    /// Changes a scope, or makes it where `allow_missing`.
    ///
    /// # Errors
    /// `ScopeNotFound`, `ScopeRetired`; a fault.
    pub async fn update_scope(
        &self,
        name: &ScopeName,
        edit: ScopeEdit,
        allow_missing: bool,
        act: Act,
    ) -> Result<Committed<ScopeRecord>, ChangeError> {
        on_engine!(self, database => database.update_scope(name, edit, allow_missing, act))
    }

    /// Retires a scope, for ever; answers with the number of live keys that hold it.
    ///
    /// # Errors
    /// `ScopeNotFound`, `ScopeInUse` (not with `force`); a fault.
    pub async fn retire_scope(
        &self,
        name: &ScopeName,
        force: bool,
        act: Act,
    ) -> Result<Committed<(ScopeRecord, i64)>, ChangeError> {
        on_engine!(self, database => database.retire_scope(name, force, act))
    }

    /// One business.
    ///
    /// # Errors
    /// A fault.
    pub async fn get_business(
        &self,
        business_id: &BusinessId,
        now: Timestamp,
    ) -> Result<Option<BusinessRecord>, StoreError> {
        on_engine!(self, database => database.get_business(business_id, now))
    }

    /// Businesses by id, without the reserved one; at most `query.limit`.
    ///
    /// # Errors
    /// A fault.
    pub async fn list_businesses(
        &self,
        query: BusinessQuery,
        now: Timestamp,
    ) -> Result<Vec<BusinessRecord>, StoreError> {
        on_engine!(self, database => database.list_businesses(query, now))
    }

    /// Changes a business's settings; one that is not there is made by this mention, unless an etag
    /// says that it was seen.
    ///
    /// # Errors
    /// `EtagMismatch`, `BusinessNotFound` (only with an etag); a fault.
    pub async fn update_business(
        &self,
        business_id: &BusinessId,
        patch: BusinessPatch,
        etag: Option<String>,
        act: Act,
    ) -> Result<Committed<BusinessRecord>, ChangeError> {
        on_engine!(self, database => database.update_business(business_id, patch, etag, act))
    }

    /// Audit events in the order of revisions. A page never cuts a revision.
    ///
    /// # Errors
    /// A fault.
    pub async fn list_audit_events(
        &self,
        query: AuditQuery,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        on_engine!(self, database => database.list_audit_events(query))
    }

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
