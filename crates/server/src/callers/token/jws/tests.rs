//! What is a token, whose signature holds, and that nothing else ever does.

use proptest::prelude::*;

use super::*;
use crate::callers::token::keys::KeySet;

/// Made by OpenSSL, so that what we verify is not what we sign ourselves.
const KEYS: &[u8] = include_bytes!("../samples/keys.json");
const CLAIMS: &[u8] = include_bytes!("../samples/claims.json");
const TOKENS: [&str; 3] = [
    include_str!("../samples/eddsa.jwt"),
    include_str!("../samples/es256.jwt"),
    include_str!("../samples/rs256.jwt"),
];

/// What the token says, as far as the samples' issuer has signed it.
fn verified(token: &[u8]) -> Result<Vec<u8>, TokenFault> {
    let keys = KeySet::parse(KEYS).unwrap();
    let jws = Jws::parse(token)?;
    let key = keys.get(&jws.key_id).ok_or(TokenFault::KeyUnknown)?;
    jws.verified_by(&key).map(<[u8]>::to_vec)
}

/// A token with this header, and with a signature of no key.
fn with_header(header: &str) -> String {
    format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header))
}

/// Each of the three algorithms, by another program's hand.
#[test]
fn tokens_of_another_program_verify() {
    for token in TOKENS {
        assert_eq!(verified(token.as_bytes()).unwrap(), CLAIMS, "{token}");
    }
}

/// Nobody's signature stands for another's, though each is good of its own.
#[test]
fn each_key_verifies_its_own_token_alone() {
    let keys = KeySet::parse(KEYS).unwrap();
    let kinds = [("ed", "EdDSA"), ("ec", "ES256"), ("rsa", "RS256")];
    for (signer, _) in kinds {
        for (verifier, alg) in kinds {
            let token = TOKENS[kinds.iter().position(|(kid, _)| *kid == signer).unwrap()];
            let jws = Jws::parse(token.as_bytes()).unwrap();
            let told = jws.verified_by(&keys.get(verifier).unwrap());
            assert_eq!(told.is_ok(), signer == verifier, "{signer} by {verifier}");
            // The same signature under a header that claims the verifier's algorithm.
            let header = format!(r#"{{"alg":"{alg}","kid":"{verifier}"}}"#);
            let rest = token.split_once('.').unwrap().1;
            let renamed = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(verified(renamed.as_bytes()), Err(TokenFault::Signature));
        }
    }
}

/// The key says what it is for; a token that says otherwise is refused before any arithmetic.
#[test]
fn the_algorithm_is_the_keys() {
    for (alg, kid) in [("RS256", "ed"), ("EdDSA", "ec"), ("ES256", "rsa")] {
        let token = with_header(&format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#));
        assert_eq!(verified(token.as_bytes()), Err(TokenFault::Algorithm), "{alg} by {kid}");
    }
}

/// The one attack that everybody knows, and its cousins: the public key taken for a shared secret.
#[test]
fn unsigned_and_symmetric_tokens_are_refused_by_name() {
    let table = [
        ("none", TokenFault::Unsigned),
        ("None", TokenFault::Unsigned),
        ("NONE", TokenFault::Unsigned),
        ("HS256", TokenFault::Symmetric),
        ("HS384", TokenFault::Symmetric),
        ("HS512", TokenFault::Symmetric),
        ("RS384", TokenFault::Algorithm),
        ("PS256", TokenFault::Algorithm),
        ("ES384", TokenFault::Algorithm),
        ("eddsa", TokenFault::Algorithm),
        ("", TokenFault::Algorithm),
    ];
    for (alg, fault) in table {
        let token = with_header(&format!(r#"{{"alg":"{alg}","kid":"ed"}}"#));
        assert_eq!(verified(token.as_bytes()), Err(fault), "{alg}");
        let unsigned = token.strip_suffix("AAAA").unwrap();
        assert_eq!(verified(unsigned.as_bytes()), Err(fault), "{alg} without a signature");
    }
}

/// Every way of not being a token, or of being one that asks for what is not known here.
#[test]
fn what_is_no_token_is_malformed() {
    let [ed, ..] = TOKENS;
    let headers = [
        "",
        "{}",
        "[]",
        "null",
        r#"{"kid":"ed"}"#,
        r#"{"alg":"EdDSA"}"#,
        r#"{"alg":1,"kid":"ed"}"#,
        r#"{"alg":"EdDSA","kid":["ed"]}"#,
        r#"{"alg":"EdDSA","kid":"ed","kid":"ed"}"#,
        r#"{"alg":"EdDSA","alg":"none","kid":"ed"}"#,
        r#"{"alg":"EdDSA","kid":"ed","crit":["b64"],"b64":false}"#,
        r#"{"alg":"EdDSA","kid":"ed"}x"#,
    ];
    for header in headers {
        let fault = verified(with_header(header).as_bytes()).unwrap_err();
        assert!(matches!(fault, TokenFault::Malformed(_)), "{header}: {fault}");
    }
    let texts = [
        "".to_owned(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "Bearer x".to_owned(),
        ed.replacen('.', "", 1),
        format!("{ed}."),
        format!(".{ed}"),
        format!("{ed}="),
        format!("{ed} "),
        ed.replacen('.', "=.", 1),
        ed.replacen('-', "+", 1),
        "\u{e9}.e30.AAAA".to_owned(),
    ];
    for text in texts {
        let fault = verified(text.as_bytes()).unwrap_err();
        assert!(matches!(fault, TokenFault::Malformed(_)), "{text}: {fault}");
    }
}

/// The last byte that is looked at, and the first that is not.
#[test]
fn a_token_has_8_kib_at_most() {
    let [ed, ..] = TOKENS;
    let long = |bytes: usize| format!("{ed}{}", "A".repeat(bytes - ed.len()));
    assert_ne!(verified(long(BYTES_MAX).as_bytes()), Err(TokenFault::TooLarge));
    assert_eq!(verified(long(BYTES_MAX + 1).as_bytes()), Err(TokenFault::TooLarge));
}

proptest! {
    /// Random bytes are refused, and nothing panics.
    #[test]
    fn random_bytes_never_verify(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(verified(&bytes).is_err());
    }

    /// Nor do three random parts that decode.
    #[test]
    fn random_parts_never_verify(
        kid in "ed|ec|rsa",
        alg in "EdDSA|ES256|RS256",
        payload in proptest::collection::vec(any::<u8>(), 0..64),
        signature in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let [payload, signature] = [payload, signature].map(|part| URL_SAFE_NO_PAD.encode(part));
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#));
        let token = format!("{header}.{payload}.{signature}");
        prop_assert!(verified(token.as_bytes()).is_err());
    }

    /// A token has one spelling: no byte of it can be changed, taken out, doubled or cut off.
    #[test]
    fn a_damaged_token_never_verifies(
        which in 0..TOKENS.len(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        damage in 0..4,
    ) {
        let whole = TOKENS[which].as_bytes();
        let at = at.index(whole.len());
        let mut token = whole.to_vec();
        match damage {
            0 => token[at] = byte,
            1 => drop(token.remove(at)),
            2 => token.insert(at, byte),
            _ => token.truncate(at),
        }
        prop_assert_eq!(verified(&token).is_ok(), token == whole);
    }
}
