//! What a key may reach, by name. No scopes, no power: an empty set reaches nothing.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::text::{self, Flaw};

/// The name of a scope, for instance `inventory.read`: an RFC 6749 scope-token (section 3.3) of 1
/// to 64 characters, that is printable ASCII without space, `"` and `\`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeName(Arc<str>);

/// Not the name of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; a scope is 1 to {max} printable ASCII characters other than space, `\"` and `\\`",
    max = ScopeName::MAX_LENGTH
)]
pub struct ScopeNameError(pub Flaw);

/// The scopes of a key: at most [`SCOPES_MAX`], each once, in the order of their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeSet(BTreeSet<ScopeName>);

/// More scopes than a key may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {max} scopes; a key has at most {max}", max = SCOPES_MAX)]
pub struct TooManyScopes;

/// So many scopes at most has a key.
pub const SCOPES_MAX: usize = 100;

/// The scopes that service keys hold; every other scope belongs to the platform.
pub mod built_in {
    /// What all of them start with.
    pub const PREFIX: &str = "keyward.";
    /// Verify secrets.
    pub const VERIFY: &str = "keyward.verify";
    /// Verify secrets without counting it as use.
    pub const VERIFY_SKIP_USAGE: &str = "keyward.verify.skip_usage";
    /// Present users to the management of keys.
    pub const MANAGE: &str = "keyward.manage";
    /// Act as the platform.
    pub const OPERATE: &str = "keyward.operate";
    /// Look secrets up; revoke and suspend anywhere.
    pub const TRIAGE: &str = "keyward.triage";
    /// Import keys.
    pub const IMPORT: &str = "keyward.import";
    /// Read the audit events and the usage of every business.
    pub const AUDIT: &str = "keyward.audit";
    /// Every one of them.
    pub const ALL: [&str; 7] = [VERIFY, VERIFY_SKIP_USAGE, MANAGE, OPERATE, TRIAGE, IMPORT, AUDIT];
}

impl ScopeName {
    /// The length that no name exceeds, in characters (and bytes: they are ASCII).
    pub const MAX_LENGTH: usize = 64;

    /// Reads the name of a scope.
    ///
    /// # Errors
    /// [`ScopeNameError`] names the first character that is wrong, or the length.
    pub fn parse(text: &str) -> Result<ScopeName, ScopeNameError> {
        let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
        text::check(text, 1..=Self::MAX_LENGTH, allowed).map_err(ScopeNameError)?;
        Ok(ScopeName(text.into()))
    }

    /// Is the name Keyward's own, and out of the platform's reach, whether or not it is in use?
    pub fn is_built_in(&self) -> bool {
        self.0.starts_with(built_in::PREFIX)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ScopeName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ScopeSet {
    /// The set of these names; a name given twice counts once.
    ///
    /// # Errors
    /// [`TooManyScopes`] above [`SCOPES_MAX`] different names.
    pub fn from_names(
        names: impl IntoIterator<Item = ScopeName>,
    ) -> Result<ScopeSet, TooManyScopes> {
        let mut set = BTreeSet::new();
        for name in names {
            set.insert(name);
            if set.len() > SCOPES_MAX {
                return Err(TooManyScopes);
            }
        }
        Ok(ScopeSet(set))
    }

    /// The names, in the order of their bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ScopeName> {
        self.0.iter()
    }

    /// Is a scope of this name in the set?
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Are all of these in the other set as well?
    pub fn is_subset_of(&self, other: &ScopeSet) -> bool {
        self.0.is_subset(&other.0)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there none, so that the key reaches nothing?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests;
