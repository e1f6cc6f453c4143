//! What the store keeps, as the rest of Keyward knows it. Rows stop in `rows`.

use std::fmt;

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    digest::{Digest, PepperVersion},
    endpoint::Template,
    id::{BusinessId, KeyId},
    lifecycle::Lifecycle,
    scope::{ScopeName, ScopeSet},
    secret::Prefix,
    settings::{Annotations, Description, DisplayName, ReasonText, RevokeReason},
    verdict::Generation,
};

/// A place in the one history of changes: 0 before the first, then one more with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub i64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who did something: the workload, and the person if there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The service key's id, or `command-line`.
    pub caller: String,
    /// The issuer of the user's token; empty without one.
    pub user_issuer: String,
    /// The subject of the user's token; empty without one.
    pub user_subject: String,
}

impl Actor {
    /// Keyward's own command line: no service key and no person stands behind it.
    pub const COMMAND_LINE: &'static str = "command-line";

    /// A workload that acts for no person.
    #[must_use]
    pub fn workload(caller: impl Into<String>) -> Self {
        Self { caller: caller.into(), user_issuer: String::new(), user_subject: String::new() }
    }
}

/// What a key's owner decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What people call it.
    pub display_name: DisplayName,
    /// What people say about it.
    pub description: Description,
    /// What it may reach.
    pub scopes: ScopeSet,
    /// Comes back with each VALID verdict.
    pub annotations: Annotations,
}

/// One key, without any secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its public id.
    pub key_id: KeyId,
    /// Who owns it.
    pub business_id: BusinessId,
    /// The change that last touched the row: its etag.
    pub revision: Revision,
    /// What its owner decides.
    pub settings: Settings,
    /// Where it is in its life, with its expiry.
    pub lifecycle: Lifecycle,
    /// Why it was revoked; set if and only if it was.
    pub revocation: Option<(RevokeReason, ReasonText)>,
    /// When its secret was last replaced.
    pub rotate_time: Option<Timestamp>,
    /// What its secrets begin with.
    pub prefix: Prefix,
    /// Its secret, unrecognisable but for the ends.
    pub obfuscated_secret: String,
    /// Who made it.
    pub creator: Actor,
    /// When it was made.
    pub create_time: Timestamp,
    /// When its settings last changed.
    pub update_time: Timestamp,
}

/// A new secret's stored form.
#[derive(Debug, Clone, Copy)]
pub struct NewSecret {
    /// The keyed digest.
    pub digest: Digest,
    /// The pepper that it was made with.
    pub pepper_version: PepperVersion,
}

/// A key to be made. Its revision is the change's own.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The id.
    pub key_id: KeyId,
    /// The owner; exists from this mention.
    pub business_id: BusinessId,
    /// The settings.
    pub settings: Settings,
    /// The first moment at which it is refused.
    pub expire_time: Option<Timestamp>,
    /// What its secrets begin with.
    pub prefix: Prefix,
    /// The secret, unrecognisable but for the ends.
    pub obfuscated_secret: String,
    /// Who makes it.
    pub creator: Actor,
    /// The secret's stored form.
    pub secret: NewSecret,
}

/// A scope of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeRecord {
    /// Its name.
    pub name: ScopeName,
    /// The change that last touched the row.
    pub revision: Revision,
    /// For people.
    pub description: Description,
    /// Who may give it to a key.
    pub assignable_by: AssignableBy,
    /// What it covers.
    pub endpoints: Vec<Template>,
    /// When it was retired.
    pub retire_time: Option<Timestamp>,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// A committed change, and what it left behind.
#[derive(Debug, Clone)]
pub struct Committed<T> {
    /// Its place in the history.
    pub revision: Revision,
    /// What stands there now.
    pub value: T,
}

/// A business, as replicas hold it in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBusiness {
    /// Its id.
    pub business_id: BusinessId,
    /// True: all its keys are denied.
    pub suspended: bool,
}

/// One secret with its key's settings, as replicas hold it in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSecret {
    /// What it is found by.
    pub digest: Digest,
    /// The pepper that the digest was made with.
    pub pepper_version: PepperVersion,
    /// The key's current secret, or one that was replaced.
    pub generation: Generation,
    /// The key.
    pub key_id: KeyId,
    /// The key's owner.
    pub business_id: BusinessId,
    /// The key's settings that a verdict needs or tells.
    pub display_name: DisplayName,
    /// What the key may reach.
    pub scopes: ScopeSet,
    /// Comes back with each VALID verdict.
    pub annotations: Annotations,
    /// Where the key is in its life.
    pub lifecycle: Lifecycle,
}

/// Everything that replicas hold and that changed after some revision.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// All changes up to this one are in. Rows may be newer.
    pub through: Revision,
    /// Businesses.
    pub businesses: Vec<HeldBusiness>,
    /// Scopes, retired ones too.
    pub scopes: Vec<ScopeRecord>,
    /// Secrets: those whose own row or whose key's row changed.
    pub secrets: Vec<HeldSecret>,
}
