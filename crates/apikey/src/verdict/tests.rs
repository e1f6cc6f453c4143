//! Proves each verdict and the precedence of any two causes by tables, and that less power never
//! reaches more.

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;
use crate::catalogue::{AssignableBy, ScopeDefinition};
use crate::endpoint::Template;
use crate::lifecycle::SuspendedBy;
use crate::scope::ScopeName;

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn definition(name: &str, paths: &[&str]) -> ScopeDefinition {
    ScopeDefinition {
        name: ScopeName::parse(name).unwrap(),
        assignable_by: AssignableBy::Users,
        templates: paths.iter().map(|path| Template::http("shop", "GET", path).unwrap()).collect(),
        retired: false,
    }
}

/// `read` and `write` cover `/items/*`, `all` whatever else there is under `/items`; `old` is
/// retired, `drafted` is not catalogued.
fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::new();
    catalogue.put(definition("read", &["/items/*"]));
    catalogue.put(definition("write", &["/items/*"]));
    catalogue.put(definition("all", &["/items/**"]));
    catalogue.put(ScopeDefinition { retired: true, ..definition("old", &["/items/old"]) });
    catalogue.intern(&ScopeName::parse("drafted").unwrap());
    catalogue
}

type Names = &'static [&'static str];

/// A presented secret and what is asked of it, in owned form. At first, all is well.
#[derive(Clone, Debug)]
struct Case {
    is_known: bool,
    generation: Generation,
    lifecycle: Lifecycle,
    business_suspended: bool,
    scopes: Names,
    required: Names,
    sufficient: Names,
    path: Option<&'static str>,
}

const VALID: Case = Case {
    is_known: true,
    generation: Generation::Current,
    lifecycle: Lifecycle { expire_time: None, revoke_time: None, suspended_by: None },
    business_suspended: false,
    scopes: &["read"],
    required: &["read"],
    sufficient: &["read", "write"],
    path: Some("/items/1"),
};

impl Case {
    fn decide(&self) -> Verdict {
        let catalogue = catalogue();
        let owned = |names: &[&str]| names.iter().copied().map(str::to_owned).collect::<Vec<_>>();
        let (required, sufficient) = (owned(self.required), owned(self.sufficient));
        let scopes: Vec<ScopeId> =
            self.scopes.iter().filter_map(|name| catalogue.id(name)).collect();
        let endpoint = self.path.map(|path| Endpoint::http("shop", "GET", path));
        let found = Found {
            generation: self.generation,
            lifecycle: self.lifecycle,
            business_suspended: self.business_suspended,
            scopes: &scopes,
        };
        let requirement = Requirement {
            required: &required,
            sufficient: &sufficient,
            endpoint: endpoint.as_ref(),
        };
        let found = self.is_known.then_some(&found);
        decide(found, &requirement, &catalogue, RECOGNITION_DEFAULT, NOW)
    }
}

fn missing(names: &[&str]) -> Verdict {
    Verdict::InsufficientScope { missing: names.iter().copied().map(str::to_owned).collect() }
}

type Cause = fn(&mut Case);

/// Each cause of a denial with its verdict, in the order of precedence: the table of the contract.
fn causes() -> Vec<(Cause, Verdict)> {
    fn ago(time: Duration) -> Timestamp {
        NOW.saturating_sub(time)
    }
    vec![
        (|case| case.is_known = false, Verdict::NotFound),
        (|case| case.lifecycle.revoke_time = Some(ago(RECOGNITION_DEFAULT)), Verdict::NotFound),
        (|case| case.business_suspended = true, Verdict::BusinessSuspended),
        (|case| case.lifecycle.revoke_time = Some(ago(HOUR)), Verdict::Revoked),
        (
            |case| case.generation = Generation::Superseded { rotate_time: ago(HOUR) },
            Verdict::SecretRotated,
        ),
        (|case| case.lifecycle.expire_time = Some(NOW), Verdict::Expired),
        (|case| case.lifecycle.suspended_by = Some(SuspendedBy::Business), Verdict::Suspended),
        (|case| case.path = Some("/nowhere"), Verdict::EndpointNotMapped),
        (|case| case.required = &["write"], missing(&["write"])),
    ]
}

#[test]
fn with_no_cause_for_denial_the_verdict_is_valid() {
    assert_eq!(VALID.decide(), Verdict::Valid);
}

#[test]
fn each_cause_alone_has_its_verdict() {
    for (cause, verdict) in causes() {
        let mut case = VALID;
        cause(&mut case);
        assert_eq!(case.decide(), verdict, "{case:?}");
    }
}

