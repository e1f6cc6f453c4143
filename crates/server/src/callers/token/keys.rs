//! The public keys of an issuer: a JWK set (RFC 7517), of which what can verify a user token is kept.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::{Deserialize, de::IgnoredAny};

/// The largest set that is read, in bytes: a hundred keys with their certificates fit.
pub const SET_BYTES_MAX: usize = 1024 * 1024;
/// The most keys of a set. An issuer signs with one, and announces the next.
pub const KEYS_MAX: usize = 100;
/// RSA keys of fewer bits are too weak, of more not known to ring.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Of an Ed25519 key, and of each coordinate of one on P-256.
const CURVE_BYTES: usize = 32;
/// What stands before the two coordinates of a point that is not compressed.
const UNCOMPRESSED: u8 = 4;

/// How a user token may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

/// A public key, for one algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerificationKey {
    /// The public key's bytes.
    Ed25519([u8; CURVE_BYTES]),
    /// The point, not compressed.
    P256(Vec<u8>),
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
}

/// Keys by their `kid`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: BTreeMap<String, Arc<VerificationKey>>,
    /// What was left out, and why, as a line for the log each.
    pub skipped: Vec<String>,
}

/// Not a set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// It is too large.
    #[error("it is larger than 1 MiB")]
    TooLarge,
    /// It is something else.
    #[error("it is not a JWK set, `{{\"keys\": [...]}}`")]
    Malformed,
    /// It has too many keys.
    #[error("it has more than {KEYS_MAX} keys")]
    TooMany,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    /// The private part, which nobody publishes on purpose.
    d: Option<IgnoredAny>,
}

impl Algorithm {
    /// The algorithm that goes by this name in a JWT.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256, Self::Rs256].into_iter().find(|known| known.name() == name)
    }

    /// Its name in a JWT.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

impl VerificationKey {
    /// The one algorithm that it is for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// Whether its owner made this signature of this message.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match self {
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Self::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        };
        verified.is_ok()
    }
}

impl KeySet {
    /// Reads a JWK set. Keys that cannot verify a user token are left out; the set may serve others too.
    /// Nothing may be left: so an issuer withdraws its last key.
    ///
    /// # Errors
    /// When it is no such set, or too large.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        if json.len() > SET_BYTES_MAX {
            return Err(KeySetError::TooLarge);
        }
        let document: Result<Document, _> = serde_json::from_slice(json);
        let Document { keys } = document.map_err(|_json| KeySetError::Malformed)?;
        if keys.len() > KEYS_MAX {
            return Err(KeySetError::TooMany);
        }
        let mut set = Self::default();
        for (index, value) in keys.into_iter().enumerate() {
            match read(value) {
                Ok((kid, key)) if !set.keys.contains_key(&kid) => {
                    set.keys.insert(kid, Arc::new(key));
                }
                Ok(_) => set.skipped.push(format!("key {index}: another has its `kid`")),
                Err(why) => set.skipped.push(format!("key {index}: {why}")),
            }
        }
        Ok(set)
    }

    /// A set of one key.
    #[must_use]
    pub fn of(kid: String, key: VerificationKey) -> Self {
        Self { keys: BTreeMap::from([(kid, Arc::new(key))]), skipped: Vec::new() }
    }

    /// The key of this name.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<Arc<VerificationKey>> {
        self.keys.get(kid).cloned()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// A key with its name, or why it is of no use.
fn read(value: serde_json::Value) -> Result<(String, VerificationKey), &'static str> {
    let jwk: Result<Jwk, _> = serde_json::from_value(value);
    let jwk = jwk.map_err(|_json| "not a JWK")?;
    let Jwk { kty, kid, usage, key_ops, alg, crv, x, y, n, e, d } = jwk;
    if d.is_some() {
        return Err("a private key, which must not be published");
    }
    if usage.is_some_and(|usage| usage != "sig") {
        return Err("not for signatures (`use`)");
    }
    if key_ops.is_some_and(|operations| !operations.iter().any(|it| it == "verify")) {
        return Err("not for verification (`key_ops`)");
    }
    let key = match (kty.as_str(), crv.as_deref()) {
        ("OKP", Some("Ed25519")) => VerificationKey::Ed25519(coordinate(x.as_deref())?),
        ("EC", Some("P-256")) => {
            let (x, y) = (coordinate(x.as_deref())?, coordinate(y.as_deref())?);
            VerificationKey::P256([&[UNCOMPRESSED][..], &x, &y].concat())
        }
        ("RSA", _) => rsa(n.as_deref(), e.as_deref())?,
        _ => return Err("neither Ed25519, P-256 nor RSA"),
    };
    if alg.is_some_and(|alg| alg != key.algorithm().name()) {
        return Err("for an algorithm that user tokens are not signed with (`alg`)");
    }
    Ok((kid.ok_or("it has no `kid`")?, key))
}

fn coordinate(text: Option<&str>) -> Result<[u8; CURVE_BYTES], &'static str> {
    let bytes = decoded(text)?;
    bytes.try_into().map_err(|_wrong_length| "a coordinate is not 32 bytes")
}

fn rsa(n: Option<&str>, e: Option<&str>) -> Result<VerificationKey, &'static str> {
    let [n, e] = [decoded(n)?, decoded(e)?].map(|number| {
        let leading_zeros = number.iter().take_while(|byte| **byte == 0).count();
        number.get(leading_zeros..).unwrap_or_default().to_vec()
    });
    let bits = n.first().map_or(0, |first| {
        let unused = usize::try_from(first.leading_zeros()).unwrap_or(0);
        n.len().saturating_mul(8).saturating_sub(unused)
    });
    if !RSA_BITS.contains(&bits) {
        return Err("an RSA key must have 2048 to 8192 bits");
    }
    Ok(VerificationKey::Rsa { n, e })
}

fn decoded(text: Option<&str>) -> Result<Vec<u8>, &'static str> {
    let text = text.ok_or("a part of it is missing")?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_base64| "a part of it is not base64url")
}

#[cfg(test)]
mod tests;
