//! Who may do what: the one place where it is decided. Two questions, both before a request's fields
//! are looked at. May this caller call this RPC at all? That is known from memory. And if a person
//! stands behind it: are the businesses that it names that person's? An advisor's grants are asked of
//! the store, each time, by one query, whether or not a business exists.

use apikey::{catalogue::AssignableBy, id::BusinessId, lifecycle::SuspendedBy};
use keyward_store::{Store, access::Advisor};

use super::{ForUsers, Rpc};
use crate::{
    callers::{
        Caller,
        user::{User, UserRole},
    },
    errors::{Refusal, violations::Violations},
    resident::Roles,
};

/// How many businesses one call names at most: an advisor's view.
pub const BUSINESSES_MAX: usize = 100;

/// By what right a call touches the businesses that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// The caller acts as the platform: on every business, as its roles go.
    Platform,
    /// The user manages this business.
    Business,
    /// The user is an advisor with a live grant.
    Grant,
}

impl Right {
    /// Which scopes may be given to a key.
    #[must_use]
    pub const fn assigner(self) -> AssignableBy {
        match self {
            Self::Platform => AssignableBy::Operators,
            Self::Business | Self::Grant => AssignableBy::Users,
        }
    }

    /// As whom the call suspends and resumes.
    #[must_use]
    pub const fn suspends_as(self) -> SuspendedBy {
        match self {
            Self::Platform => SuspendedBy::Platform,
            Self::Business | Self::Grant => SuspendedBy::Business,
        }
    }
}

/// May this caller call this RPC at all? A person has a person's rights, and no other role of the
/// caller counts.
///
/// # Errors
/// PERMISSION_DENIED.
pub fn admit(rpc: Rpc, caller: &Caller) -> Result<(), Refusal> {
    let admitted = match caller.user.as_deref() {
        None => caller.roles.any(rpc.allowed()),
        Some(User { role, .. }) => {
            let user_may = match role {
                UserRole::BusinessAdmin(_) => rpc.for_users() != ForUsers::Nobody,
                UserRole::Advisor => rpc.for_users() == ForUsers::AdminsAndAdvisors,
                UserRole::Other => false,
            };
            caller.roles.any(Roles::MANAGE) && user_may
        }
    };
    if admitted { Ok(()) } else { Err(Refusal::permission_denied()) }
}

/// By what right this call touches all of these businesses, as the request names them.
///
/// # Errors
/// PERMISSION_DENIED where one of them is not the user's: it is another's, or reserved, or does not
/// exist, or is no id at all, and none can be told from the others. INVALID_FIELDS for too many. A fault.
pub async fn to_businesses(
    store: &Store,
    caller: &Caller,
    business_ids: &[&str],
) -> Result<Right, Refusal> {
    let Some(user) = caller.user.as_deref() else {
        return Ok(Right::Platform);
    };
    let mine = match &user.role {
        UserRole::BusinessAdmin(own) => {
            let all_own = business_ids.iter().all(|id| *id == own.as_str());
            (all_own && !own.is_reserved()).then_some(Right::Business)
        }
        UserRole::Advisor => granted(store, user, business_ids).await?.then_some(Right::Grant),
        UserRole::Other => None,
    };
    mine.ok_or_else(Refusal::permission_denied)
}

async fn granted(store: &Store, user: &User, business_ids: &[&str]) -> Result<bool, Refusal> {
    if business_ids.len() > BUSINESSES_MAX {
        let mut too_many = Violations::default();
        too_many.add("business_ids", too_many_businesses(business_ids.len()));
        return Err(too_many.into());
    }
    let parsed: Result<Vec<_>, _> = business_ids.iter().map(|id| BusinessId::parse(id)).collect();
    match parsed {
        Ok(ids) if ids.iter().any(BusinessId::is_reserved) => Ok(false),
        Ok(ids) => Ok(store.has_access(&advisor(user), &ids).await?),
        // What is no id has no grant.
        Err(_) => Ok(false),
    }
}

/// The user, as grants name them.
#[must_use]
pub fn advisor(user: &User) -> Advisor {
    let User { issuer, subject, role: _ } = user;
    Advisor { issuer: issuer.clone(), subject: subject.clone() }
}

/// What is wrong with so many.
#[must_use]
pub fn too_many_businesses(named: usize) -> String {
    format!("must name 1 to {BUSINESSES_MAX} businesses, not {named}")
}