#[test]
fn of_any_two_causes_the_earlier_one_decides() {
    let causes = causes();
    for (place, (earlier, verdict)) in causes.iter().enumerate() {
        for (later, _) in &causes[place + 1..] {
            let mut case = VALID;
            // The earlier one last, as two of them set the same field.
            later(&mut case);
            earlier(&mut case);
            assert_eq!(case.decide(), *verdict, "{case:?}");
        }
    }
}

#[test]
fn a_dead_secret_is_recognised_up_to_the_microsecond() {
    let microsecond = Duration::from_micros(1);
    let last = NOW.saturating_sub(RECOGNITION_DEFAULT).saturating_add(microsecond);
    let gone = NOW.saturating_sub(RECOGNITION_DEFAULT);
    let table = [
        (Some(last), None, Generation::Current, Verdict::Expired),
        (Some(gone), None, Generation::Current, Verdict::NotFound),
        (None, Some(last), Generation::Current, Verdict::Revoked),
        (None, Some(gone), Generation::Current, Verdict::NotFound),
        (None, None, Generation::Superseded { rotate_time: last }, Verdict::SecretRotated),
        (None, None, Generation::Superseded { rotate_time: gone }, Verdict::NotFound),
        // The first death counts.
        (Some(gone), Some(NOW), Generation::Current, Verdict::NotFound),
        (None, Some(NOW), Generation::Superseded { rotate_time: gone }, Verdict::NotFound),
    ];
    for (expire_time, revoke_time, generation, verdict) in table {
        let lifecycle = Lifecycle { expire_time, revoke_time, suspended_by: None };
        let case = Case { lifecycle, generation, ..VALID };
        assert_eq!(case.decide(), verdict, "{case:?}");
    }
}

#[test]
fn reach_by_the_table() {
    let valid = Verdict::Valid;
    #[rustfmt::skip]
    let table: [(Names, Names, Names, Option<&'static str>, Verdict); 22] = [
        // Scopes, required, sufficient, endpoint.
        (&[], &[], &[], None, valid.clone()),
        (&["read"], &[], &[], None, valid.clone()),
        (&["read", "write"], &["write", "read"], &[], None, valid.clone()),
        (&["read"], &["read", "write"], &[], None, missing(&["write"])),
        (&[], &["write", "read", "write"], &[], None, missing(&["read", "write"])),
        (&["read"], &[], &["write", "read"], None, valid.clone()),
        (&["all"], &[], &["write", "read"], None, missing(&["read", "write"])),
        (&[], &["read"], &["write", "read"], None, missing(&["read", "write"])),
        (&["read"], &[], &[], Some("/items/1"), valid.clone()),
        (&["write"], &[], &[], Some("/items/1?q=1"), valid.clone()),
        // The most specific template decides alone.
        (&["all"], &[], &[], Some("/items/1"), missing(&["read", "write"])),
        (&["all"], &[], &[], Some("/items/1/2"), valid.clone()),
        (&["read"], &[], &[], Some("/items/1/2"), missing(&["all"])),
        // Several are ANDed.
        (&["read"], &["write"], &["all"], Some("/items/1/2"), missing(&["all", "write"])),
        (&["read", "write"], &["write"], &["read"], Some("/items/1"), valid.clone()),
        // Unknown, uncatalogued and retired names are held by nobody.
        (&["read"], &["unheard.of"], &[], None, missing(&["unheard.of"])),
        (&["read"], &["not a scope"], &[], None, missing(&["not a scope"])),
        (&["read"], &[], &["unheard.of", "read"], None, valid.clone()),
        (&["drafted"], &["drafted"], &[], None, missing(&["drafted"])),
        (&["old"], &["old"], &[], None, missing(&["old"])),
        (&["old", "all"], &[], &[], Some("/items/old"), missing(&["old"])),
        // A path that could mean another is in no scope.
        (&["read", "all"], &[], &[], Some("/items/%2e%2e"), Verdict::EndpointNotMapped),
    ];
    for (scopes, required, sufficient, path, verdict) in table {
        let case = Case { scopes, required, sufficient, path, ..VALID };
        assert_eq!(case.decide(), verdict, "{case:?}");
    }
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Any of the scopes may be catalogued, cover anything, or be retired.
fn catalogues() -> impl Strategy<Value = Catalogue> {
    let paths = subsequence(vec!["/**", "/*", "/x", "/x/*", "/x/y", "/*/y"], 0..=3);
    let scope = prop::option::of((paths, any::<bool>()));
    prop::collection::vec(scope, NAMES.len()).prop_map(|scopes| {
        let mut catalogue = Catalogue::new();
        for (name, scope) in NAMES.into_iter().zip(scopes) {
            match scope {
                Some((paths, retired)) => {
                    catalogue.put(ScopeDefinition { retired, ..definition(name, &paths) });
                }
                None => {
                    catalogue.intern(&ScopeName::parse(name).unwrap());
                }
            }
        }
        catalogue
    })
}

fn names() -> impl Strategy<Value = Vec<String>> {
    subsequence(NAMES.map(str::to_owned).to_vec(), 0..=NAMES.len())
}

fn few_names() -> impl Strategy<Value = Vec<String>> {
    subsequence(NAMES.map(str::to_owned).to_vec(), 0..=2)
}

fn paths() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(vec!["/", "/x", "/z", "/x/y", "/x/z", "/z/y", "/z/z/z"]))
}

