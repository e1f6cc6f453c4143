//! What a change of one scope's endpoints does to keys, by the scopes that they hold.
//!
//! Of the templates that match an endpoint the most specific one decides alone. So a template that a
//! scope gains takes endpoints away from whoever reached them by a wider one, and a template that it
//! loses leaves its endpoints to the next wider one.
//!
//! The answer errs to one side: what is said to reach as much as before does; a key that is said to
//! reach more or less may not, where narrower templates cover everything that changes hands.

use std::collections::BTreeSet;

use crate::catalogue::ScopeDefinition;
use crate::endpoint::{ANY_METHOD, Template, path};
use crate::scope::{ScopeName, ScopeSet};

/// What a change does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    regions: BTreeSet<Region>,
}

/// Endpoints that are covered by any of some scopes, and after the change by any of others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Region {
    before: BTreeSet<ScopeName>,
    after: BTreeSet<ScopeName>,
}

/// What the change does to one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// It may reach something that it did not.
    pub widened: bool,
    /// It may no longer reach something that it did.
    pub narrowed: bool,
}

impl Effect {
    /// Of a scope's covering `after` in place of what stands of it in `catalogue`.
    pub fn of(name: &ScopeName, after: &[Template], catalogue: &[ScopeDefinition]) -> Effect {
        let mut changed: Vec<ScopeDefinition> =
            catalogue.iter().filter(|scope| scope.name != *name).cloned().collect();
        let former = catalogue.iter().find(|scope| scope.name == *name);
        let before = former.map_or(&[][..], |scope| &scope.templates);
        let mut regions = BTreeSet::new();
        let others = changed.clone();
        changed.extend(
            former.map(|scope| ScopeDefinition { templates: after.to_vec(), ..scope.clone() }),
        );
        for gained in after.iter().filter(|template| !before.contains(template)) {
            let with = BTreeSet::from([name.clone()]);
            regions.extend(shares(gained, &others, catalogue).into_iter().map(|(kept, former)| {
                Region { after: kept.union(&with).cloned().collect(), before: former }
            }));
        }
        for lost in before.iter().filter(|template| !after.contains(template)) {
            let with = BTreeSet::from([name.clone()]);
            regions.extend(shares(lost, &others, &changed).into_iter().map(|(kept, heirs)| {
                Region { before: kept.union(&with).cloned().collect(), after: heirs }
            }));
        }
        Effect { regions }
    }

    /// The scopes that matter: a key that holds none of them is not concerned.
    pub fn scopes(&self) -> BTreeSet<&ScopeName> {
        self.regions.iter().flat_map(|region| region.before.iter().chain(&region.after)).collect()
    }

    /// What it does to a key that holds these scopes.
    pub fn on(&self, held: &ScopeSet) -> Reach {
        let covers =
            |scopes: &BTreeSet<ScopeName>| scopes.iter().any(|scope| held.contains(scope.as_str()));
        let any = |change: (bool, bool)| {
            self.regions
                .iter()
                .any(|Region { before, after }| (covers(before), covers(after)) == change)
        };
        Reach { widened: any((false, true)), narrowed: any((true, false)) }
    }
}

/// Who covers a template's endpoints without one scope: the other scopes that have the very same
/// template, which go on covering them beside it; or else, part by part, whoever has the next wider
/// template.
fn shares(
    template: &Template,
    others: &[ScopeDefinition],
    wider_in: &[ScopeDefinition],
) -> Vec<(BTreeSet<ScopeName>, BTreeSet<ScopeName>)> {
    let same = || others.iter().filter(|scope| scope.templates.contains(template));
    if same().next().is_some() {
        let holders: BTreeSet<ScopeName> =
            same().filter(|scope| !scope.retired).map(|scope| scope.name.clone()).collect();
        return vec![(holders.clone(), holders)];
    }
    let mut wider: Vec<&Template> = wider_in
        .iter()
        .flat_map(|scope| &scope.templates)
        .filter(|other| rank(other) > rank(template) && overlap(other, template))
        .collect();
    wider.sort_by_key(|other| rank(other));
    wider.dedup();
    let mut parts = Vec::new();
    for other in wider {
        let holders = wider_in
            .iter()
            .filter(|scope| !scope.retired && scope.templates.contains(other))
            .map(|scope| scope.name.clone());
        parts.push((BTreeSet::new(), holders.collect()));
        if contains(other, template) {
            return parts;
        }
    }
    // The rest is mapped by nothing.
    parts.push((BTreeSet::new(), BTreeSet::new()));
    parts
}

/// The more specific of two templates that match the same endpoint has the lower rank.
fn rank(template: &Template) -> (Vec<u8>, bool) {
    let mut segments: Vec<u8> = path::segments(template.path())
        .map(|segment| match segment {
            "*" => 2,
            "**" => 3,
            _ => 1,
        })
        .collect();
    // A path that ends here comes before one that may go on.
    segments.push(0);
    (segments, template.method() == Some(ANY_METHOD))
}

/// Whether some endpoint may match both.
fn overlap(one: &Template, other: &Template) -> bool {
    let methods = match (one.method(), other.method()) {
        (Some(a), Some(b)) => a == b || a == ANY_METHOD || b == ANY_METHOD,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let (mut a, mut b) = (path::segments(one.path()), path::segments(other.path()));
    let paths = loop {
        match (a.next(), b.next()) {
            (Some("**"), _) | (_, Some("**")) | (None, None) => break true,
            (Some(x), Some(y)) if x == y || x == "*" || y == "*" => {}
            (Some(_), _) | (None, Some(_)) => break false,
        }
    };
    one.service() == other.service() && methods && paths
}

/// Whether every endpoint that matches `inner` matches `outer`; the two overlap.
fn contains(outer: &Template, inner: &Template) -> bool {
    let methods = outer.method() == inner.method() || outer.method() == Some(ANY_METHOD);
    let (mut a, mut b) = (path::segments(outer.path()), path::segments(inner.path()));
    let paths = loop {
        match (a.next(), b.next()) {
            (Some("**"), _) | (None, None) => break true,
            (Some("*"), Some(segment)) if segment != "**" => {}
            (Some(x), Some(y)) if x == y => {}
            (Some(_), _) | (None, Some(_)) => break false,
        }
    };
    methods && paths
}

#[cfg(test)]
mod tests;
