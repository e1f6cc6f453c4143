//! What can go wrong in the store: faults (`StoreError`), and changes that are refused for a
//! reason that the caller can act on (`Refused`). Not finding a row is neither: it is a `None`.

use apikey::{id::KeyId, lifecycle::TransitionError, scope::ScopeName};
use deadpool::managed::PoolError;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A database's URL, or a file that it names, cannot be used. The text says what would be right, and
/// repeats nothing of the URL but the names of files.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadDatabaseUrl(pub(crate) String);

/// The store could not do what it was asked. Its text is for the log, never for a caller.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or no connection was free in time. A change whose commit was
    /// under way may or may not have happened.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// Another change came first.
    #[error("another change came first: {0}")]
    Conflict(String),
    /// A row holds what it must not; somebody wrote past the application.
    #[error("table {table}, row {row}: {problem}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's public id.
        row: String,
        /// Which column, and what is wrong with it.
        problem: String,
    },
    /// A statement failed for another reason.
    #[error("a statement failed: {0}")]
    Query(String),
}

/// Why a change was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The business has no such key.
    #[error("no such key")]
    KeyNotFound,
    /// The businesses have no such keys.
    #[error("no such keys: {0:?}")]
    KeysNotFound(Vec<KeyId>),
    /// More keys match than one change may be for.
    #[error("{matches} keys match")]
    TooManyKeys {
        /// How many.
        matches: i64,
    },
    /// The etag is not the one that stands there now.
    #[error("the etag is {current} now")]
    EtagMismatch {
        /// The one that does.
        current: String,
    },
    /// The `request_id` stands for another request.
    #[error("the request id stands for another request")]
    RequestIdReused,
    /// There is no such business.
    #[error("no such business")]
    BusinessNotFound,
    /// The business never gave this advisor access.
    #[error("no such grant")]
    GrantNotFound,
    /// The service key of the caller is not what it was when the call was admitted. Any change may be
    /// refused so.
    #[error("the caller's service key changed meanwhile")]
    CallerChanged,
    /// The grant that the acting user needs is not live.
    #[error("the user's grant is not live")]
    AccessEnded,
    /// The key's state does not allow it.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// The business holds as many live keys as it may.
    #[error("the business holds {limit} live keys, as many as it may")]
    KeyLimitReached {
        /// The business's limit.
        limit: i32,
    },
    /// Scopes that the key may not be given.
    #[error("scopes that cannot be given: {0:?}")]
    Scopes(Vec<(ScopeName, ScopeProblem)>),
    /// Without this key nobody could act as the platform.
    #[error("the last live operator key")]
    LastOperatorKey,
    /// The catalogue has no such scope.
    #[error("no such scope")]
    ScopeNotFound,
    /// The scope is retired, for ever.
    #[error("the scope is retired")]
    ScopeRetired,
    /// Live keys hold the scope.
    #[error("{live_keys} live keys hold the scope")]
    ScopeInUse {
        /// How many.
        live_keys: i64,
    },
}

/// Why a scope cannot be given to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeProblem {
    /// The catalogue has no scope of this name; or, to a user, only the platform gives it.
    Unknown,
    /// The scope is retired.
    Retired,
}

/// A change did not happen: refused, or the store failed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Refused, with the reason.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TransitionError> for ChangeError {
    fn from(error: TransitionError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<DieselError> for ChangeError {
    fn from(error: DieselError) -> Self {
        Self::Store(error.into())
    }
}

impl From<DieselError> for StoreError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "diesel's errors may grow")]
    fn from(error: DieselError) -> Self {
        let text = error.to_string();
        match error {
            DieselError::DatabaseError(
                // Read-only: it is a standby, or became one.
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ReadOnlyTransaction,
                _,
            )
            | DieselError::BrokenTransactionManager => Self::Unavailable(text),
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, _) if tells_of_outage(&text) => {
                Self::Unavailable(text)
            }
            DieselError::DatabaseError(
                DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::UniqueViolation,
                _,
            ) => Self::Conflict(text),
            _ => Self::Query(text),
        }
    }
}

impl<E: std::error::Error + 'static> From<PoolError<E>> for StoreError {
    fn from(error: PoolError<E>) -> Self {
        Self::Unavailable(chain(&error))
    }
}

impl From<diesel::ConnectionError> for StoreError {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Unavailable(chain(&error))
    }
}

/// What the engines say when they end or give up a statement that was right. The driver keeps
/// PostgreSQL's codes to itself, so the words have to do; where the server speaks another language,
/// such an outage is an internal error, and never anything milder.
fn tells_of_outage(text: &str) -> bool {
    const WORDS: [&str; 5] = [
        "terminating connection",
        "canceling statement due to",
        "the database system is",
        "too many clients",
        "database is locked",
    ];
    WORDS.iter().any(|words| text.contains(words))
}

/// An error with its causes: drivers hide the telling part two levels down.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
