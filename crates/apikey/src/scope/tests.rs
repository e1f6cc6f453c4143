//! Proves the grammar of names and the laws of sets.

use proptest::prelude::*;

use super::*;

#[test]
fn names_by_the_table() {
    let long = "a".repeat(65);
    let table = [
        ("inventory.read", None),
        ("!", None),
        ("#[]^~'<>{}|%/:", None),
        (&long[..64], None),
        ("", Some(Flaw::Empty)),
        (&long, Some(Flaw::TooLong { count: 65 })),
        ("a b", Some(Flaw::Character { character: ' ', position: 2 })),
        ("a\"", Some(Flaw::Character { character: '"', position: 2 })),
        ("a\\", Some(Flaw::Character { character: '\\', position: 2 })),
        ("\x7f", Some(Flaw::Character { character: '\x7f', position: 1 })),
        ("é", Some(Flaw::Character { character: 'é', position: 1 })),
    ];
    for (text, flaw) in table {
        assert_eq!(ScopeName::parse(text).err(), flaw.map(ScopeNameError), "{text:?}");
    }
}

#[test]
fn all_of_keyward_is_built_in_and_nothing_else() {
    for name in built_in::ALL {
        assert!(ScopeName::parse(name).unwrap().is_built_in(), "{name}");
    }
    assert!(ScopeName::parse("keyward.to_come").unwrap().is_built_in());
    for name in ["keyward", "keywards.verify", "Keyward.verify", "my.keyward.verify"] {
        assert!(!ScopeName::parse(name).unwrap().is_built_in(), "{name}");
    }
}

fn numbered(count: usize) -> impl Iterator<Item = ScopeName> {
    (0..count).map(|number| ScopeName::parse(&format!("scope.{number}")).unwrap())
}

#[test]
fn a_hundred_different_scopes_are_enough() {
    assert_eq!(ScopeSet::from_names(numbered(100).chain(numbered(100))).unwrap().len(), 100);
    assert_eq!(ScopeSet::from_names(numbered(101)), Err(TooManyScopes));
}

#[test]
fn the_empty_set_is_the_default() {
    let none = ScopeSet::from_names([]).unwrap();
    assert!(none.is_empty());
    assert_eq!(none, ScopeSet::default());
}

fn sets() -> impl Strategy<Value = ScopeSet> {
    prop::collection::vec("[a-c]{1,2}", 0..8).prop_map(|names| {
        ScopeSet::from_names(names.iter().map(|name| ScopeName::parse(name).unwrap())).unwrap()
    })
}

proptest! {
    #[test]
    fn a_name_is_kept_as_written(text in r"[!#-\[\]-~]{1,64}") {
        prop_assert_eq!(ScopeName::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn a_set_is_sorted_unique_and_has_what_it_shows(set in sets()) {
        prop_assert!(set.iter().is_sorted_by(|a, b| a < b));
        prop_assert_eq!(set.iter().len(), set.len());
        prop_assert!(set.iter().all(|name| set.contains(name.as_str())));
        prop_assert!(!set.contains("d"));
    }

    #[test]
    fn subset_is_an_order(a in sets(), b in sets(), c in sets()) {
        prop_assert!(a.is_subset_of(&a));
        prop_assert!(ScopeSet::default().is_subset_of(&a));
        let by_members = a.iter().all(|name| b.contains(name.as_str()));
        prop_assert_eq!(a.is_subset_of(&b), by_members);
        prop_assert!(!(a.is_subset_of(&b) && b.is_subset_of(&a)) || a == b);
        prop_assert!(!(a.is_subset_of(&b) && b.is_subset_of(&c)) || a.is_subset_of(&c));
    }
}
