//! What claims prove, when, and to whom; and each thing that can be wrong with them.

use serde_json::json;

use super::*;

const NOW: i64 = 1_772_366_400;

fn expected() -> Expected {
    Expected {
        issuer: "https://login.example".to_owned(),
        audience: "keyward".to_owned(),
        token_type: "keyward-user+jwt".to_owned(),
        any_caller: false,
    }
}

fn caller() -> KeyId {
    KeyId::from_bytes([1; 16])
}

fn good() -> Value {
    json!({
        "iss": "https://login.example", "sub": "ada", "aud": "keyward", "azp": caller().to_string(),
        "iat": NOW, "exp": NOW + 300, "role": "business_admin", "business": "acme",
    })
}

fn read(claims: &Value, expected: &Expected, seconds: i64) -> Result<User, TokenFault> {
    let now = Timestamp::from_micros(seconds * 1_000_000);
    user(claims.to_string().as_bytes(), expected, &caller(), now)
}

/// The good claims but for one.
fn with(claim: &str, value: Value) -> Result<User, TokenFault> {
    let mut claims = good();
    claims[claim] = value;
    read(&claims, &expected(), NOW)
}

#[test]
fn a_person_is_who_the_claims_say() {
    let user = read(&good(), &expected(), NOW).unwrap();
    let business = BusinessId::parse("acme").unwrap();
    let role = UserRole::BusinessAdmin(business);
    let issuer = "https://login.example".to_owned();
    assert_eq!(user, User { issuer, subject: "ada".to_owned(), role });
    assert_eq!(with("role", json!("advisor")).unwrap().role, UserRole::Advisor);
    for nothing in [json!("Business_Admin"), json!(""), json!("owner"), Value::Null] {
        assert_eq!(with("role", nothing).unwrap().role, UserRole::Other);
    }
    assert!(with("aud", json!(["other", "keyward"])).is_ok());
}

#[test]
fn each_claim_that_counts_must_be_there() {
    for claim in ["iss", "sub", "aud", "azp", "iat", "exp", "business"] {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(claim);
        let missing = Err(TokenFault::ClaimMissing(claim));
        assert_eq!(read(&claims, &expected(), NOW), missing);
        assert_eq!(with(claim, Value::Null), missing);
    }
}

#[test]
fn each_claim_must_be_what_it_can_be() {
    let invalid = |claim: &str, value: Value| match with(claim, value.clone()) {
        Err(TokenFault::ClaimInvalid(named, _)) => assert_eq!(named, claim),
        other => panic!("{claim} {value}: {other:?}"),
    };
    for claim in ["iss", "sub", "azp", "role", "business"] {
        invalid(claim, json!(7));
        invalid(claim, json!(["a"]));
    }
    for value in [json!(""), json!("a\nb"), json!("a".repeat(256))] {
        invalid("sub", value);
    }
    for value in [json!([]), json!([1]), json!({}), json!(true)] {
        invalid("aud", value);
    }
    for claim in ["iat", "exp", "nbf"] {
        invalid(claim, json!("1772366400"));
        invalid(claim, json!(-1));
    }
    for value in ["", "@keyward", "a b", "../acme"] {
        invalid("business", json!(value));
    }
    let twice = r#"{"sub":"ada","sub":"bob"}"#;
    let now = Timestamp::from_micros(0);
    let read = user(twice.as_bytes(), &expected(), &caller(), now);
    assert!(matches!(read, Err(TokenFault::Malformed(_))));
}

#[test]
fn it_is_for_this_service_by_this_issuer_and_through_this_caller() {
    assert_eq!(with("iss", json!("https://login.example/")), Err(TokenFault::Issuer));
    assert_eq!(with("aud", json!("Keyward")), Err(TokenFault::Audience));
    let other = KeyId::from_bytes([2; 16]).to_string();
    assert_eq!(with("azp", json!(other)), Err(TokenFault::Presenter));
    // Any caller may present those of the development issuer alone.
    assert_eq!(with("azp", json!("*")), Err(TokenFault::Presenter));
    let mut claims = good();
    claims["azp"] = json!("*");
    assert!(read(&claims, &Expected { any_caller: true, ..expected() }, NOW).is_ok());
}

#[test]
fn it_is_good_for_its_five_minutes_and_thirty_seconds_around_them() {
    let at = |seconds| read(&good(), &expected(), seconds).map(drop);
    assert_eq!(at(NOW - 31), Err(TokenFault::NotYetValid));
    assert_eq!(at(NOW - 30), Ok(()));
    assert_eq!(at(NOW + 329), Ok(()));
    assert_eq!(at(NOW + 330), Err(TokenFault::Expired));
    assert_eq!(with("exp", json!(NOW + 301)), Err(TokenFault::LivesTooLong));
    assert_eq!(with("nbf", json!(NOW + 31)), Err(TokenFault::NotYetValid));
    assert!(with("nbf", json!(NOW + 30)).is_ok());
    let fault = with("exp", json!(NOW)).unwrap_err();
    assert!(matches!(fault, TokenFault::ClaimInvalid("exp", _)));
}
