//! The issuer of user tokens for trying things out: a key pair in the data folder of the embedded store,
//! and `keyward user-token`, which signs with it. Whoever can read that file can be any user, so no
//! server that others reach starts with it.

use std::time::Duration;

use apikey::clock::Timestamp;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    error::{KeyRejected, Unspecified},
    rand::SecureRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::token::{
    Expected,
    claims::ANY_CALLER,
    keys::{KeySet, VerificationKey},
};

/// The `iss` of its tokens.
pub const ISSUER: &str = "keyward-development";
/// The `kid` of its one key.
const KEY_ID: &str = "development";
/// How long its tokens live: as long as any may.
const LIFETIME: Duration = super::token::claims::LIFETIME_MAX;

/// See the module.
pub struct DevelopmentIssuer(Ed25519KeyPair);

impl std::fmt::Debug for DevelopmentIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DevelopmentIssuer")
    }
}

/// Who a token is to speak of.
#[derive(Debug, Clone)]
pub struct Person {
    /// Its `sub`.
    pub subject: String,
    /// Its `role`.
    pub role: String,
    /// Its `business`, if it has one.
    pub business: Option<String>,
}

impl DevelopmentIssuer {
    /// A new key pair, as the text of a file.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate(random: &dyn SecureRandom) -> Result<Zeroizing<String>, Unspecified> {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(&mut *seed)?;
        Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*seed)))
    }

    /// Reads what [`Self::generate`] made.
    ///
    /// # Errors
    /// When it is something else.
    pub fn parse(text: &str) -> Result<Self, KeyRejected> {
        let seed = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.trim()).unwrap_or_default());
        Ed25519KeyPair::from_seed_unchecked(&seed).map(Self)
    }

    /// What its tokens are verified with.
    ///
    /// # Panics
    /// Never: an Ed25519 public key has 32 bytes.
    #[must_use]
    pub fn keys(&self) -> KeySet {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        KeySet::of(KEY_ID.to_owned(), VerificationKey::Ed25519(public))
    }

    /// What its tokens say, for this audience and type.
    #[must_use]
    pub fn expected(audience: &str, token_type: &str) -> Expected {
        Expected {
            issuer: ISSUER.to_owned(),
            audience: audience.to_owned(),
            token_type: token_type.to_owned(),
            any_caller: true,
        }
    }

    /// A token for a person, from now on, which any caller may present.
    #[must_use]
    pub fn token(&self, person: &Person, expected: &Expected, now: Timestamp) -> String {
        let Person { subject, role, business } = person;
        let issued = now.as_micros().div_euclid(1_000_000);
        let lifetime = i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX);
        let mut claims = json!({
            "iss": expected.issuer,
            "aud": expected.audience,
            "sub": subject,
            "azp": ANY_CALLER,
            "iat": issued,
            "exp": issued.saturating_add(lifetime),
            "role": role,
        });
        if let (Some(business), Some(claims)) = (business, claims.as_object_mut()) {
            claims.insert("business".to_owned(), json!(business));
        }
        self.sign(&json!({"alg": "EdDSA", "kid": KEY_ID, "typ": expected.token_type}), &claims)
    }

    /// Whatever it says, signed.
    #[must_use]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}
