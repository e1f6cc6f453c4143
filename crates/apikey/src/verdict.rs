//! The decision on a presented secret.
//!
//! [`decide`] is a pure function of what the index found, what the caller requires, the catalogue
//! and the time. It knows of no business, and so of no foreign one: whoever calls it passes nothing
//! for a secret that is unknown, of another business than asked for, or a service key's.
//!
//! - Fewer scopes never allow more, and neither does a scope's retirement.
//! - What time has made NOT_FOUND, more time does not bring back.
//! - VALID costs no allocation.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::catalogue::{Catalogue, ScopeId};
use crate::clock::Timestamp;
use crate::endpoint::Endpoint;
use crate::lifecycle::{Lifecycle, State};

/// For so long a secret that was revoked, rotated away or has expired is recognised as such, unless
/// configured otherwise: 30 days.
pub const RECOGNITION_DEFAULT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Which of its key's secrets the presented one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Generation {
    /// The one in force.
    Current,
    /// One that a rotation has replaced.
    Superseded {
        /// When.
        rotate_time: Timestamp,
    },
}

/// What the index holds about a presented secret.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Which of the key's secrets it is.
    pub generation: Generation,
    /// The key's state, by its times.
    pub lifecycle: Lifecycle,
    /// Is the key's business suspended?
    pub business_suspended: bool,
    /// The key's scopes, live or not.
    pub scopes: &'a [ScopeId],
}

/// What the key must reach, all of it; with nothing named, it is enough that the key is in force.
#[derive(Clone, Copy, Debug, Default)]
pub struct Requirement<'a> {
    /// Scopes of which the key needs each.
    pub required: &'a [String],
    /// Scopes of which the key needs one, if there are any.
    pub sufficient: &'a [String],
    /// An endpoint that one of the key's scopes must cover.
    pub endpoint: Option<&'a Endpoint<'a>>,
}

/// The decision: VALID, or a denial; where several apply, the first in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No such secret, or one that has been dead for longer than is told.
    NotFound,
    /// All keys of the business are suspended.
    BusinessSuspended,
    /// The key is revoked.
    Revoked,
    /// The key has another secret by now.
    SecretRotated,
    /// The key has expired.
    Expired,
    /// The key is suspended.
    Suspended,
    /// No scope covers the endpoint: the platform's mistake, not the customer's.
    EndpointNotMapped,
    /// The key is in force, and does not reach so far.
    InsufficientScope {
        /// What it lacks, each once, in the order of the bytes: every required scope that it does
        /// not have; and where one of several is enough and it has none, all of those.
        missing: Vec<String>,
    },
    /// The secret is in force, and reaches what was required.
    Valid,
}

/// Decides on a presented secret.
///
/// `recognition` is for how long a secret is told apart from an unknown one after it was revoked,
/// rotated away or expired, whichever came first. `now` is the latest moment that it may be.
pub fn decide(
    found: Option<&Found<'_>>,
    requirement: &Requirement<'_>,
    catalogue: &Catalogue,
    recognition: Duration,
    now: Timestamp,
) -> Verdict {
    let Some(found) = found else { return Verdict::NotFound };
    if found.is_forgotten(recognition, now) {
        return Verdict::NotFound;
    }
    if found.business_suspended {
        return Verdict::BusinessSuspended;
    }
    match (found.lifecycle.state(now), found.generation) {
        (State::Revoked, _) => Verdict::Revoked,
        (_, Generation::Superseded { .. }) => Verdict::SecretRotated,
        (State::Expired, Generation::Current) => Verdict::Expired,
        (State::Suspended, Generation::Current) => Verdict::Suspended,
        (State::Active, Generation::Current) => decide_reach(found.scopes, requirement, catalogue),
    }
}

impl Found<'_> {
    /// Has the secret been dead for so long that nobody is told any more? The first of its deaths
    /// counts, so that a later one does not bring it back to mind.
    pub fn is_forgotten(&self, recognition: Duration, now: Timestamp) -> bool {
        let rotate_time = match self.generation {
            Generation::Current => None,
            Generation::Superseded { rotate_time } => Some(rotate_time),
        };
        let Lifecycle { expire_time, revoke_time, suspended_by: _ } = self.lifecycle;
        let deaths = [rotate_time, revoke_time, expire_time].into_iter().flatten();
        deaths.map(|time| time.saturating_add(recognition)).any(|end| end <= now)
    }
}

fn decide_reach(
    scopes: &[ScopeId],
    requirement: &Requirement<'_>,
    catalogue: &Catalogue,
) -> Verdict {
    let Requirement { required, sufficient, endpoint } = *requirement;
    let holds = |id: ScopeId| scopes.contains(&id) && catalogue.is_live(id);
    let lacks = |name: &&String| !catalogue.id(name).is_some_and(holds);

    let mut missing = BTreeSet::<&str>::new();
    if let Some(endpoint) = endpoint {
        let Some(covering) = catalogue.covering(endpoint) else {
            return Verdict::EndpointNotMapped;
        };
        if !covering.iter().copied().any(holds) {
            let names = covering.iter().filter_map(|&id| catalogue.name(id));
            missing.extend(names.map(|name| name.as_str()));
        }
    }
    missing.extend(required.iter().filter(lacks).map(String::as_str));
    if sufficient.iter().all(|name| lacks(&name)) {
        missing.extend(sufficient.iter().map(String::as_str));
    }
    if missing.is_empty() {
        return Verdict::Valid;
    }
    Verdict::InsufficientScope { missing: missing.into_iter().map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests;
