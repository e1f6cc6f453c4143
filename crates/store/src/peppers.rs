//! Why a set of peppers does not fit a database.

use apikey::digest::PepperVersion;

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
