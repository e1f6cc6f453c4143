//! Which key a string is: asked about what leaked, and remembered that it was asked.

use apikey::{clock::Timestamp, digest::Digest};

use crate::{
    Engine, Store,
    error::ChangeError,
    on_engine,
    record::{Act, Committed, KeyRecord},
};

/// A secret that is known here, whether or not it still verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSecret {
    /// The key whose secret it is, or was.
    pub key: KeyRecord,
    /// 1 for the key's first secret, one more with each rotation.
    pub generation: i32,
    /// When this secret was made.
    pub create_time: Timestamp,
    /// When a newer one took its place; `None`: it is the key's current one.
    pub rotate_time: Option<Timestamp>,
}

impl Store {
    /// The secret that has any of these digests: those of one string, under each pepper. Secrets are
    /// known for ever. Asking takes its place in the history, as it leaves an audit event.
    ///
    /// # Errors
    /// A fault.
    pub async fn look_up(
        &self,
        digests: Vec<Digest>,
        act: Act,
    ) -> Result<Committed<Option<FoundSecret>>, ChangeError> {
        on_engine!(self, database => database.look_up(digests, act))
    }
}
