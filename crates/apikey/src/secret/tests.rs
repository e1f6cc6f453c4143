//! Proves that what is issued has the form, is unbiased and hidden, and that a changed character
//! is noticed.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::string::string_regex;
use ring::rand::SystemRandom;

use super::*;

#[expect(clippy::disallowed_methods, reason = "a test is its own assembly")]
fn generate(prefix: &str) -> IssuedSecret {
    IssuedSecret::generate(&Prefix::parse(prefix).unwrap(), &SystemRandom::new()).unwrap()
}

#[test]
fn prefixes_by_the_table() {
    let underscore = |position| Some(Flaw::Character { character: '_', position });
    let table = [
        ("k", None),
        ("kw", None),
        ("rebased_live", None),
        ("a__0", None),
        ("0123456789abcdef", None),
        ("", Some(Flaw::Empty)),
        ("0123456789abcdefg", Some(Flaw::TooLong { count: 17 })),
        ("Kw", Some(Flaw::Character { character: 'K', position: 1 })),
        ("k-w", Some(Flaw::Character { character: '-', position: 2 })),
        ("_kw", underscore(1)),
        ("kw_", underscore(3)),
        ("_", underscore(1)),
    ];
    for (text, flaw) in table {
        assert_eq!(Prefix::parse(text).err(), flaw.map(PrefixError), "{text:?}");
    }
}

#[test]
fn the_default_prefix_is_one() {
    assert_eq!(Prefix::parse("kw"), Ok(Prefix::default()));
}

#[test]
fn form_by_the_table() {
    // The checksums were computed with another implementation of CRC-32 and base62.
    let body = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
    let table = [
        (format!("kw_{body}2jnASr"), Ok("kw")),
        (format!("rebased_live_{body}0YrfwC"), Ok("rebased_live")),
        (format!("kw_{body}000000"), Err(FormError::Checksum)),
        (format!("kw_{body}00000"), Err(FormError::Body)),
        (format!("kw_{body}0000000"), Err(FormError::Body)),
        (format!("kw_{body}00000é"), Err(FormError::Body)),
        (format!("kw_{body}00000-"), Err(FormError::Body)),
        (format!("{body}000000"), Err(FormError::Prefix)),
        (format!("_{body}000000"), Err(FormError::Prefix)),
        (format!("kw__{body}000000"), Err(FormError::Prefix)),
        (format!("KW_{body}000000"), Err(FormError::Prefix)),
        (String::new(), Err(FormError::Prefix)),
        ("_".to_owned(), Err(FormError::Prefix)),
    ];
    for (text, expected) in table {
        assert_eq!(check_form(&text), expected, "{text:?}");
    }
}

#[test]
fn a_changed_character_is_always_noticed() {
    let secret = generate("rebased_live");
    let secret = secret.expose();
    let mut changed = 0;
    for place in 0..secret.len() {
        for replacement in (b' '..=b'~').map(char::from) {
            let mut copy = secret.to_owned();
            copy.replace_range(place..=place, replacement.encode_utf8(&mut [0]));
            if copy != secret {
                assert!(check_form(&copy).is_err(), "{copy}");
                changed += 1;
            }
        }
    }
    assert_eq!(changed, secret.len() * 94);
}

#[test]
fn two_neighbours_swapped_are_always_noticed() {
    let secret = generate("kw");
    for place in 0..secret.expose().len() - 1 {
        let mut bytes = secret.expose().as_bytes().to_vec();
        bytes.swap(place, place + 1);
        if bytes != secret.expose().as_bytes() {
            assert!(check_form(str::from_utf8(&bytes).unwrap()).is_err());
        }
    }
}

#[test]
fn each_character_comes_from_four_bytes() {
    let mut sources = BTreeMap::<char, usize>::new();
    for character in (0..=u8::MAX).filter_map(base62_unbiased) {
        *sources.entry(character).or_default() += 1;
    }
    assert_eq!(sources.len(), 62);
    assert!(sources.values().all(|&count| count == 4), "{sources:?}");
}

#[test]
fn bodies_use_all_characters_evenly() {
    let secrets = 2_000;
    let mut counts = BTreeMap::<u8, usize>::new();
    for _ in 0..secrets {
        let secret = generate("kw");
        for &byte in &secret.expose().as_bytes()[3..35] {
            *counts.entry(byte).or_default() += 1;
        }
    }
    // 1,032 each are expected, with a standard deviation of 32; eight of those never happen.
    let expected = secrets * BODY_LENGTH / 62;
    assert_eq!(counts.len(), 62);
    assert!(counts.values().all(|count| count.abs_diff(expected) < 256), "{counts:?}");
}

#[test]
fn no_copy_is_left_behind_by_growing() {
    let secret = generate("0123456789abcdef");
    assert_eq!(secret.0.len(), 16 + 1 + 32 + 6);
    assert_eq!(secret.0.capacity(), secret.0.len());
}

#[test]
fn debug_shows_the_type_alone() {
    assert_eq!(format!("{:?}", generate("kw")), "IssuedSecret");
    assert_eq!(format!("{:#?}", Some(generate("kw"))), "Some(\n    IssuedSecret,\n)");
}

#[test]
fn the_obfuscated_form_shows_prefix_and_last_four() {
    let secret = generate("rebased_live");
    let last_four = &secret.expose()[secret.expose().len() - 4..];
    assert_eq!(secret.obfuscated(), format!("rebased_live_…{last_four}"));
}

fn prefixes() -> impl Strategy<Value = String> {
    string_regex("[a-z0-9](?:[a-z0-9_]{0,14}[a-z0-9])?").unwrap()
}

proptest! {
    #[test]
    fn what_is_issued_has_the_form(prefix in prefixes()) {
        let secret = generate(&prefix);
        prop_assert_eq!(check_form(secret.expose()), Ok(prefix.as_str()));
    }

    #[test]
    fn no_two_are_alike(prefix in prefixes()) {
        let (one, other) = (generate(&prefix), generate(&prefix));
        prop_assert_ne!(one.expose(), other.expose());
    }

    /// What the published expression describes is the form, but for the checksum.
    #[test]
    fn the_regex_describes_the_form(
        found in string_regex(FORM_REGEX.trim_start_matches(r"\b").trim_end_matches(r"\b")).unwrap()
    ) {
        let signed = &found[..found.len() - CHECKSUM_LENGTH];
        let sealed = format!("{signed}{}", str::from_utf8(&checksum(signed)).unwrap());
        prop_assert!(check_form(&sealed).is_ok(), "{}", sealed);
    }

    #[test]
    fn a_prefix_is_kept_as_written(text in "[a-z0-9_]{1,16}") {
        match Prefix::parse(&text) {
            Ok(prefix) => prop_assert_eq!(prefix.to_string(), text),
            Err(_) => prop_assert!(text.starts_with('_') || text.ends_with('_')),
        }
    }

    #[test]
    fn any_string_can_be_checked(text in any::<String>()) {
        prop_assert!(check_form(&text).is_err());
    }
}
