//! No answer is read from half of a change, however a reader and the change interleave.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    digest::{Digest, PepperVersion},
    id::{BusinessId, KeyId},
    lifecycle::Lifecycle,
    scope::{ScopeName, ScopeSet},
    settings::{Annotations, Description, DisplayName},
    verdict::{Generation, RECOGNITION_DEFAULT, Requirement, Verdict, decide},
};
use keyward_store::record::{Changes, HeldBusiness, HeldSecret, Revision, ScopeRecord};

use crate::resident::{Index, View, gate::Gate};

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const DIGEST: Digest = Digest::from_bytes([7; 32]);
const SCOPE: &str = "orders";

/// All that the verdict on the one key depends on.
#[derive(Clone, Copy, PartialEq)]
struct State {
    suspended: bool,
    revoked: bool,
    retired: bool,
    holds_scope: bool,
}

/// What is left of VALID in a state is denied by one thing alone.
const GOOD: State = State { suspended: false, revoked: false, retired: false, holds_scope: true };
const SUSPENDED: State = State { suspended: true, ..GOOD };
const REVOKED: State = State { revoked: true, ..GOOD };
const RETIRED: State = State { retired: true, ..GOOD };
const SCOPELESS: State = State { holds_scope: false, ..GOOD };

fn index(state: State) -> Index {
    let gate = Gate::default();
    gate.open(None);
    gate.keep_current(Instant::now() + Duration::from_secs(3_600));
    let index = Index::new(Arc::new(gate), View::empty());
    index.apply(changes(state, 1));
    index
}

fn business_id() -> BusinessId {
    BusinessId::parse("acme").unwrap()
}

/// Everything at once, as one transaction by hand can change it.
fn changes(state: State, revision: i64) -> Changes {
    let State { suspended, revoked, retired, holds_scope } = state;
    let name = ScopeName::parse(SCOPE).unwrap();
    let scope = ScopeRecord {
        name: name.clone(),
        revision: Revision(revision),
        description: Description::default(),
        assignable_by: AssignableBy::Users,
        endpoints: Vec::new(),
        retire_time: retired.then_some(NOW),
        create_time: NOW,
        update_time: NOW,
    };
    let secret = HeldSecret {
        digest: DIGEST,
        pepper_version: PepperVersion::new(1).unwrap(),
        generation: Generation::Current,
        key_id: KeyId::from_bytes([1; 16]),
        business_id: business_id(),
        display_name: DisplayName::parse("a key").unwrap(),
        scopes: ScopeSet::from_names(holds_scope.then_some(name)).unwrap(),
        annotations: Annotations::default(),
        lifecycle: Lifecycle { revoke_time: revoked.then_some(NOW), ..Lifecycle::default() },
    };
    Changes {
        through: Revision(revision),
        businesses: vec![HeldBusiness { business_id: business_id(), suspended }],
        scopes: vec![scope],
        secrets: vec![secret],
        moved: Vec::new(),
    }
}

/// The verdict, read in the order of the hot path; `between` happens between each two things.
fn verdict(view: &View, between: impl Fn(u8)) -> Verdict {
    let record = view.get(&DIGEST);
    between(1);
    let catalogue = view.catalogue();
    between(2);
    let found = record.as_deref().map(crate::resident::Record::found);
    let required = [SCOPE.to_owned()];
    let requirement = Requirement { required: &required, sufficient: &[], endpoint: None };
    decide(found.as_ref(), &requirement, &catalogue, RECOGNITION_DEFAULT, NOW)
}

/// Wherever the change comes while one reads, the answer is a denial, as in both states.
#[test]
fn two_denials_never_make_a_good_key() {
    let all = [SUSPENDED, REVOKED, RETIRED, SCOPELESS];
    let pairs = all.into_iter().flat_map(|one| all.map(|other| (one, other)));
    for (before, after) in pairs.filter(|(before, after)| before != after) {
        for moment in 1..=2 {
            let index = index(before);
            let changed = Cell::new(false);
            let answer = index.answer(|view| {
                verdict(view, |step| {
                    if step == moment && !changed.replace(true) {
                        index.apply(changes(after, 2));
                    }
                })
            });
            assert_ne!(answer, Ok(Verdict::Valid), "moment {moment}");
            assert_eq!(index.applied(), Revision(2));
        }
    }
}

/// A change of several kinds is in effect, in all of them, when it has been taken in.
#[test]
fn what_was_taken_in_is_told() {
    for (before, after) in [(SUSPENDED, GOOD), (REVOKED, GOOD), (GOOD, SUSPENDED), (GOOD, REVOKED)]
    {
        let index = index(before);
        let told = |state: State| {
            let valid = index.answer(|view| verdict(view, |_| {})) == Ok(Verdict::Valid);
            assert_eq!(valid, !(state.suspended || state.revoked));
        };
        told(before);
        index.apply(changes(after, 2));
        told(after);
    }
}

/// A change of one kind costs no copy of everything.
#[test]
fn a_change_of_one_kind_leaves_the_view_in_its_place() {
    let index = index(GOOD);
    let view = Arc::clone(&index.current());
    let whole = || changes(SUSPENDED, 2);
    let (none, no_scope, no_secret) = (Vec::new, Vec::new, Vec::new);
    for changes in [
        Changes { scopes: no_scope(), secrets: no_secret(), ..whole() },
        Changes { businesses: none(), secrets: no_secret(), ..whole() },
        Changes { businesses: none(), scopes: no_scope(), ..whole() },
        // The business is what it was.
        Changes { scopes: no_scope(), ..whole() },
    ] {
        index.apply(changes);
        assert!(Arc::ptr_eq(&view, &index.current()));
    }
}
