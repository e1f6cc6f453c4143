//! Proves the limits of what people write, at and beyond each.

use proptest::prelude::*;

use super::*;

fn flaw(character: char, position: usize) -> Option<Flaw> {
    Some(Flaw::Character { character, position })
}

#[test]
fn display_names_by_the_table() {
    let (longest, too_long) = ("é".repeat(63), "é".repeat(64));
    let table = [
        ("Shop floor, Zürich 🔑", None),
        (longest.as_str(), None),
        ("", Some(Flaw::Empty)),
        (too_long.as_str(), Some(Flaw::TooLong { count: 64 })),
        ("a\0", flaw('\0', 2)),
        ("a\nb", flaw('\n', 2)),
        ("\u{1b}[2J", flaw('\u{1b}', 1)),
        ("evil\u{202e}live", flaw('\u{202e}', 5)),
    ];
    for (text, flaw) in table {
        assert_eq!(DisplayName::parse(text).err(), flaw.map(DisplayNameError), "{text:?}");
    }
}

#[test]
fn descriptions_and_reasons_by_the_table() {
    let (longest, too_long) = ("é".repeat(1_024), "é".repeat(1_025));
    let table = [
        ("", None),
        ("two\n\tlines", None),
        (longest.as_str(), None),
        (too_long.as_str(), Some(Flaw::TooLong { count: 1_025 })),
        ("a\r\n", flaw('\r', 2)),
        ("\0", flaw('\0', 1)),
    ];
    for (text, flaw) in table {
        assert_eq!(Description::parse(text).err(), flaw.map(DescriptionError), "{text:?}");
        let reason = ReasonText::parse(RevokeReason::Leaked, text);
        assert_eq!(reason.err(), flaw.map(ReasonTextError), "{text:?}");
    }
}

#[test]
fn only_other_needs_words() {
    use RevokeReason::{Leaked, Other, OwnerLeft, Replaced, Unused};
    for reason in [Leaked, Unused, Replaced, OwnerLeft] {
        assert_eq!(ReasonText::parse(reason, ""), Ok(ReasonText::default()));
    }
    assert_eq!(ReasonText::parse(Other, ""), Err(ReasonTextError(Flaw::Empty)));
    assert_eq!(ReasonText::parse(Other, "moved").unwrap().as_str(), "moved");
}

fn annotations(entries: &[(&str, &str)]) -> Result<Annotations, AnnotationsError> {
    Annotations::from_entries(
        entries.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())),
    )
}

#[test]
fn annotations_by_the_table() {
    let key = |text: &str, flaw| AnnotationsError::Key { key: text.to_owned(), flaw };
    let (long_key, too_long_key) = ("k".repeat(63), "k".repeat(64));
    let (kilobyte, half) = ("v".repeat(1_022), "é".repeat(512));
    let table = [
        (vec![], None),
        (vec![("team/owner-1_x.y", "Zürich"), ("empty", "")], None),
        (vec![(long_key.as_str(), "")], None),
        (vec![("k1", kilobyte.as_str())], None),
        (vec![("k1", &kilobyte), ("k", "")], Some(AnnotationsError::Bytes { bytes: 1_025 })),
        (vec![("k", &half)], Some(AnnotationsError::Bytes { bytes: 1_025 })),
        (vec![("", "v")], Some(key("", Flaw::Empty))),
        (vec![(&too_long_key, "")], Some(key(&too_long_key, Flaw::TooLong { count: 64 }))),
        (vec![("a b", "")], Some(key("a b", flaw(' ', 2).unwrap()))),
        (vec![("é", "")], Some(key("é", flaw('é', 1).unwrap()))),
        (
            vec![("k", "a\nb")],
            Some(AnnotationsError::Value { key: "k".to_owned(), flaw: flaw('\n', 2).unwrap() }),
        ),
    ];
    for (entries, error) in table {
        assert_eq!(annotations(&entries).err(), error, "{entries:?}");
    }
}

#[test]
fn sixteen_annotations_are_enough() {
    let keys: Vec<String> = (0..17).map(|number| number.to_string()).collect();
    let entries: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    assert!(annotations(&entries[..16]).is_ok());
    assert_eq!(annotations(&entries), Err(AnnotationsError::Entries { count: 17 }));
}

#[test]
fn the_errors_say_what_would_be_right() {
    let table = [
        (
            DisplayName::parse("").unwrap_err().to_string(),
            "it is empty; a display name is 1 to 63 characters, none of them a control character",
        ),
        (
            annotations(&[("a b", "")]).unwrap_err().to_string(),
            r#"the key "a b": character 2 is ' '; a key is 1 to 63 of `A-Za-z0-9._-/`"#,
        ),
    ];
    for (message, expected) in table {
        assert_eq!(message, expected);
    }
}

proptest! {
    #[test]
    fn texts_are_kept_as_written(text in "\\PC{1,63}") {
        if let Ok(name) = DisplayName::parse(&text) {
            prop_assert_eq!(name.as_str(), &text);
            let description = Description::parse(&text).unwrap();
            prop_assert_eq!(description.as_str(), &text);
        }
    }

    #[test]
    fn annotations_show_what_they_were_made_of(
        entries in prop::collection::btree_map("[a-z/]{1,8}", "[a-zé ]{0,8}", 0..=16)
    ) {
        let annotations = Annotations::from_entries(entries.clone()).unwrap();
        let shown = annotations.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        prop_assert!(shown.eq(entries.clone()));
        for (key, value) in &entries {
            prop_assert_eq!(annotations.get(key), Some(value.as_str()));
        }
        prop_assert_eq!(annotations.is_empty(), entries.is_empty());
    }

    #[test]
    fn no_name_holds_a_control_character(text in any::<String>()) {
        if DisplayName::parse(&text).is_ok() {
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
