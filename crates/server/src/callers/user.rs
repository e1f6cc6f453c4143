//! The person for whom a call is made, as a signed token says. A field or a header that merely names
//! somebody is never a user.

use apikey::id::BusinessId;

/// A person, proven by a token that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The `iss` of the token: who vouches for the person.
    pub issuer: String,
    /// The `sub` of the token: the person, as the issuer knows them.
    pub subject: String,
    /// What the person is, for this call.
    pub role: UserRole,
}

/// What a person is, for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRole {
    /// Manages the keys of one business.
    BusinessAdmin(BusinessId),
    /// Manages the keys of client businesses, as far as grants go.
    Advisor,
    /// Anything else: may do nothing here, not even look.
    Other,
}
