//! A user token, from a header's bytes to the person that it proves: a JWT (RFC 7519) in its compact
//! form, signed with EdDSA, ES256 or RS256. Reading one never panics, and nothing of one is believed
//! before its signature holds. Why by own code: decision 0009.

pub mod claims;
pub mod fault;
pub mod jws;
pub mod keys;

/// What a token must say to be taken for a user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its `iss`.
    pub issuer: String,
    /// What its `aud` is, or has among others.
    pub audience: String,
    /// The `typ` of its header, which tells it from this issuer's tokens for other purposes.
    pub token_type: String,
    /// Whether `azp` may be `*`: any caller may present it. The development issuer's alone.
    pub any_caller: bool,
}
