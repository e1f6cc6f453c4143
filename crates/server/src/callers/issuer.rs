//! The issuer whose word about users counts here. Verifying a token never waits: the issuer's keys are
//! in memory, or the answer is that they are not.

use std::sync::Arc;

use apikey::{clock::Clock, id::KeyId};
use http::HeaderMap;

use super::{
    key_cache::KeyCache,
    token::{Expected, claims, fault::TokenFault, jws::Jws},
    user::User,
};

/// Where a person's token comes.
pub const USER_TOKEN: &str = "keyward-user-token";

/// Who vouches for users.
#[derive(Debug)]
pub struct UserIssuer {
    /// What its tokens must say.
    pub expected: Expected,
    /// What they are verified with.
    pub keys: Arc<KeyCache>,
    /// When they expire.
    pub clock: Arc<dyn Clock>,
}

impl UserIssuer {
    /// The user whose token `caller` presents.
    ///
    /// # Errors
    /// Whatever is wrong with the token, and that the issuer's keys are not there to tell.
    pub fn verify(&self, token: &[u8], caller: &KeyId) -> Result<User, TokenFault> {
        let now = self.clock.now();
        let jws = Jws::parse(token)?;
        if jws.token_type.as_ref() != Some(&self.expected.token_type) {
            return Err(TokenFault::Type);
        }
        let key = self.keys.find(&jws.key_id, now)?;
        claims::user(jws.verified_by(&key)?, &self.expected, caller, now)
    }
}

/// The one user token of a request, if there is any.
///
/// # Errors
/// When there are more. What lies between may have joined them with commas, as HTTP allows.
pub fn presented(headers: &HeaderMap) -> Result<Option<&[u8]>, TokenFault> {
    let mut values = headers.get_all(USER_TOKEN).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() || value.as_bytes().contains(&b',') {
        return Err(TokenFault::Ambiguous);
    }
    Ok(Some(value.as_bytes().trim_ascii()))
}
