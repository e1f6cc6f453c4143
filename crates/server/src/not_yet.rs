//! The part of the contract that this build does not have yet, in one place. It is to end empty, and
//! then goes. What stands here is refused by name, never ignored.

use keyward_proto::v1::ErrorReason;

use crate::errors::Refusal;

/// Fields that are refused when they are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the proto files, which say what each means")]
pub enum Field {
    VerifyMinRevision,
}

impl Field {
    /// The message and the field's path in it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
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

fn refusal(name: &str) -> Refusal {
    Refusal::new(
        ErrorReason::NotYetAvailable,
        format!("{name} is part of the contract, but not yet of this build"),
    )
    .with("name", name)
}
