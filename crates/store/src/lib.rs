//! Durable keys, on SQLite and on PostgreSQL. Both engines share one schema and one text for each
//! query, and pass one conformance suite; which of them a store runs on shows nowhere outside.
//!
//! What the store promises:
//! - A change happens in one transaction, whole or not at all, and has a place in one history
//!   (`Revision`). What it is decided on is read after it has taken that place.
//! - A secret is stored as its keyed digest alone, and no digest is ever deleted.
//! - Time, ids and randomness come in; the database makes none of them.
//! - Not finding a row is a `None`, a change that cannot be is `Refused`, and only a fault is an error.

pub mod access;
pub mod audit;
pub mod bulk;
pub mod business;
pub mod catalogue;
pub mod change;
mod columns;
pub mod error;
pub mod exclusive;
mod feed;
pub mod hints;
pub mod import;
pub mod list;
pub mod lookup;
pub mod migrations;
pub mod peppers;
mod postgres;
pub mod record;
mod rows;
mod schema;
mod sqlite;
pub mod usage;

use std::{path::Path, time::Duration};

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    id::{BusinessId, KeyId},
    scope::ScopeSet,
    settings::{ReasonText, RevokeReason},
};

use crate::{
    change::KeyChange,
    error::{BadDatabaseUrl, ChangeError, StoreError},
    list::{KeyQuery, LastUsePosition, LastUseQuery},
    record::{Act, Committed, KeyRecord, KeyTarget, NewKey, RequestId, RevokedKey},
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

/// The same call on whichever engine it is, and bounded where the engine may be silent.
macro_rules! on_engine {
    ($store:ident, $database:ident => $call:expr) => {
        match &$store.engine {
            Engine::Postgres($database) => $database.in_time($call).await,
            Engine::Sqlite($database) => $call.await,
        }
    };
}
pub(crate) use on_engine;

/// What happens to keys; the rest stands beside its own types.
impl Store {
    /// A store in a folder, on SQLite. The folder must exist; connections come with their first use.
    ///
    /// # Errors
    /// `Unavailable` when the path cannot be a database's.
    pub fn sqlite(folder: &Path, limits: PoolLimits) -> Result<Self, StoreError> {
        Ok(Self { engine: Engine::Sqlite(sqlite::Database::new(folder, limits)?) })
    }

    /// A store on PostgreSQL, by a `postgres://` URL. Connections come with their first use: in TLS, with
    /// the server's certificate and name verified (`sslmode=verify-full`), unless they cannot leave this
    /// machine or the URL says `sslmode=disable`.
    ///
    /// # Errors
    /// When the URL is none, asks for anything less, or names a file that cannot be used.
    pub fn postgres(url: &str, limits: PoolLimits) -> Result<Self, BadDatabaseUrl> {
        Ok(Self { engine: Engine::Postgres(Box::new(postgres::Database::new(url, limits)?)) })
    }

    /// The checks of `create_key` that rest on what it asks for, and nothing else: not whether its
    /// caller may still ask.
    ///
    /// # Errors
    /// `KeyLimitReached`, `Scopes`, `RequestIdReused`; a fault.
    pub async fn check_new_key(
        &self,
        business_id: &BusinessId,
        scopes: &ScopeSet,
        assigner: AssignableBy,
        request: Option<RequestId>,
        act: &Act,
    ) -> Result<(), ChangeError> {
        on_engine!(self, database =>
            database.check_new_key(business_id, scopes, assigner, request, act))
    }

    /// Whether this very request made or changed a key before, for the same actor.
    ///
    /// # Errors
    /// `RequestIdReused`; a fault.
    pub async fn was_answered(
        &self,
        business_id: &BusinessId,
        request: RequestId,
        act: &Act,
    ) -> Result<bool, ChangeError> {
        on_engine!(self, database => database.was_answered(business_id, request, act))
    }

    /// Answers a request that was answered before, as `create_key` and `change_key` do, for callers that
    /// cannot ask for it again: what was right then may break a rule by now.
    ///
    /// # Errors
    /// `RequestIdReused`, `AccessEnded`; a fault, `Conflict` where it is forgotten by now.
    pub async fn repeat(
        &self,
        business_id: BusinessId,
        request: RequestId,
        act: Act,
    ) -> Result<Committed<KeyRecord>, ChangeError> {
        on_engine!(self, database => database.repeat(business_id, request, act))
    }

    /// Makes a key, and its business with the first one. Where `request` was answered before, it takes
    /// its place in the history all the same, and answers with that key as it stands.
    ///
    /// # Errors
    /// `KeyLimitReached`, `Scopes`, `RequestIdReused`, `AccessEnded`; a fault.
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

    /// Keys by their last use, those never used first, each with its place; at most `query.limit`.
    ///
    /// # Errors
    /// A fault.
    pub async fn list_keys_by_last_use(
        &self,
        query: LastUseQuery,
        now: Timestamp,
    ) -> Result<Vec<(KeyRecord, LastUsePosition)>, StoreError> {
        on_engine!(self, database => database.list_keys_by_last_use(query, now))
    }

    /// Changes one key of a business. Where there is nothing to do, or `request` was answered before, it
    /// takes its place in the history all the same: whoever asked waits for what was done before.
    ///
    /// # Errors
    /// `KeyNotFound`, `EtagMismatch`, `Transition`, `Scopes`, `KeyLimitReached`, `LastOperatorKey`,
    /// `RequestIdReused`, `AccessEnded`; a fault.
    pub async fn change_key(
        &self,
        target: KeyTarget,
        change: KeyChange,
        request: Option<RequestId>,
        act: Act,
    ) -> Result<Committed<KeyRecord>, ChangeError> {
        on_engine!(self, database => database.change_key(target, change, request, act))
    }

    /// Revokes one key of a business, as `change_key` does; of a service key it tells what it leaves behind.
    ///
    /// # Errors
    /// `KeyNotFound`, `EtagMismatch`, `LastOperatorKey`, `AccessEnded`; a fault.
    pub async fn revoke_key(
        &self,
        target: KeyTarget,
        reason: RevokeReason,
        text: ReasonText,
        act: Act,
    ) -> Result<Committed<RevokedKey>, ChangeError> {
        on_engine!(self, database => database.revoke_key(target, reason, text, act))
    }
}