fn reach(
    catalogue: &Catalogue,
    scopes: &[String],
    required: &[String],
    sufficient: &[String],
    path: Option<&str>,
) -> Verdict {
    let scopes: Vec<ScopeId> = scopes.iter().filter_map(|name| catalogue.id(name)).collect();
    let endpoint = path.map(|path| Endpoint::http("shop", "GET", path));
    let requirement = Requirement { required, sufficient, endpoint: endpoint.as_ref() };
    let found = Found {
        generation: Generation::Current,
        lifecycle: Lifecycle::default(),
        business_suspended: false,
        scopes: &scopes,
    };
    decide(Some(&found), &requirement, catalogue, RECOGNITION_DEFAULT, NOW)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn fewer_scopes_never_allow_more(
        catalogue in catalogues(),
        scopes in names(),
        taken in any::<prop::sample::Index>(),
        required in few_names(),
        sufficient in few_names(),
        path in paths(),
    ) {
        let mut fewer = scopes.clone();
        if !fewer.is_empty() {
            fewer.remove(taken.index(scopes.len()));
        }
        if reach(&catalogue, &fewer, &required, &sufficient, path) == Verdict::Valid {
            prop_assert_eq!(
                reach(&catalogue, &scopes, &required, &sufficient, path),
                Verdict::Valid
            );
        }
    }

    #[test]
    fn retiring_a_scope_never_allows_more(
        catalogue in catalogues(),
        retired in prop::sample::select(NAMES.to_vec()),
        scopes in names(),
        required in few_names(),
        sufficient in few_names(),
        path in paths(),
    ) {
        let id = catalogue.id(retired).unwrap();
        if let Some(definition) = catalogue.definition(id).cloned() {
            let mut after = catalogue.clone();
            after.put(ScopeDefinition { retired: true, ..definition });
            if reach(&after, &scopes, &required, &sufficient, path) == Verdict::Valid {
                prop_assert_eq!(
                    reach(&catalogue, &scopes, &required, &sufficient, path),
                    Verdict::Valid
                );
            }
        }
    }

    #[test]
    fn what_is_missing_would_be_enough(
        catalogue in catalogues(),
        scopes in names(),
        required in few_names(),
        sufficient in few_names(),
        path in paths(),
    ) {
        let verdict = reach(&catalogue, &scopes, &required, &sufficient, path);
        if let Verdict::InsufficientScope { missing } = verdict {
            prop_assert!(!missing.is_empty());
            prop_assert!(missing.is_sorted_by(|a, b| a < b));
            let is_live = |name: &String| catalogue.id(name).is_some_and(|id| catalogue.is_live(id));
            prop_assert!(!missing.iter().any(|name| scopes.contains(name) && is_live(name)));
            if missing.iter().all(is_live) {
                let all = [scopes, missing].concat();
                prop_assert_eq!(
                    reach(&catalogue, &all, &required, &sufficient, path),
                    Verdict::Valid
                );
            }
        }
    }

    /// Time alone takes away, and never gives back.
    #[test]
    fn no_later_moment_allows_more(
        expire in prop::option::of(0..100_i64),
        revoke in prop::option::of(0..100_i64),
        rotate in prop::option::of(0..100_i64),
        earlier in 0..150_i64,
        wait in 0..150_i64,
    ) {
        let day = |day: i64| Timestamp::from_micros(day * 86_400_000_000);
        let found = Found {
            generation: match rotate {
                Some(rotate) => Generation::Superseded { rotate_time: day(rotate) },
                None => Generation::Current,
            },
            lifecycle: Lifecycle {
                expire_time: expire.map(day),
                revoke_time: revoke.map(day),
                suspended_by: None,
            },
            business_suspended: false,
            scopes: &[],
        };
        let at = |now| {
            let catalogue = Catalogue::new();
            decide(Some(&found), &Requirement::default(), &catalogue, RECOGNITION_DEFAULT, now)
        };
        let (before, after) = (at(day(earlier)), at(day(earlier + wait)));
        prop_assert!(before != Verdict::NotFound || after == Verdict::NotFound);
        prop_assert!(after != Verdict::Valid || before == Verdict::Valid);
    }
}
