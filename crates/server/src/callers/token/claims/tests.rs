//! Each claim, absent, of a wrong type and of a wrong value; and the minutes in which a token is good.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// When the token of these tests is issued, in seconds.
const ISSUED: i64 = 1_772_366_400;

fn expected() -> Expected {
    Expected {
        issuer: "https://id.example".to_owned(),
        audience: "keyward".to_owned(),
        token_type: "keyward-user+jwt".to_owned(),
        any_caller: false,
    }
}

fn caller() -> KeyId {
    KeyId::from_bytes([7; 16])
}

/// The claims of a good token.
fn good() -> Value {
    json!({
        "iss": "https://id.example",
        "aud": "keyward",
        "sub": "ada",
        "azp": caller().to_string(),
        "iat": ISSUED,
        "exp": ISSUED + 300,
        "role": "business_admin",
        "business": "acme",
    })
}

fn with(claim: &str, value: Value) -> Value {
    let mut claims = good();
    claims[claim] = value;
    claims
}

fn without(claim: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(claim);
    claims
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// Presented in the second after it was issued.
fn told(claims: &Value) -> Result<User, TokenFault> {
    user(claims.to_string().as_bytes(), &expected(), &caller(), at(ISSUED + 1))
}

fn role(claims: &Value) -> UserRole {
    told(claims).unwrap().role
}

/// Whom a good token proves.
#[test]
fn a_good_token_proves_its_user() {
    let user = told(&good()).unwrap();
    let role = UserRole::BusinessAdmin(BusinessId::parse("acme").unwrap());
    let (issuer, subject) = ("https://id.example".to_owned(), "ada".to_owned());
    assert_eq!(user, User { issuer, subject, role });
}

/// What is not a known role has no power, and is no error: platforms have other roles too.
#[test]
fn a_role_is_admin_advisor_or_nothing() {
    assert_eq!(role(&with("role", json!("advisor"))), UserRole::Advisor);
    for other in ["", "owner", "Business_Admin", "business_admin ", "ADVISOR", "keyward.operate"] {
        assert_eq!(role(&with("role", json!(other))), UserRole::Other, "{other}");
    }
    assert_eq!(role(&without("role")), UserRole::Other);
    // Only an admin needs a business.
    let mut advisor = without("business");
    advisor["role"] = json!("advisor");
    assert_eq!(role(&advisor), UserRole::Advisor);
}

/// Each that must be there, absent and null.
#[test]
fn a_missing_claim_is_named() {
    for claim in ["iss", "sub", "aud", "azp", "iat", "exp", "business"] {
        assert_eq!(told(&without(claim)), Err(TokenFault::ClaimMissing(claim)));
        assert_eq!(told(&with(claim, Value::Null)), Err(TokenFault::ClaimMissing(claim)));
    }
}

/// Each claim, with every type that it cannot have.
#[test]
fn a_claim_of_a_wrong_type_is_named() {
    let others = |fits: &[&str]| {
        let types = [
            ("bool", json!(true)),
            ("number", json!(1)),
            ("text", json!("x")),
            ("list", json!([1])),
            ("object", json!({"a": "b"})),
        ];
        types.into_iter().filter(|(name, _)| !fits.contains(name)).collect::<Vec<_>>()
    };
    let table: [(&str, &[&str]); 9] = [
        ("iss", &["text"]),
        ("sub", &["text"]),
        ("aud", &["text"]),
        ("azp", &["text"]),
        ("iat", &["number"]),
        ("nbf", &["number"]),
        ("exp", &["number"]),
        ("role", &["text"]),
        ("business", &["text"]),
    ];
    let mut cells = 0;
    for (claim, fits) in table {
        for (name, value) in others(fits) {
            let fault = told(&with(claim, value)).unwrap_err();
            let named = matches!(fault, TokenFault::ClaimInvalid(named, _) if named == claim);
            assert!(named, "{claim} as {name}: {fault}");
            cells += 1;
        }
    }
    assert_eq!(cells, 36);
}

/// Values that a claim cannot have, though their type is right.
#[test]
fn a_claim_of_a_wrong_value_is_named() {
    let table = [
        ("sub", json!("")),
        ("sub", json!("a".repeat(256))),
        ("sub", json!("ada\u{0}")),
        ("sub", json!("ada\n")),
        ("aud", json!([])),
        ("aud", json!(["keyward", 1])),
        ("iat", json!(-1)),
        ("iat", json!("1772366400")),
        ("exp", json!(-1.5)),
        ("exp", json!(1e300)),
        ("exp", json!(ISSUED)),
        ("exp", json!(ISSUED - 1)),
        ("business", json!("@keyward")),
        ("business", json!("")),
        ("business", json!("a/b")),
        ("business", json!("a".repeat(65))),
    ];
    for (claim, value) in table {
        let fault = told(&with(claim, value.clone())).unwrap_err();
        let named = matches!(fault, TokenFault::ClaimInvalid(named, _) if named == claim);
        assert!(named, "{claim} as {value}: {fault}");
    }
    // The longest subject, in characters and not in bytes.
    assert_eq!(told(&with("sub", json!("é".repeat(255)))).unwrap().subject, "é".repeat(255));
    // A business that no user reaches is refused whatever the role.
    let mut advisor = with("business", json!("@keyward"));
    advisor["role"] = json!("advisor");
    assert!(matches!(told(&advisor), Err(TokenFault::ClaimInvalid("business", _))));
}

/// Somebody else's token, a token for something else, and one that another caller was given.
#[test]
fn a_token_of_another_place_is_refused() {
    for issuer in ["", "https://id.example/", "HTTPS://id.example", "https://evil.example"] {
        assert_eq!(told(&with("iss", json!(issuer))), Err(TokenFault::Issuer), "{issuer}");
    }
    for audience in [json!("Keyward"), json!(""), json!(["shop", "billing"])] {
        assert_eq!(told(&with("aud", audience.clone())), Err(TokenFault::Audience), "{audience}");
    }
    assert!(told(&with("aud", json!(["shop", "keyward"]))).is_ok());
    let other = KeyId::from_bytes([8; 16]).to_string();
    for presenter in ["", "*", &other, &caller().to_string().to_uppercase()] {
        assert_eq!(told(&with("azp", json!(presenter))), Err(TokenFault::Presenter), "{presenter}");
    }
}

/// `*` is for the development issuer, whose tokens may still name one caller.
#[test]
fn any_caller_is_the_development_issuers_alone() {
    let development = Expected { any_caller: true, ..expected() };
    let told = |presenter: &str| {
        let claims = with("azp", json!(presenter)).to_string();
        user(claims.as_bytes(), &development, &caller(), at(ISSUED))
    };
    assert!(told("*").is_ok());
    assert!(told(&caller().to_string()).is_ok());
    let other = KeyId::from_bytes([8; 16]).to_string();
    assert_eq!(told(&other), Err(TokenFault::Presenter));
    assert_eq!(told("**"), Err(TokenFault::Presenter));
}

/// To the microsecond: half a minute before it was issued, until half a minute after it expired.
#[test]
fn a_token_is_good_in_its_time_and_half_a_minute_around() {
    let told = |claims: &Value, micros: i64| {
        let now = Timestamp::from_micros(micros);
        user(claims.to_string().as_bytes(), &expected(), &caller(), now).map(drop)
    };
    let micros = |seconds: i64| (ISSUED + seconds) * 1_000_000;
    let claims = good();
    assert_eq!(told(&claims, micros(-30) - 1), Err(TokenFault::NotYetValid));
    assert_eq!(told(&claims, micros(-30)), Ok(()));
    assert_eq!(told(&claims, micros(330) - 1), Ok(()));
    assert_eq!(told(&claims, micros(330)), Err(TokenFault::Expired));

    let later = with("nbf", json!(ISSUED + 100));
    assert_eq!(told(&later, micros(70) - 1), Err(TokenFault::NotYetValid));
    assert_eq!(told(&later, micros(70)), Ok(()));
    // An earlier `nbf` makes nothing good before `iat`.
    let earlier = with("nbf", json!(ISSUED - 100));
    assert_eq!(told(&earlier, micros(-31)), Err(TokenFault::NotYetValid));

    // Parts of a second count too.
    let broken = with("exp", json!(299.5));
    assert!(matches!(told(&broken, micros(0)), Err(TokenFault::ClaimInvalid("exp", _))));
    let mut broken = with("iat", json!(1_772_366_400.5));
    broken["exp"] = json!(1_772_366_500.25);
    assert_eq!(told(&broken, micros(130) + 249_999), Ok(()));
    assert_eq!(told(&broken, micros(130) + 250_000), Err(TokenFault::Expired));
}

/// Five minutes, and not a microsecond more; however far the numbers go.
#[test]
fn a_token_lives_five_minutes_at_most() {
    assert!(told(&with("exp", json!(ISSUED + 300))).is_ok());
    assert_eq!(told(&with("exp", json!(ISSUED + 301))), Err(TokenFault::LivesTooLong));
    assert_eq!(told(&with("exp", json!(1_772_366_700.001))), Err(TokenFault::LivesTooLong));
    assert_eq!(told(&with("exp", json!(u64::MAX))), Err(TokenFault::LivesTooLong));
    let mut endless = with("iat", json!(u64::MAX - 1));
    endless["exp"] = json!(u64::MAX);
    assert!(told(&endless).is_err());
}

/// A payload that is no object, or says one thing twice, so that two readers could differ.
#[test]
fn a_payload_is_one_object_that_says_each_thing_once() {
    let twice = good().to_string().replacen('{', r#"{"business":"other","#, 1);
    for payload in ["", "null", "[]", "7", "{", &twice, "\u{feff}{}"] {
        let fault = user(payload.as_bytes(), &expected(), &caller(), at(ISSUED)).unwrap_err();
        assert!(matches!(fault, TokenFault::Malformed(_)), "{payload}: {fault}");
    }
}

/// The fault that a caller sees repeats nothing that the token says.
#[test]
fn no_fault_repeats_the_token() {
    const SAID: &str = "hunter2";
    for claim in ["iss", "aud", "azp", "iat", "nbf", "exp", "business"] {
        let value = if claim == "business" { "hunter2/" } else { SAID };
        let fault = told(&with(claim, json!(value))).unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains(SAID), "{claim}: {fault}");
    }
}

proptest! {
    /// Whatever the numbers are: who is admitted holds a token of five minutes at most, in its time.
    #[test]
    fn nobody_is_admitted_outside_of_five_minutes(
        issued in 0_i64..4_000_000_000,
        lifetime in -1_000_i64..1_000,
        presented in -2_000_i64..2_000,
    ) {
        let mut claims = with("iat", json!(issued));
        claims["exp"] = json!(issued + lifetime);
        let now = at(issued + presented);
        let told = user(claims.to_string().as_bytes(), &expected(), &caller(), now);
        let lives = (1..=300).contains(&lifetime) && issued + lifetime >= 0;
        let in_time = (-30..lifetime + 30).contains(&presented);
        prop_assert_eq!(told.is_ok(), lives && in_time);
    }
}
