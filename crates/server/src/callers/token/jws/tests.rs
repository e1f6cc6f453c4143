//! Only one spelling of a token is read, only three algorithms exist, and nothing that was changed is
//! verified.

use proptest::prelude::*;
use ring::rand::SystemRandom;
use serde_json::json;

use super::*;
use crate::callers::{development_issuer::DevelopmentIssuer, token::keys::KeySet};

fn issuer() -> DevelopmentIssuer {
    #[expect(clippy::disallowed_methods, reason = "a test's own randomness")]
    let text = DevelopmentIssuer::generate(&SystemRandom::new()).unwrap();
    DevelopmentIssuer::parse(&text).unwrap()
}

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn with_header(header: &str) -> Result<Algorithm, TokenFault> {
    let token = format!("{}.{}.{}", part(header), part("{}"), part("x"));
    Jws::parse(token.as_bytes()).map(|jws| jws.algorithm)
}

fn verified(keys: &KeySet, token: &[u8]) -> bool {
    let Ok(jws) = Jws::parse(token) else { return false };
    keys.get(&jws.key_id).is_some_and(|key| jws.verified_by(&key).is_ok())
}

#[test]
fn three_algorithms_exist_and_each_other_has_its_reason() {
    for (name, algorithm) in
        [("EdDSA", Algorithm::EdDsa), ("ES256", Algorithm::Es256), ("RS256", Algorithm::Rs256)]
    {
        assert_eq!(with_header(&format!(r#"{{"alg":"{name}","kid":"a"}}"#)), Ok(algorithm));
    }
    for (name, fault) in [
        ("none", TokenFault::Unsigned),
        ("None", TokenFault::Unsigned),
        ("HS256", TokenFault::Symmetric),
        ("HS384", TokenFault::Symmetric),
        ("HS512", TokenFault::Symmetric),
        ("RS512", TokenFault::Algorithm),
        ("eddsa", TokenFault::Algorithm),
        ("", TokenFault::Algorithm),
    ] {
        assert_eq!(with_header(&format!(r#"{{"alg":"{name}","kid":"a"}}"#)), Err(fault), "{name}");
    }
}

#[test]
fn whatever_is_no_token_says_why() {
    let malformed = |token: &str| match Jws::parse(token.as_bytes()) {
        Err(TokenFault::Malformed(why)) => why,
        other => panic!("{token}: {other:?}"),
    };
    for token in ["", "a", "a.b", "a.b.c.d", "..."] {
        assert_eq!(malformed(token), "it has not three parts with dots between them");
    }
    for token in ["e30=.e30.eA", "e30.e30=.eA", "e3 0.e30.eA", "e31.e30.eA"] {
        assert!(malformed(token).contains("base64url") || malformed(token).contains("header"));
    }
    for (header, why) in [
        ("[]", "its header is not an object of texts"),
        (r#"{"alg":1}"#, "its header is not an object of texts"),
        (r#"{"alg":"EdDSA","alg":"none"}"#, "its header is not an object of texts"),
        ("{}", "its header has no `alg`"),
        (r#"{"alg":"EdDSA"}"#, "its header has no `kid`"),
        (
            r#"{"alg":"EdDSA","kid":"a","crit":["exp"]}"#,
            "its `crit` asks for what is not known here",
        ),
    ] {
        assert_eq!(malformed(&format!("{}.e30.eA", part(header))), why, "{header}");
    }
    assert_eq!(Jws::parse(&[b'a'; BYTES_MAX + 1]).unwrap_err(), TokenFault::TooLarge);
}

#[test]
fn a_key_verifies_what_it_signed_and_with_its_own_algorithm() {
    let (ours, other) = (issuer(), issuer());
    let header = json!({"alg": "EdDSA", "kid": "development"});
    let token = ours.sign(&header, &json!({"sub": "ada"}));
    let jws = Jws::parse(token.as_bytes()).unwrap();
    let key = |issuer: &DevelopmentIssuer| issuer.keys().get("development").unwrap();
    assert_eq!(jws.verified_by(&key(&ours)).unwrap(), br#"{"sub":"ada"}"#);
    assert_eq!(jws.verified_by(&key(&other)), Err(TokenFault::Signature));
    let rsa = VerificationKey::Rsa { n: vec![1; 256], e: vec![1, 0, 1] };
    assert_eq!(jws.verified_by(&rsa), Err(TokenFault::Algorithm));
    // The token's word for another algorithm does not make it one.
    let token = ours.sign(&json!({"alg": "RS256", "kid": "development"}), &json!({}));
    let jws = Jws::parse(token.as_bytes()).unwrap();
    assert_eq!(jws.verified_by(&key(&ours)), Err(TokenFault::Algorithm));
}

proptest! {
    #[test]
    fn bytes_from_anywhere_prove_nothing(token: Vec<u8>) {
        prop_assert!(!verified(&issuer().keys(), &token));
    }

    /// Any one byte changed, left out or put in.
    #[test]
    fn a_damaged_token_proves_nothing(at: prop::sample::Index, byte: u8, how in 0..3) {
        let issuer = issuer();
        let token = issuer.sign(&json!({"alg": "EdDSA", "kid": "development"}), &json!({"sub": "ada"}));
        let mut damaged = token.clone().into_bytes();
        let at = at.index(damaged.len());
        match how {
            0 => damaged[at] = byte,
            1 => drop(damaged.remove(at)),
            _ => damaged.insert(at, byte),
        }
        prop_assume!(damaged != token.as_bytes());
        prop_assert!(verified(&issuer.keys(), token.as_bytes()));
        prop_assert!(!verified(&issuer.keys(), &damaged));
    }
}
