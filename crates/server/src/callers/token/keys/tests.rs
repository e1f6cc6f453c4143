//! Which keys of a set are taken, and why others are not.

use serde_json::{Value, json};

use super::*;

const SAMPLES: &str = include_str!("../samples/keys.json");
/// The modulus of an RSA key of 1024 bits.
const WEAK: &str = "rTjyWo18N6TySO9ARYqIlyAhqSUok4izDnflRrXlQH8XoL8E1AgYAKI7cskorjYXiLxwci-RD4mD_Ue8YadrAo0THg6hEzHVZFl2sEJUTs_LMz42i43gOvWzAZDeRHREqmPDCjjThZHNxQxVjG76LBjXl_9ABsL9cvaxRguC_oM";

/// A sample's JWK, changed.
fn sample(kid: &str, change: impl Fn(&mut Value)) -> Value {
    let samples: Value = serde_json::from_str(SAMPLES).unwrap();
    let keys = samples["keys"].as_array().unwrap();
    let mut key = keys.iter().find(|key| key["kid"] == kid).unwrap().clone();
    change(&mut key);
    key
}

fn parse(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

/// All three kinds, with the algorithm of each.
#[test]
fn each_kind_of_key_is_for_its_algorithm() {
    let set = KeySet::parse(SAMPLES.as_bytes()).unwrap();
    assert_eq!(set.skipped, [""; 0]);
    let algorithm = |kid: &str| set.get(kid).map(|key| key.algorithm());
    assert_eq!(algorithm("ed"), Some(Algorithm::EdDsa));
    assert_eq!(algorithm("ec"), Some(Algorithm::Es256));
    assert_eq!(algorithm("rsa"), Some(Algorithm::Rs256));
    assert_eq!(algorithm("other"), None);
    assert_eq!(set.len(), 3);
}

/// What is optional may be absent, and what is not known is not looked at.
#[test]
fn a_key_may_say_less_and_more() {
    for kid in ["ed", "ec", "rsa"] {
        let bare = sample(kid, |key| {
            key.as_object_mut().unwrap().retain(|name, _| name != "alg" && name != "use");
        });
        assert_eq!(parse(&[bare]).unwrap().len(), 1, "{kid}");
        let more = sample(kid, |key| {
            key["key_ops"] = json!(["verify"]);
            key["x5c"] = json!(["..."]);
        });
        assert_eq!(parse(&[more]).unwrap().len(), 1, "{kid}");
    }
}

/// Each is left out with its reason, and the good one beside it stays.
#[test]
fn a_key_of_no_use_is_left_out_and_told() {
    let set =
        |kid: &str, name: &'static str, value: Value| sample(kid, |key| key[name] = value.clone());
    let table = [
        (json!("ed"), "not a JWK"),
        (json!({}), "not a JWK"),
        (set("ed", "kid", json!(7)), "not a JWK"),
        (set("ed", "kid", Value::Null), "it has no `kid`"),
        (set("ec", "use", json!("enc")), "not for signatures (`use`)"),
        (set("ec", "key_ops", json!(["encrypt"])), "not for verification (`key_ops`)"),
        (
            set("ec", "alg", json!("ECDH-ES")),
            "for an algorithm that user tokens are not signed with (`alg`)",
        ),
        (
            set("rsa", "alg", json!("RS512")),
            "for an algorithm that user tokens are not signed with (`alg`)",
        ),
        (set("ed", "d", json!("AAAA")), "a private key, which must not be published"),
        (set("ec", "crv", json!("P-384")), "neither Ed25519, P-256 nor RSA"),
        (set("ed", "crv", json!("X25519")), "neither Ed25519, P-256 nor RSA"),
        (set("ed", "kty", json!("oct")), "neither Ed25519, P-256 nor RSA"),
        (set("ed", "x", json!("AAAA")), "a coordinate is not 32 bytes"),
        (set("ec", "y", Value::Null), "a part of it is missing"),
        (set("ec", "x", json!("=")), "a part of it is not base64url"),
        (set("rsa", "n", json!(WEAK)), "an RSA key must have 2048 to 8192 bits"),
        (set("rsa", "n", json!("A".repeat(400))), "an RSA key must have 2048 to 8192 bits"),
        (set("rsa", "n", json!("_".repeat(1_368))), "an RSA key must have 2048 to 8192 bits"),
        (set("rsa", "e", Value::Null), "a part of it is missing"),
        (sample("rsa", |key| key["kid"] = json!("good")), "another has its `kid`"),
    ];
    for (key, why) in table {
        let good = sample("ed", |key| key["kid"] = json!("good"));
        let set = parse(&[good, key.clone()]).unwrap();
        assert_eq!(set.len(), 1, "{key}");
        assert_eq!(set.get("good").unwrap().algorithm(), Algorithm::EdDsa);
        assert_eq!(set.skipped, [format!("key 1: {why}")], "{key}");
    }
}

/// The limit of RSA keys, to the bit: zeros before the number do not make it longer.
#[test]
fn an_rsa_key_has_2048_bits_at_least() {
    let number = |first: u8, bytes: usize, zeros: usize| {
        let mut number = vec![0; zeros];
        number.push(first);
        number.resize(zeros + bytes, 1);
        json!(URL_SAFE_NO_PAD.encode(number))
    };
    let table = [
        (number(0x80, 256, 0), true),
        (number(0x7f, 256, 0), false),
        (number(0x80, 255, 1), false),
        (number(0x80, 256, 3), true),
        (number(0xff, 1024, 0), true),
        (number(0x01, 1025, 0), false),
    ];
    for (n, taken) in table {
        let key = sample("rsa", |key| key["n"] = n.clone());
        assert_eq!(!parse(&[key]).unwrap().is_empty(), taken);
    }
}

/// An issuer withdraws its last key so; what is of no use is told.
#[test]
fn a_set_may_have_nothing_of_use() {
    assert_eq!(parse(&[]), Ok(KeySet::default()));
    let set = parse(&[json!({"kty": "oct", "kid": "a", "k": "AAAA"})]).unwrap();
    assert!(set.is_empty());
    assert_eq!(set.skipped, ["key 0: neither Ed25519, P-256 nor RSA"]);
}

/// What is no set, or is beyond its limits.
#[test]
fn what_is_no_set_is_refused() {
    for text in ["", "null", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]"#, "<html>"] {
        assert_eq!(KeySet::parse(text.as_bytes()), Err(KeySetError::Malformed), "{text}");
    }

    let keys = |count: usize| -> Vec<Value> {
        (0..count).map(|at| sample("ed", |key| key["kid"] = json!(at.to_string()))).collect()
    };
    assert_eq!(parse(&keys(KEYS_MAX)).unwrap().len(), KEYS_MAX);
    assert_eq!(parse(&keys(KEYS_MAX + 1)), Err(KeySetError::TooMany));

    let padded = |bytes: usize| format!("{SAMPLES}{}", " ".repeat(bytes - SAMPLES.len()));
    assert_eq!(KeySet::parse(padded(SET_BYTES_MAX).as_bytes()).unwrap().len(), 3);
    assert_eq!(KeySet::parse(padded(SET_BYTES_MAX + 1).as_bytes()), Err(KeySetError::TooLarge));
}
