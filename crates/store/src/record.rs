//! What the store keeps, as the rest of Keyward knows it. Rows stop in `rows`.

use std::{fmt, time::Duration};

use apikey::{
    billing::BillingSchedule,
    catalogue::AssignableBy,
    clock::Timestamp,
    digest::{Digest, PepperVersion},
    endpoint::Template,
    id::{BusinessId, ExternalId, KeyId},
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

/// A change's circumstances: whose it is, from where it came, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Who acts.
    pub actor: Actor,
    /// The address that the call came from; empty for the command line.
    pub peer_address: String,
    /// When.
    pub time: Timestamp,
    /// The revision as of which the actor's service key was admitted: neither it nor its business may have
    /// changed since. `None`: no service key acts. It is what the change is decided on, as the next is.
    pub admitted_at: Option<Revision>,
    /// True: the actor's user acts as an advisor, and a key is changed only while a grant of its business
    /// lets that user. It is what the change is decided on; the history does not keep it.
    pub by_grant: bool,
}

/// Which key a change is for, and what its caller believes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTarget {
    /// The owner.
    pub business_id: BusinessId,
    /// The key.
    pub key_id: KeyId,
    /// The etag that the key must still have; `None` leaves it open.
    pub etag: Option<String>,
}

/// What makes a change safe to repeat for [`IDEMPOTENCE`], for the same actor and business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    /// The caller's UUID.
    pub id: [u8; 16],
    /// SHA-256 over what is asked: the same id with another is refused.
    pub hash: [u8; 32],
}

/// How long a `request_id` is remembered.
pub const IDEMPOTENCE: Duration = Duration::from_secs(24 * 60 * 60);

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
    /// Its id in the system that it came from, unique in its business; `None`: it was made here.
    pub external_id: Option<ExternalId>,
}

impl KeyRecord {
    /// Changes with each change of the key's own settings: a strong etag of RFC 7232.
    #[must_use]
    pub fn etag(&self) -> String {
        etag(self.revision)
    }
}

/// A key that was revoked, and what it leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedKey {
    /// The key as it stands.
    pub key: KeyRecord,
    /// Of a service key: the live service keys that it made or ever rotated, and what these made or rotated,
    /// and so on; oldest first. By itself it makes no more.
    pub left_behind: Vec<KeyId>,
}

fn etag(revision: Revision) -> String {
    format!("\"{revision}\"")
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

impl NewKey {
    /// The key as it is made.
    pub(crate) fn into_record(self, revision: Revision, now: Timestamp) -> KeyRecord {
        let Self {
            key_id,
            business_id,
            settings,
            expire_time,
            prefix,
            obfuscated_secret,
            creator,
            secret: _,
        } = self;
        let lifecycle = Lifecycle { expire_time, revoke_time: None, suspended_by: None };
        KeyRecord {
            key_id,
            business_id,
            revision,
            settings,
            lifecycle,
            revocation: None,
            rotate_time: None,
            prefix,
            obfuscated_secret,
            creator,
            create_time: now,
            update_time: now,
            external_id: None,
        }
    }
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

/// A business and its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessRecord {
    /// Its id.
    pub business_id: BusinessId,
    /// The change that last touched the row: its etag.
    pub revision: Revision,
    /// How many live keys it may hold.
    pub key_limit: i32,
    /// When its billing periods start.
    pub billing: BillingSchedule,
    /// Since when all its keys are denied.
    pub suspend_time: Option<Timestamp>,
    /// When it was first mentioned.
    pub create_time: Timestamp,
    /// When its settings last changed.
    pub update_time: Timestamp,
    /// How many live keys it holds.
    pub live_keys: i64,
}

impl BusinessRecord {
    /// Changes with each change of the settings: a strong etag of RFC 7232.
    #[must_use]
    pub fn etag(&self) -> String {
        etag(self.revision)
    }
}

/// A committed change, and what it left behind.
#[derive(Debug, Clone)]
pub struct Committed<T> {
    /// Its place in the history.
    pub revision: Revision,
    /// What stands there now.
    pub value: T,
    /// True: this very request was carried out before, and nothing was done but to look.
    pub repeated: bool,
}

impl<T> Committed<T> {
    /// A change that was carried out now.
    pub(crate) fn now(revision: Revision, value: T) -> Self {
        Self { revision, value, repeated: false }
    }
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
    /// All changes up to this one are in, and none after it.
    pub through: Revision,
    /// Businesses.
    pub businesses: Vec<HeldBusiness>,
    /// Scopes, retired ones too.
    pub scopes: Vec<ScopeRecord>,
    /// Secrets: those whose own row or whose key's row changed.
    pub secrets: Vec<HeldSecret>,
    /// Digests that no longer stand for their secret: it has another one, under a newer pepper, which is
    /// among `secrets` or was told before.
    pub moved: Vec<Digest>,
}
