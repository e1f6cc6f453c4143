//! The store's faults and refusals, as a caller hears of them. Each fault is logged here, once.

use apikey::{
    id::KeyId,
    lifecycle::{TransitionCause, TransitionError},
};
use keyward_proto::v1::ErrorReason;
use keyward_store::{
    bulk::BULK_MAX,
    error::{ChangeError, Refused, ScopeProblem, StoreError},
};

use super::{Refusal, violations::Violations};
use crate::resident::NotServing;

/// So many keys that are missing are named.
const KEY_IDS_TOLD_MAX: usize = 20;

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(error.cause = %error, "the database is away");
                Self::new(
                    ErrorReason::DatabaseUnavailable,
                    "the database cannot be reached; a change may or may not have happened",
                )
            }
            StoreError::Conflict(_) => {
                tracing::info!(error.cause = %error, "a change came too late");
                Self::new(ErrorReason::ConcurrentChange, "another change came first; try again")
            }
            StoreError::Corrupt { .. } | StoreError::Query(_) => Self::internal(error),
        }
    }
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refused) => refused.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::KeyNotFound => {
                Self::new(ErrorReason::KeyNotFound, "this business has no key with this id")
            }
            Refused::KeysNotFound(key_ids) => keys_not_found(&key_ids),
            Refused::TooManyKeys { matches } => Self::new(
                ErrorReason::TooManyKeys,
                format!(
                    "{matches} keys match, and {BULK_MAX} is the most for one call; narrow the filter"
                ),
            )
            .with("matches", matches),
            Refused::EtagMismatch { current } => Self::new(
                ErrorReason::EtagMismatch,
                format!("the etag is {current} now; read again and decide anew"),
            )
            .with("etag", current),
            Refused::RequestIdReused => Self::new(
                ErrorReason::RequestIdReused,
                "this request_id stood for another request within the last 24 hours; choose a new one",
            ),
            Refused::BusinessNotFound => {
                Self::new(ErrorReason::BusinessNotFound, "there is no such business")
            }
            Refused::GrantNotFound => Self::new(
                ErrorReason::GrantNotFound,
                "this business never gave this advisor access; ListAccess with include_ended shows \
                 to whom it did",
            ),
            // Authentication decides what it may by now.
            Refused::CallerChanged => Self::new(
                ErrorReason::ConcurrentChange,
                "the calling service key changed while the call was under way; try again",
            ),
            // As if it had ended before the call began.
            Refused::AccessEnded => Self::permission_denied(),
            Refused::Transition(error) => transition(&error),
            Refused::KeyLimitReached { limit } => Self::new(
                ErrorReason::KeyLimitReached,
                format!(
                    "the business holds {limit} live keys, as many as it may; revoke one it does \
                     not need, or have the platform raise the limit"
                ),
            )
            .with("key_limit", limit),
            Refused::Scopes(problems) => scopes(&problems),
            Refused::LastOperatorKey => Self::new(
                ErrorReason::LastOperatorKey,
                "this is the last live key with keyward.operate; make another one first, with \
                 `keyward operator-key`",
            ),
            Refused::ScopeNotFound => Self::new(
                ErrorReason::ScopeNotFound,
                "the catalogue has no scope of this name; UpdateScope with allow_missing makes one",
            ),
            Refused::ScopeRetired => Self::new(
                ErrorReason::ScopeRetired,
                "the scope is retired, for ever; make one of another name",
            ),
            Refused::ScopeInUse { live_keys } => Self::new(
                ErrorReason::ScopeInUse,
                format!(
                    "{live_keys} live keys hold the scope; set force to retire it all the same"
                ),
            )
            .with("live_keys", live_keys),
        }
    }
}

/// Names a few: details have limits in clients.
fn keys_not_found(key_ids: &[KeyId]) -> Refusal {
    let named: Vec<String> = key_ids.iter().take(KEY_IDS_TOLD_MAX).map(KeyId::to_string).collect();
    let message = format!("{} of these keys are not there; nothing was changed", key_ids.len());
    Refusal::new(ErrorReason::KeyNotFound, message)
        .with("missing", key_ids.len())
        .with("key_ids", named.join(","))
}

fn transition(error: &TransitionError) -> Refusal {
    let reason = match error.cause {
        TransitionCause::Revoked => ErrorReason::KeyRevoked,
        TransitionCause::Expired | TransitionCause::ExpireTimeMissing => ErrorReason::KeyExpired,
        TransitionCause::SuspendedByPlatform => ErrorReason::SuspendedByPlatform,
        TransitionCause::ExpireTimePast => {
            let mut violations = Violations::default();
            violations.add("expire_time", error.cause.to_string());
            return violations.into();
        }
    };
    Refusal::new(reason, error.to_string())
}

fn scopes(problems: &[(apikey::scope::ScopeName, ScopeProblem)]) -> Refusal {
    let mut violations = Violations::default();
    for (name, problem) in problems {
        let what = match problem {
            ScopeProblem::Unknown => {
                "is not in the catalogue, or not yours to give; name one that ListScopes shows (the \
                 platform makes one with UpdateScope)"
            }
            ScopeProblem::Retired => "is retired and can no longer be given to a key",
        };
        violations.add("key.scopes", format!("{name} {what}"));
    }
    violations.into()
}

impl From<NotServing> for Refusal {
    fn from(NotServing: NotServing) -> Self {
        Self::new(
            ErrorReason::NotServing,
            "this replica may not answer from memory now; try again, or another one",
        )
    }
}
