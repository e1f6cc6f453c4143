//! Hints that something changed, for whoever would else have to wait for the next look. They carry
//! nothing, may be missing, and may be wrong: the feed alone says what changed.

use std::{fmt, future::pending};

use crate::{Engine, Store, postgres::Listener};

/// Where hints come from. On SQLite none ever comes: nobody else changes anything there.
pub struct Hints(Option<Box<Listener>>);

impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hints")
    }
}

impl Hints {
    /// Returns when something may have changed: at first, when somebody said so, and when something may
    /// have been missed. Never an error: without PostgreSQL's LISTEN it goes on trying.
    pub async fn next(&mut self) {
        match &mut self.0 {
            Some(listener) => listener.next().await,
            None => pending().await,
        }
    }
}

impl Store {
    /// Hints from now on; nothing is connected before the first is waited for.
    #[must_use]
    pub fn hints(&self) -> Hints {
        Hints(match &self.engine {
            Engine::Postgres(database) => Some(Box::new(database.listener())),
            Engine::Sqlite(_) => None,
        })
    }
}
