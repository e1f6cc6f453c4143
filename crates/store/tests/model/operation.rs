//! What may happen, drawn from few businesses, scopes and moments, so that things meet.

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    digest::{Digest, PepperVersion},
    endpoint::Template,
    id::{BusinessId, KeyId},
    lifecycle::SuspendedBy,
    scope::{ScopeName, ScopeSet, built_in},
    secret::Prefix,
    settings::{Annotations, Description, DisplayName, ReasonText, RevokeReason},
};
use keyward_store::{
    catalogue::{ScopeEdit, ScopeMask},
    change::{KeyChange, SettingsPatch},
    peppers::DigestMove,
    record::{Actor, NewKey, NewSecret, Settings},
};
use proptest::{
    bool::weighted,
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select, subsequence},
};

use crate::map::Map;

/// How many live keys `acme` may hold; the others have the default.
pub(crate) const ACME_LIMIT: i32 = 2;

const ACME: &str = "acme";
const BUSINESSES: [&str; 3] = ["@keyward", "Zeta", ACME];
const SCOPES: [&str; 4] = ["Read", "read", "read.all", built_in::OPERATE];

/// So many seconds.
type Seconds = i64;

/// One of them, and how long it is until the next.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    wait: Seconds,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Create {
        business: &'static str,
        scopes: Vec<&'static str>,
        life: Option<Seconds>,
        by: AssignableBy,
    },
    /// Of a key that is there; in its own business, or in whichever.
    Change {
        key: Index,
        business: Option<&'static str>,
        change: Change,
    },
    Edit {
        scope: &'static str,
        words: u8,
        by: AssignableBy,
        mask: [bool; 3],
        allow_missing: bool,
    },
    Retire {
        scope: &'static str,
        force: bool,
    },
    /// Digests that are in force, and others.
    Move {
        digests: Vec<Index>,
    },
}

#[derive(Debug, Clone)]
enum Change {
    Update {
        words: Option<u8>,
        scopes: Option<Vec<&'static str>>,
        life: Option<Option<Seconds>>,
        by: AssignableBy,
    },
    Rotate {
        life: Option<Seconds>,
    },
    Revoke {
        reason: RevokeReason,
    },
    Suspend(SuspendedBy),
    Resume(SuspendedBy),
}

/// An operation as a store is asked for it.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Create(NewKey, AssignableBy),
    Change(BusinessId, KeyId, KeyChange),
    Edit(ScopeName, ScopeEdit, bool),
    Retire(ScopeName, bool),
    Move(Vec<DigestMove>),
}

/// When an operation happens, and the number of the key or secret that it makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    number: u64,
    pub(crate) now: Timestamp,
}

pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    let by = || select(&[AssignableBy::Users, AssignableBy::Operators][..]);
    let scope = || select(&SCOPES[..]);
    let what = prop_oneof![
        3 => (select(&BUSINESSES[..]), scopes(), life(), by())
            .prop_map(|(business, scopes, life, by)| What::Create { business, scopes, life, by }),
        6 => (any::<Index>(), option::weighted(0.1, select(&BUSINESSES[..])), change())
            .prop_map(|(key, business, change)| What::Change { key, business, change }),
        3 => (scope(), 0..3_u8, by(), any::<[bool; 3]>(), weighted(0.8))
            .prop_map(|(scope, words, by, mask, allow_missing)| {
                What::Edit { scope, words, by, mask, allow_missing }
            }),
        1 => (scope(), any::<bool>()).prop_map(|(scope, force)| What::Retire { scope, force }),
        2 => vec(any::<Index>(), 1..4).prop_map(|digests| What::Move { digests }),
    ];
    (0..4_i64, what).prop_map(|(wait, what)| Operation { wait, what })
}

fn change() -> impl Strategy<Value = Change> {
    use RevokeReason::{Leaked, Other, OwnerLeft, Replaced, Unused};
    use SuspendedBy::{Business, Platform};
    let by = select(&[AssignableBy::Users, AssignableBy::Operators][..]);
    let suspended_by = || select(&[Business, Platform][..]);
    let update = (option::of(0..3_u8), option::of(scopes()), option::of(life()), by);
    let reason = select(&[Leaked, Unused, Replaced, OwnerLeft, Other][..]);
    prop_oneof![
        3 => update.prop_map(|(words, scopes, life, by)| Change::Update { words, scopes, life, by }),
        2 => life().prop_map(|life| Change::Rotate { life }),
        1 => reason.prop_map(|reason| Change::Revoke { reason }),
        1 => suspended_by().prop_map(Change::Suspend),
        1 => suspended_by().prop_map(Change::Resume),
    ]
}

fn scopes() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(&SCOPES[..], 0..=2)
}

/// Also none to speak of, and none at all.
fn life() -> impl Strategy<Value = Option<Seconds>> {
    option::of(0..30_i64)
}

