//! The catalogue, and what an edit makes of a scope: that part is pure, as `change` is for keys.

use apikey::{
    catalogue::AssignableBy, clock::Timestamp, endpoint::Template, scope::ScopeName,
    settings::Description,
};

use crate::{
    Engine, Store,
    error::{ChangeError, StoreError},
    on_engine,
    record::{Act, Committed, Revision, ScopeRecord},
};

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

/// A scope that changed, or would, and how many live keys that concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeChange {
    /// The scope after the change.
    pub scope: ScopeRecord,
    /// Live keys that may reach more by it.
    pub widened_keys: i64,
    /// Live keys that may reach less by it; for a retired scope, those that hold it.
    pub narrowed_keys: i64,
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

impl Store {
    /// Scopes by name, after `after`, and of one kind if `assignable_by` says so; at most `limit`.
    ///
    /// # Errors
    /// A fault.
    pub async fn list_scopes(
        &self,
        after: Option<ScopeName>,
        include_retired: bool,
        assignable_by: Option<AssignableBy>,
        limit: i64,
    ) -> Result<Vec<ScopeRecord>, StoreError> {
        on_engine!(self, database => database.list_scopes(after, include_retired, assignable_by, limit))
    }

    /// Changes a scope, or makes it where `allow_missing`.
    ///
    /// # Errors
    /// `ScopeNotFound`, `ScopeRetired`; a fault.
    pub async fn update_scope(
        &self,
        name: &ScopeName,
        edit: ScopeEdit,
        allow_missing: bool,
        act: Act,
    ) -> Result<Committed<ScopeChange>, ChangeError> {
        on_engine!(self, database => database.update_scope(name, edit, allow_missing, act))
    }

    /// What `update_scope` would do at `now`, and every check that it makes.
    ///
    /// # Errors
    /// As `update_scope`.
    pub async fn check_update_scope(
        &self,
        name: &ScopeName,
        edit: ScopeEdit,
        allow_missing: bool,
        now: Timestamp,
    ) -> Result<ScopeChange, ChangeError> {
        on_engine!(self, database => database.check_update_scope(name, edit, allow_missing, now))
    }

    /// Retires a scope, for ever.
    ///
    /// # Errors
    /// `ScopeNotFound`, `ScopeInUse` (not with `force`); a fault.
    pub async fn retire_scope(
        &self,
        name: &ScopeName,
        force: bool,
        act: Act,
    ) -> Result<Committed<ScopeChange>, ChangeError> {
        on_engine!(self, database => database.retire_scope(name, force, act))
    }

    /// What `retire_scope` would do at `now`, and every check that it makes.
    ///
    /// # Errors
    /// As `retire_scope`.
    pub async fn check_retire_scope(
        &self,
        name: &ScopeName,
        force: bool,
        now: Timestamp,
    ) -> Result<ScopeChange, ChangeError> {
        on_engine!(self, database => database.check_retire_scope(name, force, now))
    }
}
