//! One secret with its key's settings, as it lies in memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use apikey::{
    catalogue::ScopeId,
    clock::Timestamp,
    id::{BusinessId, KeyId},
    lifecycle::Lifecycle,
    scope::built_in,
    verdict::{Found, Generation},
};

/// A business, shared by the records of all its keys: one store suspends them all.
#[derive(Debug)]
pub struct Business {
    /// Its id.
    pub id: BusinessId,
    suspended: AtomicBool,
}

/// One secret.
#[derive(Debug)]
pub struct Record {
    /// The key that it belongs to.
    pub key_id: KeyId,
    /// The key's owner.
    pub business: Arc<Business>,
    /// Current, or replaced.
    pub generation: Generation,
    /// Where the key is in its life.
    pub lifecycle: Lifecycle,
    /// What people call the key.
    pub display_name: Box<str>,
    /// What the key may reach, sorted by name.
    pub scopes: Box<[ScopeId]>,
    /// Comes back with each VALID verdict.
    pub annotations: Box<[(Box<str>, Box<str>)]>,
    /// For a service key: what it may do here. Built-in scopes are never retired, so this stands.
    pub roles: Roles,
}

/// What a service key may do here: one flag a built-in scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Business {
    pub(super) fn new(id: BusinessId, suspended: bool) -> Self {
        Self { id, suspended: AtomicBool::new(suspended) }
    }

    pub(super) fn set_suspended(&self, suspended: bool) {
        self.suspended.store(suspended, Ordering::Release);
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.suspended.load(Ordering::Acquire)
    }
}

impl Record {
    /// What a verdict is decided on.
    #[must_use]
    pub fn found(&self) -> Found<'_> {
        Found {
            generation: self.generation,
            lifecycle: self.lifecycle,
            business_suspended: self.business.is_suspended(),
            scopes: &self.scopes,
        }
    }

    /// Whether a verdict would no longer tell this secret from an unknown one.
    pub(super) fn is_forgotten(&self, recognition: Duration, now: Timestamp) -> bool {
        self.found().is_forgotten(recognition, now)
    }
}

impl Roles {
    /// No power at all.
    pub const NONE: Self = Self(0);
    /// KeyVerification.
    pub const VERIFY: Self = Self(1);
    /// Verifying without counting.
    pub const SKIP_USAGE: Self = Self(1 << 1);
    /// Presenting users.
    pub const MANAGE: Self = Self(1 << 2);
    /// Acting as the platform.
    pub const OPERATE: Self = Self(1 << 3);
    /// Looking up, revoking and suspending anywhere.
    pub const TRIAGE: Self = Self(1 << 4);
    /// Importing.
    pub const IMPORT: Self = Self(1 << 5);
    /// Reading every business's audit events and usage.
    pub const AUDIT: Self = Self(1 << 6);

    /// The role that a built-in scope gives; none for any other name.
    #[must_use]
    pub fn of(scope: &str) -> Self {
        match scope {
            built_in::VERIFY => Self::VERIFY,
            built_in::VERIFY_SKIP_USAGE => Self::SKIP_USAGE,
            built_in::MANAGE => Self::MANAGE,
            built_in::OPERATE => Self::OPERATE,
            built_in::TRIAGE => Self::TRIAGE,
            built_in::IMPORT => Self::IMPORT,
            built_in::AUDIT => Self::AUDIT,
            _ => Self::NONE,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of `others` is among these.
    #[must_use]
    pub const fn any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Whether all of `others` are among these.
    #[must_use]
    pub const fn all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}
