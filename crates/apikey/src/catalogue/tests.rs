//! Proves what counts as held, and that endpoints follow their definition, beyond retirement.

use super::*;

fn definition(name: &str, paths: &[&str]) -> ScopeDefinition {
    ScopeDefinition {
        name: ScopeName::parse(name).unwrap(),
        assignable_by: AssignableBy::Users,
        templates: paths.iter().map(|path| Template::http("s", "GET", path).unwrap()).collect(),
        retired: false,
    }
}

fn covering(catalogue: &Catalogue, path: &str) -> Option<Vec<String>> {
    let scopes = catalogue.covering(&Endpoint::http("s", "GET", path))?;
    Some(scopes.iter().map(|&id| catalogue.name(id).unwrap().to_string()).collect())
}

#[test]
fn built_in_scopes_are_catalogued_for_operators_and_cover_nothing() {
    let catalogue = Catalogue::default();
    for name in built_in::ALL {
        let id = catalogue.id(name).unwrap();
        let definition = catalogue.definition(id).unwrap();
        assert_eq!(definition.name.as_str(), name);
        assert_eq!(definition.assignable_by, AssignableBy::Operators);
        assert!(definition.templates.is_empty());
        assert!(catalogue.is_live(id));
    }
}

#[test]
fn a_name_keeps_its_number_and_counts_once_catalogued() {
    let mut catalogue = Catalogue::new();
    let name = ScopeName::parse("items.read").unwrap();
    assert_eq!(catalogue.id("items.read"), None);
    let id = catalogue.intern(&name);
    assert_eq!(catalogue.intern(&name), id);
    assert_eq!(catalogue.name(id), Some(&name));
    assert!(!catalogue.is_live(id) && catalogue.definition(id).is_none());

    catalogue.put(definition("items.read", &[]));
    assert_eq!(catalogue.id("items.read"), Some(id));
    assert!(catalogue.is_live(id));
}

#[test]
fn a_number_that_was_never_given_means_nothing() {
    let catalogue = Catalogue::new();
    let stranger = ScopeId(1_000);
    assert_eq!(catalogue.name(stranger), None);
    assert!(!catalogue.is_live(stranger));
}

#[test]
fn a_new_definition_replaces_the_old_one_with_its_endpoints() {
    let mut catalogue = Catalogue::new();
    catalogue.put(definition("items.read", &["/a", "/b"]));
    catalogue.put(definition("items.read", &["/b", "/c"]));
    assert_eq!(covering(&catalogue, "/a"), None);
    assert_eq!(covering(&catalogue, "/b"), Some(vec!["items.read".to_owned()]));
    assert_eq!(covering(&catalogue, "/c"), Some(vec!["items.read".to_owned()]));
}

#[test]
fn a_retired_scope_still_keeps_others_off_its_endpoints() {
    let mut catalogue = Catalogue::new();
    catalogue.put(definition("all", &["/**"]));
    catalogue.put(definition("admin", &["/admin"]));
    catalogue.put(ScopeDefinition { retired: true, ..definition("admin", &["/admin"]) });
    assert!(!catalogue.is_live(catalogue.id("admin").unwrap()));
    assert_eq!(covering(&catalogue, "/admin"), Some(vec!["admin".to_owned()]));
}

#[test]
fn a_copy_does_not_follow_the_original() {
    let mut catalogue = Catalogue::new();
    catalogue.put(definition("items.read", &["/a"]));
    let copy = catalogue.clone();
    catalogue.put(definition("items.read", &["/b"]));
    assert_eq!(covering(&copy, "/a"), Some(vec!["items.read".to_owned()]));
    assert_eq!(covering(&copy, "/b"), None);
}
