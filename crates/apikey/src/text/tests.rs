//! Proves that a flaw is named, placed, and escaped.

use super::*;

#[test]
fn every_flaw_is_named_and_placed() {
    let table = [
        ("", Err(Flaw::Empty)),
        ("äöü", Ok(())),
        ("äöüß", Err(Flaw::TooLong { count: 4 })),
        ("ä\0", Err(Flaw::Character { character: '\0', position: 2 })),
    ];
    for (text, expected) in table {
        assert_eq!(check(text, 1..=3, is_plain), expected, "{text:?}");
    }
}

#[test]
fn the_message_escapes_what_it_names() {
    let flaw = Flaw::Character { character: '\u{1b}', position: 7 };
    assert_eq!(flaw.to_string(), r"character 7 is '\u{1b}'");
}

#[test]
fn what_hides_or_turns_text_is_not_plain() {
    for character in ['\0', '\n', '\t', '\u{7f}', '\u{85}', '\u{2028}', '\u{202e}', '\u{2066}'] {
        assert!(!is_plain(character), "{character:?}");
    }
    for character in ['a', ' ', 'é', '中', '🔑', '\u{200f}'] {
        assert!(is_plain(character), "{character:?}");
    }
}
