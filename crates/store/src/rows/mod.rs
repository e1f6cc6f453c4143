//! The tables' rows, and their conversion to records and back. A row is taken apart in full, so
//! that a new column must be decided upon; one that breaks the rules names itself (`Corrupt`).

mod access;
mod audit;
mod businesses;
mod keys;
mod scopes;
mod secrets;
mod usage;

use std::fmt::Display;

use apikey::{
    id::BusinessId,
    lifecycle::SuspendedBy,
    scope::{ScopeName, ScopeSet},
};

pub(crate) use self::{
    access::AccessRow,
    audit::{AuditRow, action_code},
    businesses::{BusinessRow, HeldBusinessRow},
    keys::{KeyRow, reason_code},
    scopes::{ScopeRow, assignable_by_code},
    secrets::{HeldSecretRow, SecretRow, pepper_version},
    usage::{CountRow, FlusherRow, SlotRow, counted_verdict, flusher_uid, verdict_code},
};
use crate::{columns::TextListColumn, error::StoreError};

/// The scopes in a column of `keys`, of whichever row.
pub(crate) fn scope_set(names: TextListColumn) -> Result<ScopeSet, StoreError> {
    Place { table: "keys", row: "of any id".to_owned() }.scopes(names.0)
}

/// Turns whatever a column breaks into the one error, with the row's name.
struct Place {
    table: &'static str,
    row: String,
}

impl Place {
    fn corrupt(&self, column: &str, problem: impl Display) -> StoreError {
        let problem = format!("column {column}: {problem}");
        StoreError::Corrupt { table: self.table, row: self.row.clone(), problem }
    }

    fn scopes(&self, names: Vec<String>) -> Result<ScopeSet, StoreError> {
        let names: Result<Vec<_>, _> = names.iter().map(|name| ScopeName::parse(name)).collect();
        let names = names.map_err(|error| self.corrupt("scopes", error))?;
        ScopeSet::from_names(names).map_err(|error| self.corrupt("scopes", error))
    }

    fn suspended_by(&self, code: Option<i16>) -> Result<Option<SuspendedBy>, StoreError> {
        match code {
            None => Ok(None),
            Some(1) => Ok(Some(SuspendedBy::Business)),
            Some(2) => Ok(Some(SuspendedBy::Platform)),
            Some(code) => Err(self.corrupt("suspended_by", format_args!("unknown code {code}"))),
        }
    }

    fn business_id(&self, id: &str) -> Result<BusinessId, StoreError> {
        BusinessId::parse(id).map_err(|error| self.corrupt("business_id", error))
    }
}
