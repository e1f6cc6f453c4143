//! Whether a set of peppers fits a database, and why not.

use apikey::{
    clock::Timestamp,
    digest::{PepperSet, PepperVersion},
};

use crate::{Engine, Store, error::StoreError, on_engine};

/// A pepper that would turn good keys into unknown ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PepperProblem {
    /// The database was written with another pepper of this version.
    #[error(
        "pepper {version} is not the one that this database was written with; \
         start with the pepper file that belongs to it"
    )]
    Different {
        /// Which.
        version: PepperVersion,
    },
    /// Secrets need a pepper that is not at hand.
    #[error(
        "pepper {version} is not in the pepper file, but {secrets} secrets need it; \
         start with the pepper file that belongs to this database"
    )]
    Missing {
        /// Which.
        version: u16,
        /// How many secrets.
        secrets: i64,
    },
}

impl Store {
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
}