/// The one that each sequence begins with, of `acme`.
pub(crate) fn first_key() -> NewKey {
    new_key(0, ACME, &[], None)
}

impl Step {
    pub(crate) const FIRST: Step =
        Step { number: 1, now: Timestamp::from_micros(1_790_000_000_123_456) };

    pub(crate) fn after(self, operation: &Operation) -> Step {
        Step { number: self.number + 1, now: self.later(operation.wait) }
    }

    fn later(self, seconds: Seconds) -> Timestamp {
        Timestamp::from_micros(self.now.as_micros() + seconds * 1_000_000)
    }
}

impl Operation {
    pub(crate) fn request(&self, step: Step, map: &Map) -> Request {
        match &self.what {
            What::Create { business, scopes, life, by } => {
                let expire_time = life.map(|life| step.later(life));
                Request::Create(new_key(step.number, business, scopes, expire_time), *by)
            }
            What::Change { key, business, change } => {
                let (key_id, owner) = key.get(&map.owners()).clone();
                let business_id = business.map_or(owner, business_id);
                Request::Change(business_id, key_id, change.at(step))
            }
            What::Edit {
                scope,
                words,
                by,
                mask: [description, assignable_by, endpoints],
                allow_missing,
            } => {
                let edit = ScopeEdit {
                    description: Description::parse(&words.to_string()).unwrap(),
                    assignable_by: *by,
                    endpoints: vec![
                        Template::http("billing", "GET", &format!("/{words}")).unwrap(),
                    ],
                    mask: ScopeMask {
                        description: *description,
                        assignable_by: *assignable_by,
                        endpoints: *endpoints,
                    },
                };
                Request::Edit(ScopeName::parse(scope).unwrap(), edit, *allow_missing)
            }
            What::Move { digests } => {
                let all = map.digests();
                let moves = digests.iter().map(|digest| under_newer_pepper(*digest.get(&all)));
                Request::Move(moves.collect())
            }
            What::Retire { scope, force } => {
                Request::Retire(ScopeName::parse(scope).unwrap(), *force)
            }
        }
    }
}

impl Change {
    fn at(&self, step: Step) -> KeyChange {
        match self {
            Self::Update { words, scopes, life, by } => {
                let words = words.map(|words| words.to_string());
                let patch = SettingsPatch {
                    display_name: words.as_deref().map(|words| DisplayName::parse(words).unwrap()),
                    description: words.as_deref().map(|words| Description::parse(words).unwrap()),
                    scopes: scopes.as_deref().map(scope_set),
                    expire_time: life.map(|life| life.map(|life| step.later(life))),
                    annotations: words.map(|words| {
                        Annotations::from_entries([("words".to_owned(), words)]).unwrap()
                    }),
                };
                KeyChange::Update { patch, assigner: *by }
            }
            Self::Rotate { life } => KeyChange::Rotate {
                secret: secret(step.number),
                obfuscated_secret: format!("kw_…{}", step.number),
                expire_time: life.map(|life| step.later(life)),
            },
            Self::Revoke { reason } => KeyChange::Revoke {
                reason: *reason,
                text: ReasonText::parse(*reason, "words").unwrap(),
            },
            Self::Suspend(by) => KeyChange::Suspend(*by),
            Self::Resume(by) => KeyChange::Resume(*by),
        }
    }
}

pub(crate) fn businesses() -> Vec<BusinessId> {
    BUSINESSES.map(business_id).to_vec()
}

fn new_key(number: u64, business: &str, scopes: &[&str], expire_time: Option<Timestamp>) -> NewKey {
    NewKey {
        key_id: KeyId::from_bytes(u128::from(number).to_be_bytes()),
        business_id: business_id(business),
        settings: Settings {
            display_name: DisplayName::parse("a key").unwrap(),
            description: Description::default(),
            scopes: scope_set(scopes),
            annotations: Annotations::default(),
        },
        expire_time,
        prefix: Prefix::parse("kw").unwrap(),
        obfuscated_secret: format!("kw_…{number}"),
        creator: Actor::workload("a test"),
        secret: secret(number),
    }
}

/// In no order, as digests are.
fn secret(number: u64) -> NewSecret {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.reverse_bits().to_be_bytes());
    NewSecret { digest: Digest::from_bytes(bytes), pepper_version: PepperVersion::new(1).unwrap() }
}

/// The same secret's digest under pepper 2.
fn under_newer_pepper(from: Digest) -> DigestMove {
    let mut bytes = *from.as_bytes();
    bytes[31] = 2;
    let to = NewSecret {
        digest: Digest::from_bytes(bytes),
        pepper_version: PepperVersion::new(2).unwrap(),
    };
    DigestMove { from, to }
}

fn scope_set(names: &[&str]) -> ScopeSet {
    ScopeSet::from_names(names.iter().map(|name| ScopeName::parse(name).unwrap())).unwrap()
}

fn business_id(name: &str) -> BusinessId {
    BusinessId::parse(name).unwrap()
}
