//! Proves that ids have one spelling, and that bytes, texts and times sort alike.

use proptest::prelude::*;
use ring::rand::SystemRandom;

use super::*;

#[expect(clippy::disallowed_methods, reason = "a test is its own assembly")]
fn generate(millis: i64) -> KeyId {
    let now = Timestamp::from_micros(millis * 1_000 + 999);
    KeyId::generate(now, &SystemRandom::new()).unwrap()
}

#[test]
fn a_new_id_is_a_uuid_of_version_7_with_its_millisecond() {
    let id = generate(1_769_848_200_250);
    let uuid = uuid::Uuid::from_bytes(*id.as_bytes());
    assert_eq!(uuid.get_version_num(), 7);
    assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
    assert_eq!(id.as_bytes()[..6], 1_769_848_200_250_u64.to_be_bytes()[2..]);
    assert_ne!(id, generate(1_769_848_200_250));
}

#[test]
fn a_time_before_1970_counts_as_1970() {
    assert_eq!(generate(-5).as_bytes()[..6], [0; 6]);
}

#[test]
fn the_form_is_fixed() {
    let table = [
        ([0; 16], "key_00000000000000000000000000"),
        ([0xff; 16], "key_7zzzzzzzzzzzzzzzzzzzzzzzzz"),
        (
            0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128.to_be_bytes(),
            "key_014d2pf2dbsqqg28t5cy4tqkff",
        ),
    ];
    for (bytes, text) in table {
        assert_eq!(KeyId::from_bytes(bytes).to_string(), text);
        assert_eq!(KeyId::parse(text), Ok(KeyId::from_bytes(bytes)));
    }
}

#[test]
fn only_the_one_spelling_is_read() {
    let table = [
        "",
        "key_",
        "00000000000000000000000000",
        "KEY_00000000000000000000000000",
        "key_0000000000000000000000000",
        "key_000000000000000000000000000",
        "key_80000000000000000000000000",
        "key_0000000000000000000000000A",
        "key_0000000000000000000000000i",
        "key_0000000000000000000000000l",
        "key_0000000000000000000000000o",
        "key_0000000000000000000000000u",
        "key_000000000000000000000000é",
        " key_00000000000000000000000000",
    ];
    for text in table {
        assert_eq!(KeyId::parse(text), Err(KeyIdError), "{text:?}");
    }
}

#[test]
fn business_ids_by_the_table() {
    let long = "a".repeat(65);
    let table = [
        ("acme", None),
        ("A.b_C-9", None),
        (&long[..64], None),
        ("@keyward", None),
        ("", Some(Flaw::Empty)),
        (&long, Some(Flaw::TooLong { count: 65 })),
        ("@acme", Some(Flaw::Character { character: '@', position: 1 })),
        ("@keyward2", Some(Flaw::Character { character: '@', position: 1 })),
        ("a/b", Some(Flaw::Character { character: '/', position: 2 })),
        ("é", Some(Flaw::Character { character: 'é', position: 1 })),
    ];
    for (text, flaw) in table {
        assert_eq!(BusinessId::parse(text).err(), flaw.map(BusinessIdError), "{text:?}");
    }
}

#[test]
fn one_business_is_reserved() {
    assert!(BusinessId::keyward().is_reserved());
    assert_eq!(BusinessId::parse("@keyward"), Ok(BusinessId::keyward()));
    assert!(!BusinessId::parse("keyward").unwrap().is_reserved());
}

#[test]
fn the_error_says_what_would_be_right() {
    let error = BusinessId::parse("a b").unwrap_err();
    assert_eq!(error.to_string(), "character 2 is ' '; a business id is 1 to 64 of `A-Za-z0-9._-`");
}

proptest! {
    #[test]
    fn parse_reads_what_display_writes(bytes: [u8; 16]) {
        let id = KeyId::from_bytes(bytes);
        prop_assert_eq!(KeyId::parse(&id.to_string()), Ok(id));
    }

    #[test]
    fn what_is_parsed_is_written_the_same(text in "key_[0-7][0-9a-z]{25}") {
        if let Ok(id) = KeyId::parse(&text) {
            prop_assert_eq!(id.to_string(), text);
        } else {
            prop_assert!(text[4..].contains(['i', 'l', 'o', 'u']));
        }
    }

    #[test]
    fn bytes_and_texts_sort_alike(a: [u8; 16], b: [u8; 16]) {
        let (a, b) = (KeyId::from_bytes(a), KeyId::from_bytes(b));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }

    #[test]
    fn later_ids_sort_later(first in 0_i64..1 << 47, gap in 1_i64..1 << 46) {
        prop_assert!(generate(first) < generate(first + gap));
    }

    #[test]
    fn a_business_id_is_kept_as_written(text in "[A-Za-z0-9._-]{1,64}") {
        let id = BusinessId::parse(&text).unwrap();
        prop_assert_eq!(id.as_str(), &text);
        prop_assert_eq!(id.to_string(), text);
    }
}

/// Whatever another system calls its keys, as long as it can be shown.
#[test]
fn an_external_id_is_any_short_plain_text() {
    for text in ["1", "kéy/7 #ü", &"x".repeat(128)] {
        assert_eq!(ExternalId::parse(text).unwrap().as_str(), text);
    }
    for text in ["", "a\nb", &"x".repeat(129)] {
        assert!(ExternalId::parse(text).is_err(), "{text:?}");
    }
}
