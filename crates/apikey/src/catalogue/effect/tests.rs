//! Effects against examples, and against what the endpoint map answers before and after.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::catalogue::{AssignableBy, Catalogue};
use crate::endpoint::Endpoint;

const NAMES: [&str; 3] = ["a", "b", "c"];
const TEMPLATES: [&str; 9] = [
    "s ANY /**",
    "s GET /**",
    "s ANY /x/**",
    "s ANY /x/*",
    "s GET /x/*",
    "s GET /*/y",
    "s ANY /x/y",
    "s GET /x/y",
    "s gRPC /x.X/*",
];

fn name(text: &str) -> ScopeName {
    ScopeName::parse(text).unwrap()
}

fn scope(of: &str, templates: &[&str]) -> ScopeDefinition {
    ScopeDefinition {
        name: name(of),
        assignable_by: AssignableBy::Users,
        templates: templates.iter().map(|text| Template::parse(text).unwrap()).collect(),
        retired: false,
    }
}

fn holding(names: &[&str]) -> ScopeSet {
    ScopeSet::from_names(names.iter().map(|text| name(text))).unwrap()
}

/// What `a` covers, `b` covers besides; then `a` covers this; what becomes of who holds these.
#[track_caller]
fn check(a: &[&str], b: &[&str], then: &[&str], expected: &[(&[&str], bool, bool)]) {
    let catalogue = [scope("a", a), scope("b", b)];
    let then: Vec<Template> = scope("a", then).templates;
    let effect = Effect::of(&name("a"), &then, &catalogue);
    for (names, widened, narrowed) in expected {
        let reach = Reach { widened: *widened, narrowed: *narrowed };
        assert_eq!(effect.on(&holding(names)), reach, "{names:?}");
    }
}

#[test]
fn a_gained_endpoint_widens_and_takes_from_the_wider() {
    check(&[], &[], &["s GET /x"], &[(&["a"], true, false), (&["b"], false, false)]);
    let taken = [(&["a"][..], true, false), (&["b"], false, true), (&["a", "b"], false, false)];
    check(&[], &["s ANY /**"], &["s GET /x"], &taken);
}

#[test]
fn a_lost_endpoint_narrows_and_falls_to_the_wider() {
    check(&["s GET /x"], &[], &[], &[(&["a"], false, true), (&["b"], false, false)]);
    let falls = [(&["a"][..], false, true), (&["b"], true, false), (&["a", "b"], false, false)];
    check(&["s GET /x"], &["s ANY /**"], &[], &falls);
}

#[test]
fn a_template_that_another_scope_has_too_concerns_one_scope_alone() {
    let gained = [(&["a"][..], true, false), (&["b"], false, false), (&["a", "b"], false, false)];
    check(&[], &["s GET /x"], &["s GET /x"], &gained);
    let lost = [(&["a"][..], false, true), (&["b"], false, false), (&["a", "b"], false, false)];
    check(&["s GET /x"], &["s GET /x"], &[], &lost);
}

#[test]
fn what_does_not_change_has_no_effect() {
    check(&["s GET /x"], &["s ANY /**"], &["s GET /x"], &[(&["a"], false, false)]);
    let none = Effect::of(&name("a"), &[], &[scope("a", &[]), scope("b", &["s ANY /**"])]);
    assert_eq!(none.scopes(), BTreeSet::new());
}

fn covered(catalogue: &[ScopeDefinition], endpoint: &Endpoint<'_>, held: &ScopeSet) -> bool {
    let mut all = Catalogue::new();
    catalogue.iter().for_each(|scope| all.put(scope.clone()));
    let covering = all.covering(endpoint).unwrap_or_default();
    covering.iter().any(|id| all.is_live(*id) && held.contains(all.name(*id).unwrap().as_str()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a key reaches only before or only after is told: it is never told too little.
    #[test]
    fn no_change_of_reach_is_missed(
        covers in vec(vec(select(&TEMPLATES[..]), 0..3), 3),
        retired in vec(any::<bool>(), 3),
        then in vec(select(&TEMPLATES[..]), 0..3),
        held in vec(select(&NAMES[..]), 0..3),
        method in select(&["GET", "POST"][..]),
        path in select(&["/", "/x", "/x/y", "/x/z", "/z/y", "/x/y/z", "/x.X/Y"][..]),
        grpc in any::<bool>(),
    ) {
        let before: Vec<ScopeDefinition> = NAMES
            .iter()
            .zip(&covers)
            .zip(&retired)
            .map(|((of, templates), retired)| {
                let retired = *retired && *of != "a";
                ScopeDefinition { retired, ..scope(of, templates) }
            })
            .collect();
        let mut after = before.clone();
        after[0].templates = scope("a", &then).templates;
        let effect = Effect::of(&name("a"), &after[0].templates, &before);
        let held = holding(&held);
        let endpoint = if grpc { Endpoint::grpc("s", path) } else { Endpoint::http("s", method, path) };
        let Reach { widened, narrowed } = effect.on(&held);
        match (covered(&before, &endpoint, &held), covered(&after, &endpoint, &held)) {
            (false, true) => prop_assert!(widened),
            (true, false) => prop_assert!(narrowed),
            (true, true) | (false, false) => {}
        }
    }
}
