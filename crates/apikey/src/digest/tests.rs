//! Proves the digest against another implementation, what a pepper file may say, and that none of it
//! is printed.

use proptest::prelude::*;
use ring::rand::SystemRandom;

use super::*;

fn version(number: u16) -> PepperVersion {
    PepperVersion::new(number).unwrap()
}

fn line(version: u16, byte: u8) -> String {
    format!("{version} {}", format!("{byte:02x}").repeat(32))
}

#[expect(clippy::disallowed_methods, reason = "a test is its own assembly")]
fn generate_file(number: u16) -> Zeroizing<String> {
    PepperSet::generate_file(version(number), &SystemRandom::new()).unwrap()
}

/// Checked against another implementation: `hmac(b"\x0b" * 32, sha256(b"kw_secret"))`.
#[test]
fn the_digest_is_hmac_over_sha_256() {
    let expected = "80381efcdce23e84bdf988b6e69bf1e8bf30de772ec65060198fa05e0267f6ab";
    let digest = Pepper::new(version(1), &[0x0b; 32]).digest(&SecretHash::of(b"kw_secret"));
    let hex: String = digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected);
}

#[test]
fn an_imported_hash_gives_the_same_digest() {
    let pepper = Pepper::new(version(1), &[7; 32]);
    let sha_256 = ring::digest::digest(&ring::digest::SHA256, b"elsewhere");
    let imported = SecretHash::from_bytes(sha_256.as_ref().try_into().unwrap());
    assert_eq!(pepper.digest(&imported), pepper.digest(&SecretHash::of(b"elsewhere")));
}

#[test]
fn each_pepper_gives_its_own_digest_and_check_value() {
    let (one, other) = (Pepper::new(version(1), &[1; 32]), Pepper::new(version(1), &[2; 32]));
    let hash = SecretHash::of(b"kw_secret");
    assert_ne!(one.digest(&hash), other.digest(&hash));
    assert_ne!(one.check_value(), other.check_value());
    assert_eq!(one.check_value(), Pepper::new(version(9), &[1; 32]).check_value());
}

#[test]
fn the_check_label_is_no_hash() {
    assert_ne!(Pepper::CHECK_LABEL.len(), 32);
}

#[test]
fn the_newest_pepper_is_the_highest_version_wherever_it_stands() {
    let text = format!("# old\n{}\n\n  {}\r\n{}", line(2, 0xaa), line(300, 0xbb), line(1, 0xcc));
    let peppers = PepperSet::parse(&text).unwrap();
    assert_eq!(peppers.newest().version(), version(300));
    let versions: Vec<u16> = peppers.iter().map(|pepper| pepper.version().get()).collect();
    assert_eq!(versions, [300, 2, 1]);
    let second = peppers.iter().nth(1).unwrap();
    assert_eq!(second.check_value(), Pepper::new(version(2), &[0xaa; 32]).check_value());
}

#[test]
fn upper_and_lower_case_are_the_same_bytes() {
    let check = |text: &str| PepperSet::parse(text).unwrap().newest().check_value();
    assert_eq!(check(&line(1, 0xaf)), check(&line(1, 0xaf).to_uppercase()));
}

#[test]
fn wrong_files_by_the_table() {
    use PepperSetError::{Empty, Line, TooMany, Version};
    let good = line(1, 0xaa);
    let many: Vec<String> = (1..=17).map(|number| line(number, 1)).collect();
    let table = [
        (String::new(), Empty),
        ("# nothing\n\n".to_owned(), Empty),
        (many.join("\n"), TooMany),
        ("1".to_owned(), Line { line: 1 }),
        (format!("{good}\n2 abc"), Line { line: 2 }),
        (good.replacen('1', "0", 1), Line { line: 1 }),
        (good.replacen('1', "65536", 1), Line { line: 1 }),
        (good.replacen('1', "one", 1), Line { line: 1 }),
        (good.replacen('a', "g", 1), Line { line: 1 }),
        (good.replacen('a', "", 1), Line { line: 1 }),
        (good.replacen("aa", "é", 1), Line { line: 1 }),
        (format!("{good}0"), Line { line: 1 }),
        (format!("{good} # mine"), Line { line: 1 }),
        (format!("#\n{good}\n{}", line(1, 0xbb)), Version { line: 3, version: version(1) }),
    ];
    for (text, expected) in table {
        assert_eq!(PepperSet::parse(&text).err(), Some(expected), "{text:?}");
    }
}

#[test]
fn no_error_shows_what_the_file_holds() {
    let hex = line(1, 0x5e).replace("1 ", "");
    for text in [hex.clone(), format!("{hex} 1"), format!("x {hex}"), format!("1 {hex}\n1 {hex}")] {
        let error = PepperSet::parse(&text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("5e"), "{error}");
    }
}

#[test]
fn a_generated_file_is_read_back_and_differs_each_time() {
    let (one, other) = (generate_file(7), generate_file(7));
    assert_ne!(one.lines().last(), other.lines().last());
    assert!(one.starts_with("# Keyward pepper"));
    // It never grew, which would have left a copy behind.
    assert_eq!(one.capacity(), FILE_HEADER.len() + LINE_MAX);
    assert_eq!(PepperSet::parse(&one).unwrap().newest().version(), version(7));
}

#[test]
fn debug_shows_the_type_alone() {
    let peppers = PepperSet::parse(&line(1, 0xaa)).unwrap();
    let hash = SecretHash::of(b"kw_secret");
    assert_eq!(format!("{hash:?}"), "SecretHash");
    assert_eq!(format!("{:?}", peppers.newest().digest(&hash)), "Digest");
    assert_eq!(format!("{:?}", peppers.newest()), "Pepper");
    assert_eq!(format!("{peppers:#?}"), "PepperSet");
}

proptest! {
    #[test]
    fn a_pepper_line_carries_all_its_bytes(number in 1_u16.., bytes: [u8; 32]) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let peppers = PepperSet::parse(&format!("{number} {hex}")).unwrap();
        let expected = Pepper::new(version(number), &bytes);
        prop_assert_eq!(peppers.newest().version(), expected.version());
        prop_assert_eq!(peppers.newest().check_value(), expected.check_value());
    }

    #[test]
    fn any_text_can_be_read(text in any::<String>()) {
        prop_assert!(PepperSet::parse(&text).is_err());
    }
}
