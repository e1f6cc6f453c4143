//! Changes of many keys at once: one place in the history for all of them, all or none.

use apikey::{
    clock::Timestamp,
    settings::{ReasonText, RevokeReason},
};

use crate::{
    Engine, Store,
    error::ChangeError,
    list::KeySelection,
    on_engine,
    record::{Act, Committed, KeyRecord},
};

/// How many keys one change is for at most: it holds up all others for a moment.
pub const BULK_MAX: usize = 1_000;

impl Store {
    /// What `revoke_keys` would revoke, newest first, and every check that it makes.
    ///
    /// # Errors
    /// As `revoke_keys`.
    pub async fn check_revoke_keys(
        &self,
        selection: KeySelection,
        now: Timestamp,
    ) -> Result<Vec<KeyRecord>, ChangeError> {
        on_engine!(self, database => database.check_revoke_keys(selection, now))
    }

    /// Revokes keys, all or none, and answers with them, newest first. A filter is asked in the change
    /// itself, and does not match what is revoked already.
    ///
    /// # Errors
    /// `KeysNotFound`, `TooManyKeys` (more than [`BULK_MAX`]), `LastOperatorKey`; a fault.
    pub async fn revoke_keys(
        &self,
        selection: KeySelection,
        reason: RevokeReason,
        text: ReasonText,
        act: Act,
    ) -> Result<Committed<Vec<KeyRecord>>, ChangeError> {
        on_engine!(self, database => database.revoke_keys(selection, reason, text, act))
    }
}
