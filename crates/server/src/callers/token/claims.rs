//! What a token says, once its signature holds: about whom, by whom, for whom, and for how long.
//!
//! The order is fixed: first that everything is there and can be read, then whose token it is, then
//! the time, so that a token from the wrong place does not look as if a fresh one would do.

use std::time::Duration;

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
};
use serde::Deserialize;
use serde_json::Value;

use super::{Expected, fault::TokenFault};
use crate::callers::user::{User, UserRole};

/// The longest from `iat` to `exp`: a token cannot be called back, so it has to end by itself.
pub const LIFETIME_MAX: Duration = Duration::from_secs(5 * 60);
/// How far the issuer's clock and ours may be apart.
pub const LEEWAY: Duration = Duration::from_secs(30);
/// The longest `sub`, in characters; OpenID Connect has the same.
const SUBJECT_MAX: usize = 255;
/// `azp` of a token that any caller may present.
pub const ANY_CALLER: &str = "*";

const BUSINESS_ADMIN: &str = "business_admin";
const ADVISOR: &str = "advisor";

/// Every claim that counts. JSON's null is as good as absent; a claim that comes twice is refused.
#[derive(Deserialize)]
struct Claims {
    iss: Option<Value>,
    sub: Option<Value>,
    aud: Option<Value>,
    azp: Option<Value>,
    iat: Option<Value>,
    nbf: Option<Value>,
    exp: Option<Value>,
    role: Option<Value>,
    business: Option<Value>,
}

/// The user that a verified payload speaks of, when `caller` presents it at `now`.
///
/// # Errors
/// Whatever keeps it from being good here and now.
pub fn user(
    payload: &[u8],
    expected: &Expected,
    caller: &KeyId,
    now: Timestamp,
) -> Result<User, TokenFault> {
    let claims: Claims = serde_json::from_slice(payload).map_err(|_json| {
        TokenFault::Malformed("its claims are not an object, or one comes twice")
    })?;
    let Claims { iss, sub, aud, azp, iat, nbf, exp, role, business } = claims;
    let issuer = text("iss", iss)?;
    let subject = subject(text("sub", sub)?)?;
    let audiences = audiences(required("aud", aud)?)?;
    let presenter = text("azp", azp)?;
    let issued = time("iat", required("iat", iat)?)?;
    let begins = nbf.map(|nbf| time("nbf", nbf)).transpose()?;
    let expires = time("exp", required("exp", exp)?)?;
    let role = role.map(|role| text("role", Some(role))).transpose()?;
    let business = business.map(|business| business_id(&text("business", Some(business))?));
    let role = user_role(role.as_deref(), business.transpose()?)?;

    if issuer != expected.issuer {
        return Err(TokenFault::Issuer);
    }
    if !audiences.contains(&expected.audience) {
        return Err(TokenFault::Audience);
    }
    let may_present =
        presenter == caller.to_string() || (expected.any_caller && presenter == ANY_CALLER);
    if !may_present {
        return Err(TokenFault::Presenter);
    }
    good_at(now, issued, begins, expires)?;
    Ok(User { issuer, subject, role })
}

fn good_at(
    now: Timestamp,
    issued: Timestamp,
    begins: Option<Timestamp>,
    expires: Timestamp,
) -> Result<(), TokenFault> {
    if expires <= issued {
        return Err(TokenFault::ClaimInvalid("exp", "is not after `iat`"));
    }
    if expires > issued.saturating_add(LIFETIME_MAX) {
        return Err(TokenFault::LivesTooLong);
    }
    if begins.unwrap_or(issued).max(issued) > now.saturating_add(LEEWAY) {
        return Err(TokenFault::NotYetValid);
    }
    if expires.saturating_add(LEEWAY) <= now {
        return Err(TokenFault::Expired);
    }
    Ok(())
}

fn user_role(role: Option<&str>, business: Option<BusinessId>) -> Result<UserRole, TokenFault> {
    match role {
        Some(BUSINESS_ADMIN) => {
            let business = business.ok_or(TokenFault::ClaimMissing("business"))?;
            Ok(UserRole::BusinessAdmin(business))
        }
        Some(ADVISOR) => Ok(UserRole::Advisor),
        Some(_) | None => Ok(UserRole::Other),
    }
}

fn business_id(text: &str) -> Result<BusinessId, TokenFault> {
    let invalid = |what| TokenFault::ClaimInvalid("business", what);
    let id = BusinessId::parse(text).map_err(|_flaw| invalid("is not the id of a business"))?;
    if id.is_reserved() {
        return Err(invalid("is Keyward's own, which no user reaches"));
    }
    Ok(id)
}

fn required(claim: &'static str, value: Option<Value>) -> Result<Value, TokenFault> {
    value.ok_or(TokenFault::ClaimMissing(claim))
}

fn text(claim: &'static str, value: Option<Value>) -> Result<String, TokenFault> {
    match required(claim, value)? {
        Value::String(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(TokenFault::ClaimInvalid(claim, "is not a text"))
        }
    }
}

/// It comes to stand in the audit log, which lasts.
fn subject(text: String) -> Result<String, TokenFault> {
    let length = text.chars().count();
    if !(1..=SUBJECT_MAX).contains(&length) || text.chars().any(char::is_control) {
        let what = "is not 1 to 255 characters without control characters";
        return Err(TokenFault::ClaimInvalid("sub", what));
    }
    Ok(text)
}

/// One audience, or a list of them.
fn audiences(value: Value) -> Result<Vec<String>, TokenFault> {
    let list = match value {
        Value::String(one) => return Ok(vec![one]),
        Value::Array(list) => list,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    let texts: Option<Vec<_>> = list.iter().map(|one| one.as_str().map(str::to_owned)).collect();
    texts
        .filter(|texts| !texts.is_empty())
        .ok_or(TokenFault::ClaimInvalid("aud", "is neither a text nor a list of texts"))
}

/// Seconds since 1970, whole or not.
fn time(claim: &'static str, value: Value) -> Result<Timestamp, TokenFault> {
    let whole = || value.as_u64().map(Duration::from_secs);
    let broken = || Duration::try_from_secs_f64(value.as_f64()?).ok();
    let since = whole().or_else(broken);
    let since = since.ok_or(TokenFault::ClaimInvalid(claim, "is not a number of seconds"))?;
    Ok(Timestamp::from_micros(0).saturating_add(since))
}

#[cfg(test)]
mod tests;
