//! What of a JWK set is kept, and what is left out and why.

use super::*;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn set(keys: &str) -> Result<KeySet, KeySetError> {
    KeySet::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes())
}

/// A good key beside one more, and why that one was left out.
fn skipped(key: &str) -> String {
    let good = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"good","x":"{X}"}}"#);
    let set = set(&format!("{good},{key}")).unwrap();
    assert_eq!(set.len(), 1, "{key}");
    set.skipped.concat()
}

fn number(bytes: usize, first: u8) -> String {
    let mut number = vec![0xff; bytes];
    number[0] = first;
    URL_SAFE_NO_PAD.encode(number)
}

#[test]
fn each_kind_is_kept_for_its_one_algorithm() {
    let n = number(256, 0x80);
    let keys = set(&format!(
        r#"{{"kty":"OKP","crv":"Ed25519","kid":"a","x":"{X}","alg":"EdDSA","use":"sig"}},
           {{"kty":"EC","crv":"P-256","kid":"b","x":"{X}","y":"{X}","key_ops":["verify"]}},
           {{"kty":"RSA","kid":"c","n":"{n}","e":"AQAB"}}"#
    ))
    .unwrap();
    assert_eq!(keys.len(), 3);
    assert!(keys.skipped.is_empty() && !keys.is_empty());
    let algorithm = |kid| keys.get(kid).unwrap().algorithm();
    assert_eq!(
        ["a", "b", "c"].map(algorithm),
        [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256]
    );
    assert!(keys.get("d").is_none());
}

#[test]
fn whatever_cannot_verify_a_user_token_is_left_out() {
    let okp = |rest: &str| format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"{rest}}}"#);
    let rsa = |n: &str| format!(r#"{{"kty":"RSA","kid":"a","n":"{n}","e":"AQAB"}}"#);
    for (key, why) in [
        (okp(""), "key 1: it has no `kid`"),
        (okp(r#","kid":"good""#), "key 1: another has its `kid`"),
        (okp(r#","kid":"a","use":"enc""#), "key 1: not for signatures (`use`)"),
        (okp(r#","kid":"a","key_ops":["sign"]"#), "key 1: not for verification (`key_ops`)"),
        (okp(r#","kid":"a","d":"AAAA""#), "key 1: a private key, which must not be published"),
        (
            okp(r#","kid":"a","alg":"ES256""#),
            "key 1: for an algorithm that user tokens are not signed with (`alg`)",
        ),
        (rsa(&number(255, 0xff)), "key 1: an RSA key must have 2048 to 8192 bits"),
        (rsa(&number(256, 0x7f)), "key 1: an RSA key must have 2048 to 8192 bits"),
        (rsa(&number(1_025, 0xff)), "key 1: an RSA key must have 2048 to 8192 bits"),
        (rsa("="), "key 1: a part of it is not base64url"),
        (r#"{"kty":"RSA","kid":"a","e":"AQAB"}"#.to_owned(), "key 1: a part of it is missing"),
        (
            r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AAAA"}"#.to_owned(),
            "key 1: a coordinate is not 32 bytes",
        ),
        (
            r#"{"kty":"EC","crv":"P-384","kid":"a"}"#.to_owned(),
            "key 1: neither Ed25519, P-256 nor RSA",
        ),
        (
            r#"{"kty":"oct","kid":"a","k":"AAAA"}"#.to_owned(),
            "key 1: neither Ed25519, P-256 nor RSA",
        ),
        ("7".to_owned(), "key 1: not a JWK"),
    ] {
        assert_eq!(skipped(&key), why, "{key}");
    }
}

#[test]
fn whatever_is_no_set_is_refused() {
    for (json, error) in [
        ("", KeySetError::Malformed),
        ("[]", KeySetError::Malformed),
        ("{}", KeySetError::Malformed),
        (r#"{"keys":[]}"#, KeySetError::NoneUsable),
        (r#"{"keys":[{"kty":"oct","kid":"a"}]}"#, KeySetError::NoneUsable),
    ] {
        assert_eq!(KeySet::parse(json.as_bytes()), Err(error), "{json}");
    }
    assert_eq!(KeySet::parse(&[b' '; SET_BYTES_MAX + 1]), Err(KeySetError::TooLarge));
    assert_eq!(set(&vec!["{}"; KEYS_MAX + 1].join(",")), Err(KeySetError::TooMany));
}
