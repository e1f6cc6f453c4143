//! Whatever an issuer signs: nothing panics, and whom it proves is somebody whom Keyward can take.
#![no_main]

use std::sync::LazyLock;

use apikey::{clock::Timestamp, id::KeyId};
use keyward_server::callers::{
    token::{Expected, claims},
    user::{User, UserRole},
};
use libfuzzer_sys::fuzz_target;

/// When the sample was issued.
const NOW: Timestamp = Timestamp::from_micros(1_772_366_400_000_000);

static EXPECTED: LazyLock<Expected> = LazyLock::new(|| Expected {
    issuer: "https://id.example".to_owned(),
    audience: "keyward".to_owned(),
    token_type: "keyward-user+jwt".to_owned(),
    any_caller: true,
});

fuzz_target!(|payload: &[u8]| {
    let told = claims::user(payload, &EXPECTED, &KeyId::from_bytes([7; 16]), NOW);
    let Ok(User { issuer, subject, role }) = told else { return };
    assert_eq!(issuer, EXPECTED.issuer);
    assert!((1..=255).contains(&subject.chars().count()));
    assert!(!subject.contains('\0'), "PostgreSQL keeps no such text");
    if let UserRole::BusinessAdmin(business) = role {
        assert!(!business.is_reserved());
    }
});
