//! The part of the contract that this build does not have yet, in one place. It is to end empty, and
//! then goes. What stands here is refused by name, never ignored.

use keyward_proto::v1::ErrorReason;

use crate::{access::Rpc, errors::Refusal};

/// RPCs that answer NOT_YET_AVAILABLE.
pub const RPCS: [Rpc; 1] = [Rpc::QueryUsage];

/// Fields that are refused when they are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the proto files, which say what each means")]
pub enum Field {
    ListKeysNeverUsed,
    ListKeysUnusedSinceTime,
    ListKeysOrderLastUseTime,
    VerifyMinRevision,
}

impl Field {
    /// The message and the field's path in it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ListKeysNeverUsed => "ListKeysRequest.filter.never_used",
            Self::ListKeysUnusedSinceTime => "ListKeysRequest.filter.unused_since_time",
            Self::ListKeysOrderLastUseTime => "ListKeysRequest.order=KEY_ORDER_LAST_USE_TIME",
            Self::VerifyMinRevision => "VerifyRequest.min_revision",
        }
    }
}

/// Refuses the first of `fields` that is set.
///
/// # Errors
/// NOT_YET_AVAILABLE.
pub fn refuse_set<const N: usize>(fields: [(Field, bool); N]) -> Result<(), Refusal> {
    match fields.into_iter().find(|(_, set)| *set) {
        None => Ok(()),
        Some((field, _)) => Err(refusal(field.name())),
    }
}

/// An RPC that has not come.
#[must_use]
pub fn rpc(rpc: Rpc) -> Refusal {
    refusal(rpc.path())
}

fn refusal(name: &str) -> Refusal {
    Refusal::new(
        ErrorReason::NotYetAvailable,
        format!("{name} is part of the contract, but not yet of this build"),
    )
    .with("name", name)
}
