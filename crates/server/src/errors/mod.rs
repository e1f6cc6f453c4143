//! Every failure of a call, in one form: a code, one sentence, and `google.rpc` details with a
//! reason. This is the only place that says `tonic::Code`; nothing of a driver's text passes it.

pub mod form;
pub mod store;
pub mod violations;

use std::{collections::HashMap, time::Duration};

use keyward_proto::v1::ErrorReason;
use tonic::{Code, Status, metadata::MetadataValue};
use tonic_types::{ErrorDetails, StatusExt as _};

use violations::Violation;

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "keyward";
/// What a caller waits before it tries again, where waiting helps.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// Trailers have limits in clients: so many violations are told at most, with their number.
const VIOLATIONS_MAX: usize = 20;
/// And so many bytes of them.
const VIOLATIONS_BYTES_MAX: usize = 4 * 1024;
/// Header of gRFC A6: what gRPC libraries' own retry goes by.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// A call that is not answered, and why.
#[derive(Debug, Clone)]
pub struct Refusal {
    reason: ErrorReason,
    message: String,
    metadata: HashMap<String, String>,
    violations: Vec<Violation>,
}

impl Refusal {
    /// A refusal; `message` is one sentence, and what it names goes into the metadata too.
    #[must_use]
    pub fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        let (metadata, violations) = (HashMap::new(), Vec::new());
        Self { reason, message: message.into(), metadata, violations }
    }

    /// With something that the message names.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.metadata.insert(name.to_owned(), value.to_string());
        self
    }

    /// With the fields that break their rules.
    #[must_use]
    fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        self.violations = violations;
        self
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> ErrorReason {
        self.reason
    }

    /// What is wrong, in one line: each field's fault, where fields are at fault.
    #[must_use]
    pub fn in_words(&self) -> String {
        if self.violations.is_empty() {
            return self.message.clone();
        }
        let words =
            |Violation { field, description }: &Violation| format!("{field}: {description}");
        self.violations.iter().map(words).collect::<Vec<_>>().join("; ")
    }

    /// One fixed text: it must not tell what is not there from what is not allowed.
    #[must_use]
    pub fn permission_denied() -> Self {
        Self::new(
            ErrorReason::PermissionDenied,
            "the caller may not do this here, or what it names does not exist",
        )
    }

    /// A fault in Keyward: the log gets the cause, the caller a fixed sentence.
    #[must_use]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(error.cause = %cause, "a call failed inside");
        Self::new(ErrorReason::Internal, "Keyward failed inside; its log tells more")
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let Refusal { reason, message, metadata, violations } = refusal;
        let code = code(reason);
        let mut details = ErrorDetails::with_error_info(name(reason), DOMAIN, metadata);
        let mut bytes = 0_usize;
        for Violation { field, description } in violations.into_iter().take(VIOLATIONS_MAX) {
            bytes = bytes.saturating_add(field.len()).saturating_add(description.len());
            if bytes > VIOLATIONS_BYTES_MAX {
                break;
            }
            details.add_bad_request_violation(field, description);
        }
        if code == Code::Unavailable {
            details.set_retry_info(Some(RETRY_AFTER));
        }
        let mut status = Self::with_error_details(code, message, details);
        if code == Code::Unavailable {
            let pushback = MetadataValue::from(RETRY_AFTER.subsec_millis());
            status.metadata_mut().insert(PUSHBACK, pushback);
        }
        status
    }
}

/// The reason as it stands in `ErrorInfo`: without the enum's prefix.
#[must_use]
pub fn name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

/// The code that each reason comes with.
#[must_use]
pub fn code(reason: ErrorReason) -> Code {
    match reason {
        ErrorReason::NotYetAvailable | ErrorReason::UnknownMethod => Code::Unimplemented,
        ErrorReason::InvalidFields
        | ErrorReason::MalformedMessage
        | ErrorReason::RequestIdReused => Code::InvalidArgument,
        ErrorReason::MessageTooLarge => Code::OutOfRange,
        ErrorReason::CredentialMissing
        | ErrorReason::CredentialInvalid
        | ErrorReason::CredentialAmbiguous
        | ErrorReason::UsersNotConfigured
        | ErrorReason::UserTokenAmbiguous
        | ErrorReason::UserTokenTooLarge
        | ErrorReason::UserTokenMalformed
        | ErrorReason::UserTokenUnsigned
        | ErrorReason::UserTokenSymmetric
        | ErrorReason::UserTokenAlgorithm
        | ErrorReason::UserTokenKeyUnknown
        | ErrorReason::UserTokenSignature
        | ErrorReason::UserTokenType
        | ErrorReason::UserTokenIssuer
        | ErrorReason::UserTokenAudience
        | ErrorReason::UserTokenPresenter
        | ErrorReason::UserTokenExpired
        | ErrorReason::UserTokenNotYetValid
        | ErrorReason::UserTokenLivesTooLong
        | ErrorReason::UserTokenClaimMissing
        | ErrorReason::UserTokenClaimInvalid => Code::Unauthenticated,
        ErrorReason::PermissionDenied => Code::PermissionDenied,
        ErrorReason::KeyNotFound
        | ErrorReason::ScopeNotFound
        | ErrorReason::BusinessNotFound
        | ErrorReason::GrantNotFound => Code::NotFound,
        ErrorReason::KeyRevoked
        | ErrorReason::KeyExpired
        | ErrorReason::SuspendedByPlatform
        | ErrorReason::KeyLimitReached
        | ErrorReason::ScopeRetired
        | ErrorReason::ScopeInUse
        | ErrorReason::LastOperatorKey
        | ErrorReason::TooManyKeys
        | ErrorReason::NotCountedYet => Code::FailedPrecondition,
        ErrorReason::ConcurrentChange | ErrorReason::EtagMismatch => Code::Aborted,
        ErrorReason::DatabaseUnavailable
        | ErrorReason::NotServing
        | ErrorReason::UserKeysUnavailable => Code::Unavailable,
        ErrorReason::CommittedNotYetEffective | ErrorReason::DeadlineExceeded => {
            Code::DeadlineExceeded
        }
        ErrorReason::Cancelled => Code::Cancelled,
        ErrorReason::Internal | ErrorReason::Unspecified => Code::Internal,
    }
}
