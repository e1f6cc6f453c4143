//! What an edit makes of a scope of the catalogue. Pure, as `change` is for keys.

use apikey::{
    catalogue::AssignableBy, clock::Timestamp, endpoint::Template, scope::ScopeName,
    settings::Description,
};

use crate::record::{Revision, ScopeRecord};

/// The new values of a scope, and which of them count for one that exists.
#[derive(Debug, Clone)]
pub struct ScopeEdit {
    /// For people.
    pub description: Description,
    /// Who may give it to a key.
    pub assignable_by: AssignableBy,
    /// What it covers.
    pub endpoints: Vec<Template>,
    /// Which of them change a scope that exists.
    pub mask: ScopeMask,
}

/// Which values of an edit count.
#[derive(Debug, Clone, Copy)]
pub struct ScopeMask {
    /// The description.
    pub description: bool,
    /// Who may give it.
    pub assignable_by: bool,
    /// What it covers.
    pub endpoints: bool,
}

impl ScopeMask {
    /// All of them.
    pub const ALL: Self = Self { description: true, assignable_by: true, endpoints: true };
}

impl ScopeEdit {
    pub(crate) fn create(self, name: ScopeName, revision: Revision, now: Timestamp) -> ScopeRecord {
        let Self { description, assignable_by, endpoints, mask: _ } = self;
        ScopeRecord {
            name,
            revision,
            description,
            assignable_by,
            endpoints,
            retire_time: None,
            create_time: now,
            update_time: now,
        }
    }

    /// The scope after the edit; equal to `before` where there is nothing to do.
    pub(crate) fn apply(&self, before: &ScopeRecord, now: Timestamp) -> ScopeRecord {
        let mut after = before.clone();
        if self.mask.description {
            after.description = self.description.clone();
        }
        if self.mask.assignable_by {
            after.assignable_by = self.assignable_by;
        }
        if self.mask.endpoints {
            after.endpoints = self.endpoints.clone();
        }
        if after != *before {
            after.update_time = now;
        }
        after
    }
}
