//! Keys of another system: taken over by the SHA-256 of their secrets, each of them once.

use apikey::{
    clock::Timestamp,
    digest::Digest,
    id::{BusinessId, ExternalId, KeyId},
    lifecycle::Lifecycle,
    secret::Prefix,
    settings::{ReasonText, RevokeReason},
};

use crate::{
    Engine, Store,
    error::{ChangeError, Refused},
    on_engine,
    record::{Act, Actor, Committed, KeyRecord, NewSecret, Revision, Settings},
};

/// A key to be taken over.
#[derive(Debug, Clone)]
pub struct ImportedKey {
    /// The id that it gets here, unless it is here already.
    pub key_id: KeyId,
    /// The owner; exists from this mention.
    pub business_id: BusinessId,
    /// Its id there, unique in its business.
    pub external_id: ExternalId,
    /// When it was last used there, if that is known.
    pub last_use_time: Option<Timestamp>,
    /// The settings.
    pub settings: Settings,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// Why it was revoked; set if and only if it was.
    pub revocation: Option<(RevokeReason, ReasonText)>,
    /// What its next secrets begin with.
    pub prefix: Prefix,
    /// Its secret, unrecognisable but for the ends; empty if that is not known.
    pub obfuscated_secret: String,
    /// When it was made there.
    pub create_time: Timestamp,
    /// Its secret's stored form.
    pub secret: NewSecret,
    /// The digests of its secret under every pepper, the one of `secret` among them: it may be known here
    /// under any.
    pub digests: Vec<Digest>,
}

/// What became of a key to be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It is a key here now.
    Imported(KeyId),
    /// It was one already.
    AlreadyImported(KeyId),
    /// A key with its external id is here, and differs in these fields.
    Differs(KeyId, Vec<&'static str>),
    /// Its secret belongs to another key.
    SecretTaken(KeyId),
    /// Nobody could make such a key: `Scopes` or `KeyLimitReached`.
    Refused(Refused),
}

impl ImportedKey {
    /// The key as it is made.
    pub(crate) fn record(&self, creator: Actor, revision: Revision, now: Timestamp) -> KeyRecord {
        let Self {
            key_id,
            business_id,
            external_id,
            last_use_time: _,
            settings,
            lifecycle,
            revocation,
            prefix,
            obfuscated_secret,
            create_time,
            secret: _,
            digests: _,
        } = self.clone();
        KeyRecord {
            key_id,
            business_id,
            revision,
            settings,
            lifecycle,
            revocation,
            rotate_time: None,
            prefix,
            obfuscated_secret,
            creator,
            create_time,
            update_time: now,
            external_id: Some(external_id),
        }
    }

    /// In which settings a key that is here differs from this one.
    pub(crate) fn differences(&self, here: &KeyRecord) -> Vec<&'static str> {
        let Settings { display_name, description, scopes, annotations } = &self.settings;
        let state = |lifecycle: &Lifecycle| {
            (lifecycle.revoke_time.is_some(), lifecycle.suspended_by.is_some())
        };
        let differs = [
            ("display_name", *display_name != here.settings.display_name),
            ("description", *description != here.settings.description),
            ("scopes", *scopes != here.settings.scopes),
            ("annotations", *annotations != here.settings.annotations),
            ("expire_time", self.lifecycle.expire_time != here.lifecycle.expire_time),
            ("state", state(&self.lifecycle) != state(&here.lifecycle)),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }
}

impl Store {
    /// Takes keys over, at most [`BULK_MAX`](crate::bulk::BULK_MAX), in one place of the history, and
    /// tells of each in its order what became of it. Nothing that is here is changed.
    ///
    /// # Errors
    /// A fault.
    pub async fn import_keys(
        &self,
        keys: Vec<ImportedKey>,
        act: Act,
    ) -> Result<Committed<Vec<ImportOutcome>>, ChangeError> {
        on_engine!(self, database => database.import_keys(keys, act))
    }

    /// What `import_keys` would do.
    ///
    /// # Errors
    /// A fault.
    pub async fn check_import_keys(
        &self,
        keys: Vec<ImportedKey>,
        act: Act,
    ) -> Result<Vec<ImportOutcome>, ChangeError> {
        on_engine!(self, database => database.check_import_keys(keys, act))
    }
}
