//! Whether a set of peppers fits a database, and how its secrets get from one pepper to the next.

use apikey::{
    clock::Timestamp,
    digest::{Digest, PepperSet, PepperVersion},
};

use crate::{
    Engine, Store,
    error::{ChangeError, StoreError},
    on_engine,
    record::{Committed, NewSecret},
};

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
    /// A pepper that is nowhere any more.
    #[error(
        "pepper {version} was retired, and no secret is looked for under it any more; take its line \
         out of the pepper file"
    )]
    Retired {
        /// Which.
        version: PepperVersion,
    },
}

/// A secret's digest under one pepper, in the place of its digest under an older one.
#[derive(Debug, Clone, Copy)]
pub struct DigestMove {
    /// What it is found by.
    pub from: Digest,
    /// What it is to be found by.
    pub to: NewSecret,
}

/// How many secrets are digested under a pepper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PepperUse {
    /// Secrets in force, of keys that are neither revoked nor expired: they die with the pepper.
    pub live: i64,
    /// Every other secret: rotated away, or of a key that is revoked or expired. With the pepper goes
    /// the proof that they were ever here, so that an import could bring them back.
    pub dead: i64,
}

/// Why a pepper is not retired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RetireRefused {
    /// There are other secrets under it than was said.
    #[error("{} live keys would die, and {} dead secrets lose their protection", .0.live, .0.dead)]
    OtherUse(PepperUse),
    /// The database was never written with it.
    #[error("this database knows no such pepper")]
    Unknown,
    /// It was retired before.
    #[error("it was retired before")]
    Again,
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

    /// How many secrets are digested under each pepper that the database knows of and that is not
    /// retired, the oldest first.
    ///
    /// # Errors
    /// A fault.
    pub async fn pepper_uses(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(PepperVersion, PepperUse)>, StoreError> {
        on_engine!(self, database => database.pepper_uses(now))
    }

    /// Gives secrets other digests, in one place of the history, and tells how many got theirs. A secret
    /// that was rotated away or moved meanwhile, or whose key was revoked, is passed over.
    ///
    /// # Errors
    /// A fault.
    pub async fn move_digests(
        &self,
        moves: Vec<DigestMove>,
        now: Timestamp,
    ) -> Result<Committed<usize>, ChangeError> {
        on_engine!(self, database => database.move_digests(moves, now))
    }

    /// Does without a pepper from now on, if its use is what it is said to be. Nobody may be serving.
    ///
    /// # Errors
    /// A fault. A refusal is the inner error.
    pub async fn retire_pepper(
        &self,
        version: PepperVersion,
        expected: PepperUse,
        now: Timestamp,
    ) -> Result<Result<(), RetireRefused>, StoreError> {
        on_engine!(self, database => database.retire_pepper(version, expected, now))
    }
}
