//! The right to be the only server on a database: taken once, and confirmed again and again, as
//! PostgreSQL may give it to somebody else without a word.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::{Engine, Store, error::StoreError, postgres, sqlite};

/// How long a confirmation of the exclusive right is proof that nobody else has it: whoever takes the
/// right over waits longer than this before it answers anybody.
pub const CONFIRMATION: Duration = Duration::from_secs(4);

/// The right to be the only server on a database. Dropping it gives it up.
#[derive(Debug)]
pub struct Exclusive(pub(crate) Hold);

pub(crate) enum Hold {
    Postgres(Box<postgres::Exclusive>),
    Sqlite(#[expect(dead_code, reason = "held, not read")] sqlite::Exclusive),
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres(_) => "Postgres",
            Self::Sqlite(_) => "Sqlite",
        })
    }
}

impl Exclusive {
    /// Marks the database as served; tells whether it was already, by a server that did not end it and
    /// may go on answering until its last confirmation runs out. SQLite's lock leaves no such doubt.
    ///
    /// # Errors
    /// A fault.
    pub async fn begin(&mut self) -> Result<bool, StoreError> {
        match &mut self.0 {
            Hold::Postgres(hold) => hold.begin().await,
            Hold::Sqlite(_) => Ok(false),
        }
    }

    /// Marks the database as served by nobody.
    ///
    /// # Errors
    /// A fault: the next server will wait.
    pub async fn end(&mut self) -> Result<(), StoreError> {
        match &mut self.0 {
            Hold::Postgres(hold) => hold.end().await,
            Hold::Sqlite(_) => Ok(()),
        }
    }

    /// Asks whether the right is still held; tells until when that is proof enough. `None`, on SQLite:
    /// for as long as this value lives.
    ///
    /// # Errors
    /// The right is lost, and the reason. It does not come back.
    pub async fn confirm(&mut self) -> Result<Option<Instant>, StoreError> {
        match &mut self.0 {
            Hold::Postgres(hold) => hold.confirm().await.map(Some),
            Hold::Sqlite(_) => Ok(None),
        }
    }
}

impl Store {
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
}
