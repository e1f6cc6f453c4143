//! What can be wrong with a user token. Each has its own reason; none repeats a word of the token.

use keyward_proto::v1::ErrorReason;

use crate::errors::Refusal;

/// Why a token proves nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// There is more than one.
    #[error("the call carries more than one keyward-user-token; send one")]
    Ambiguous,
    /// It is longer than [`super::jws::BYTES_MAX`].
    #[error("the user token is longer than 8 KiB")]
    TooLarge,
    /// It is no JWT.
    #[error("the user token is not a JWT: {0}")]
    Malformed(&'static str),
    /// `alg` is `none`.
    #[error("the user token is not signed (`alg` is none)")]
    Unsigned,
    /// Whoever could verify it could make it.
    #[error("the user token is signed with a symmetric algorithm; sign with EdDSA, ES256 or RS256")]
    Symmetric,
    /// Another algorithm than those known, or than the key's.
    #[error("the user token's `alg` is not EdDSA, ES256 or RS256, or not that of its key")]
    Algorithm,
    /// The issuer has no such key.
    #[error("the user token's `kid` names no key of the issuer")]
    KeyUnknown,
    /// Whether the issuer has this key cannot be told now.
    #[error("the issuer's keys are not at hand; they are being fetched")]
    KeysUnavailable,
    /// Not made with the key that it names, or changed since.
    #[error("the user token's signature does not hold")]
    Signature,
    /// A token for something else.
    #[error("the user token's `typ` is not that of user tokens")]
    Type,
    /// Somebody else's.
    #[error("the user token's `iss` is not the issuer that is trusted here")]
    Issuer,
    /// Meant for another service.
    #[error("the user token's `aud` does not name this service")]
    Audience,
    /// Given to another caller.
    #[error("the user token's `azp` is not the key_id of the service key that presents it")]
    Presenter,
    /// Over.
    #[error("the user token has expired; have the issuer sign a new one")]
    Expired,
    /// Issued in the future, or not good before some time in the future.
    #[error("the user token is not valid yet (`iat` or `nbf`); do the clocks agree?")]
    NotYetValid,
    /// So long that it could not be called back.
    #[error("the user token lives longer than 5 minutes from `iat` to `exp`")]
    LivesTooLong,
    /// A claim is not there.
    #[error("the user token's claim `{0}` is missing")]
    ClaimMissing(&'static str),
    /// A claim says what it cannot say.
    #[error("the user token's claim `{0}` {1}")]
    ClaimInvalid(&'static str, &'static str),
}

impl From<TokenFault> for Refusal {
    fn from(fault: TokenFault) -> Self {
        let refusal = Self::new(reason(fault), fault.to_string());
        match fault {
            TokenFault::ClaimMissing(claim) | TokenFault::ClaimInvalid(claim, _) => {
                refusal.with("claim", claim)
            }
            TokenFault::Ambiguous
            | TokenFault::TooLarge
            | TokenFault::Malformed(_)
            | TokenFault::Unsigned
            | TokenFault::Symmetric
            | TokenFault::Algorithm
            | TokenFault::KeyUnknown
            | TokenFault::KeysUnavailable
            | TokenFault::Signature
            | TokenFault::Type
            | TokenFault::Issuer
            | TokenFault::Audience
            | TokenFault::Presenter
            | TokenFault::Expired
            | TokenFault::NotYetValid
            | TokenFault::LivesTooLong => refusal,
        }
    }
}

fn reason(fault: TokenFault) -> ErrorReason {
    match fault {
        TokenFault::Ambiguous => ErrorReason::UserTokenAmbiguous,
        TokenFault::TooLarge => ErrorReason::UserTokenTooLarge,
        TokenFault::Malformed(_) => ErrorReason::UserTokenMalformed,
        TokenFault::Unsigned => ErrorReason::UserTokenUnsigned,
        TokenFault::Symmetric => ErrorReason::UserTokenSymmetric,
        TokenFault::Algorithm => ErrorReason::UserTokenAlgorithm,
        TokenFault::KeyUnknown => ErrorReason::UserTokenKeyUnknown,
        TokenFault::KeysUnavailable => ErrorReason::UserKeysUnavailable,
        TokenFault::Signature => ErrorReason::UserTokenSignature,
        TokenFault::Type => ErrorReason::UserTokenType,
        TokenFault::Issuer => ErrorReason::UserTokenIssuer,
        TokenFault::Audience => ErrorReason::UserTokenAudience,
        TokenFault::Presenter => ErrorReason::UserTokenPresenter,
        TokenFault::Expired => ErrorReason::UserTokenExpired,
        TokenFault::NotYetValid => ErrorReason::UserTokenNotYetValid,
        TokenFault::LivesTooLong => ErrorReason::UserTokenLivesTooLong,
        TokenFault::ClaimMissing(_) => ErrorReason::UserTokenClaimMissing,
        TokenFault::ClaimInvalid(..) => ErrorReason::UserTokenClaimInvalid,
    }
}
