//! Proves that the tree finds what the written rule says, at a bounded cost, and forgets what it is
//! told to.

use std::cmp::Reverse;

use proptest::prelude::*;

use super::*;

fn http(method: &str, path: &str) -> Template {
    Template::http("s", method, path).unwrap()
}

/// A map in which the template at each place belongs to the scope with that number.
fn map_of(templates: &[Template]) -> EndpointMap {
    let mut map = EndpointMap::default();
    for (template, number) in templates.iter().zip(0..) {
        map.insert(template, ScopeId(number));
    }
    map
}

#[test]
fn the_most_specific_template_decides() {
    let templates = [
        http("GET", "/"),
        http("GET", "/a"),
        http("ANY", "/a/*"),
        http("GET", "/a/b"),
        http("ANY", "/a/b"),
        http("ANY", "/*/b/c"),
        http("GET", "/a/**"),
        http("ANY", "/x/**"),
        http("GET", "/x/*/y"),
        http("HEAD", "/a/b"),
    ];
    let map = map_of(&templates);
    let table = [
        ("GET", "/", Some(0)),
        ("POST", "/", None),
        ("GET", "/a", Some(1)),
        ("POST", "/a", None),
        ("GET", "/a/z", Some(2)),
        ("GET", "/a/b", Some(3)),
        ("get", "/a/b", Some(4)),
        ("POST", "/a/b", Some(4)),
        ("HEAD", "/a/b", Some(9)),
        // `/a/b` is more specific, but ends before `c`.
        ("GET", "/a/b/c", Some(6)),
        ("POST", "/a/b/c", Some(5)),
        ("GET", "/z/b/c", Some(5)),
        ("GET", "/a/b/c/d", Some(6)),
        ("POST", "/a/b/c/d", None),
        // `**` is also nothing.
        ("GET", "/x", Some(7)),
        ("GET", "/x/1/y", Some(8)),
        ("POST", "/x/1/y", Some(7)),
        ("GET", "/x/1/z", Some(7)),
        // `*` is exactly one.
        ("GET", "/z", None),
        ("GET", "/A", None),
    ];
    for (method, path, scope) in table {
        let expected = scope.map(ScopeId);
        let found = map.resolve(&Endpoint::http("s", method, path));
        assert_eq!(found, expected.as_ref().map(std::slice::from_ref), "{method} {path}");
    }
}

#[test]
fn services_and_protocols_are_apart() {
    let map = map_of(&[
        Template::http("s", "POST", "/a.B/C").unwrap(),
        Template::grpc("s", "/a.B/*").unwrap(),
        Template::grpc("s", "/a.B/D").unwrap(),
        Template::http("t", "ANY", "/**").unwrap(),
    ]);
    let table = [
        (Endpoint::http("s", "POST", "/a.B/C"), Some(ScopeId(0))),
        (Endpoint::http("s", "POST", "/a.B/D"), None),
        (Endpoint::grpc("s", "/a.B/C"), Some(ScopeId(1))),
        (Endpoint::grpc("s", "/a.B/D"), Some(ScopeId(2))),
        (Endpoint::grpc("s", "/a.C/D"), None),
        (Endpoint::grpc("t", "/a.B/C"), None),
        (Endpoint::http("t", "PURGE", "/a.B/C"), Some(ScopeId(3))),
        (Endpoint::http("t", "GET", "/a/.."), None),
        (Endpoint::http("u", "GET", "/"), None),
    ];
    for (endpoint, scope) in table {
        let expected = scope.as_ref().map(std::slice::from_ref);
        assert_eq!(map.resolve(&endpoint), expected, "{endpoint:?}");
    }
}

#[test]
fn scopes_with_the_same_template_are_alternatives() {
    let mut map = EndpointMap::default();
    for number in [2, 1, 2] {
        map.insert(&http("GET", "/a/"), ScopeId(number));
    }
    assert_eq!(map.resolve(&Endpoint::http("s", "GET", "/a")), Some(&[ScopeId(2), ScopeId(1)][..]));
}

/// Each of these templates but the last leads nearly to the end of the path and fails there.
#[test]
fn a_hostile_path_costs_no_more_than_the_tree() {
    let depth = 63;
    let mut templates: Vec<Template> = (0..depth)
        .map(|place| format!("{}/*{}/x", "/a".repeat(place), "/a".repeat(depth - 1 - place)))
        .map(|path| http("GET", &path))
        .collect();
    templates.push(http("GET", "/**"));
    let map = map_of(&templates);
    let path = "/a".repeat(64);
    let started = std::time::Instant::now();
    for _ in 0..100 {
        let found = map.resolve(&Endpoint::http("s", "GET", &path));
        assert_eq!(found, Some(&[ScopeId(63)][..]));
    }
    // 2^63 steps would take centuries.
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

fn templates() -> impl Strategy<Value = Vec<Template>> {
    let path =
        "(/(a|b|\\*)){0,3}(/\\*\\*)?".prop_map(|path| format!("/{}", path.trim_start_matches('/')));
    let method = prop_oneof![Just("GET"), Just("POST"), Just("ANY")];
    let template = (method, path).prop_map(|(method, path)| http(method, &path));
    prop::collection::vec(template, 0..12)
}

/// The rule as it is written, without a tree.
fn resolve_naively<'t>(
    templates: &'t [Template],
    method: &str,
    path: &str,
) -> Option<&'t Template> {
    let matches = |template: &&Template| {
        let matched = path::segments(template.path()).collect::<Vec<_>>();
        let actual = path::segments(path).collect::<Vec<_>>();
        let fixed = matched.iter().take_while(|&&segment| segment != "**").count();
        let long_enough =
            if fixed < matched.len() { actual.len() >= fixed } else { actual.len() == fixed };
        long_enough
            && matched[..fixed].iter().zip(&actual).all(|(m, a)| *m == "*" || m == a)
            && [Some(method), Some("ANY")].contains(&template.method())
    };
    let specificity = |template: &&Template| {
        let ranks = path::segments(template.path()).map(|segment| match segment {
            "**" => 2,
            "*" => 1,
            _ => 0,
        });
        (ranks.collect::<Vec<_>>(), template.method() == Some("ANY"))
    };
    templates.iter().filter(matches).max_by_key(|template| Reverse(specificity(template)))
}

proptest! {
    #[test]
    fn the_tree_finds_what_the_rule_says(
        templates in templates(),
        method in "GET|POST|PUT",
        path in "(/(a|b|c)){0,4}",
    ) {
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let map = map_of(&templates);
        let expected: Option<Vec<ScopeId>> = resolve_naively(&templates, &method, &path).map(|found| {
            (0..).map(ScopeId).zip(&templates).filter(|(_, t)| *t == found).map(|(id, _)| id).collect()
        });
        let found = map.resolve(&Endpoint::http("s", &method, &path)).map(<[_]>::to_vec);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn what_is_removed_leaves_no_trace(kept in templates(), removed in templates()) {
        let expected = format!("{:?}", map_of(&kept));
        let mut map = map_of(&kept);
        let copy = map.clone();
        let strangers = || removed.iter().zip(100..).map(|(template, id)| (template, ScopeId(id)));
        strangers().for_each(|(template, id)| map.insert(template, id));
        prop_assert_eq!(format!("{copy:?}"), expected.as_str());
        strangers().for_each(|(template, id)| map.remove(template, id));
        prop_assert_eq!(format!("{map:?}"), expected);
    }
}
