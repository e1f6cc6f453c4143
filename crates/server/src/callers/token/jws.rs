//! The compact form of a signed token (RFC 7515): three parts in base64url with dots between them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    fault::TokenFault,
    keys::{Algorithm, VerificationKey},
};

/// The longest token that is looked at. It stands in a header, which has to fit with all others.
pub const BYTES_MAX: usize = 8 * 1024;

/// A token of which nothing is proven yet.
#[derive(Debug)]
pub struct Jws<'a> {
    /// How it says it is signed.
    pub algorithm: Algorithm,
    /// With which key it says so.
    pub key_id: String,
    /// What kind of token it says it is.
    pub token_type: Option<String>,
    signed: &'a [u8],
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// The members of a header that matter here. Others (`jku`, `jwk`, `x5u`) would let a token say by which
/// key to verify it: they are not looked at.
#[derive(Deserialize)]
struct Header {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

impl<'a> Jws<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// When it is no such token, or none of an algorithm that is known here.
    pub fn parse(token: &'a [u8]) -> Result<Self, TokenFault> {
        if token.len() > BYTES_MAX {
            return Err(TokenFault::TooLarge);
        }
        let mut dots = token.iter().enumerate().filter(|(_, byte)| **byte == b'.');
        let (Some((first, _)), Some((second, _)), None) = (dots.next(), dots.next(), dots.next())
        else {
            return Err(TokenFault::Malformed("it has not three parts with dots between them"));
        };
        let (header, payload, signature) =
            (token.get(..first), token.get(first + 1..second), token.get(second + 1..));
        let header: Header = serde_json::from_slice(&decoded(header)?)
            .map_err(|_json| TokenFault::Malformed("its header is not an object of texts"))?;
        let Header { alg, kid, typ, crit } = header;
        if crit.is_some() {
            return Err(TokenFault::Malformed("its `crit` asks for what is not known here"));
        }
        let algorithm = algorithm(alg.as_deref())?;
        Ok(Self {
            algorithm,
            key_id: kid.ok_or(TokenFault::Malformed("its header has no `kid`"))?,
            token_type: typ,
            signed: token.get(..second).unwrap_or_default(),
            payload: decoded(payload)?,
            signature: decoded(signature)?,
        })
    }

    /// What was signed, if this key did.
    ///
    /// # Errors
    /// When the key is for another algorithm, or did not make the signature.
    pub fn verified_by(&self, key: &VerificationKey) -> Result<&[u8], TokenFault> {
        if self.algorithm != key.algorithm() {
            return Err(TokenFault::Algorithm);
        }
        if !key.has_signed(self.signed, &self.signature) {
            return Err(TokenFault::Signature);
        }
        Ok(&self.payload)
    }
}

fn algorithm(name: Option<&str>) -> Result<Algorithm, TokenFault> {
    let name = name.ok_or(TokenFault::Malformed("its header has no `alg`"))?;
    // RFC 7518 writes it in lower case; no spelling of it is a signature.
    if name.eq_ignore_ascii_case("none") {
        return Err(TokenFault::Unsigned);
    }
    if matches!(name, "HS256" | "HS384" | "HS512") {
        return Err(TokenFault::Symmetric);
    }
    Algorithm::named(name).ok_or(TokenFault::Algorithm)
}

/// Strict: no padding, no other alphabet, no stray bits. So there is one spelling of a token.
fn decoded(part: Option<&[u8]>) -> Result<Vec<u8>, TokenFault> {
    let decoded = URL_SAFE_NO_PAD.decode(part.unwrap_or_default());
    decoded.map_err(|_base64| TokenFault::Malformed("a part of it is not base64url"))
}

#[cfg(test)]
mod tests;
