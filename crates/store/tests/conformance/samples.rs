//! Keys, scopes and times to test with, and the shortest way to give them to a store.

use std::fmt::Debug;

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    digest::{Digest, PepperVersion},
    endpoint::Template,
    id::{BusinessId, KeyId},
    scope::{ScopeName, ScopeSet},
    secret::Prefix,
    settings::{Annotations, Description, DisplayName, ReasonText, RevokeReason},
};
use keyward_store::{
    Store,
    catalogue::{ScopeEdit, ScopeMask},
    change::{KeyChange, SettingsPatch},
    error::{ChangeError, Refused},
    record::{
        Act, Actor, Committed, HeldSecret, KeyRecord, KeyTarget, NewKey, NewSecret, ScopeRecord,
        Settings,
    },
};

/// The times of the tests are so many seconds after this one.
const START_MICROS: i64 = 1_790_000_000_123_456;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(START_MICROS + second * 1_000_000)
}

/// What the command line does at a time.
pub(crate) fn act(time: Timestamp) -> Act {
    let actor = Actor::workload(Actor::COMMAND_LINE);
    Act { actor, peer_address: "192.0.2.1:7".to_owned(), time, admitted_at: None, by_grant: false }
}

/// A key, whatever its etag.
pub(crate) fn target(business_id: &BusinessId, key_id: KeyId) -> KeyTarget {
    KeyTarget { business_id: business_id.clone(), key_id, etag: None }
}

pub(crate) fn business(name: &str) -> BusinessId {
    BusinessId::parse(name).unwrap()
}

/// The business of every key that is not said to be another's.
pub(crate) fn acme() -> BusinessId {
    business("acme")
}

/// Ids in the order of their numbers.
pub(crate) fn key_id(number: u64) -> KeyId {
    KeyId::from_bytes(u128::from(number).to_be_bytes())
}

/// Digests in the order of their numbers.
pub(crate) fn digest(number: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Digest::from_bytes(bytes)
}

pub(crate) fn secret(number: u64) -> NewSecret {
    NewSecret { digest: digest(number), pepper_version: PepperVersion::new(1).unwrap() }
}

/// A key that anybody may make, with the id and the secret of this number.
pub(crate) fn new_key(number: u64) -> NewKey {
    NewKey {
        key_id: key_id(number),
        business_id: acme(),
        settings: Settings {
            display_name: DisplayName::parse("a key").unwrap(),
            description: Description::default(),
            scopes: ScopeSet::default(),
            annotations: Annotations::default(),
        },
        expire_time: None,
        prefix: Prefix::parse("kw").unwrap(),
        obfuscated_secret: format!("kw_…{number}"),
        creator: Actor::workload("a test"),
        secret: secret(number),
    }
}

pub(crate) fn scope(name: &str) -> ScopeName {
    ScopeName::parse(name).unwrap()
}

pub(crate) fn scopes<const N: usize>(names: [&str; N]) -> ScopeSet {
    ScopeSet::from_names(names.map(scope)).unwrap()
}

/// A scope that users may give, with one endpoint.
pub(crate) fn scope_edit() -> ScopeEdit {
    ScopeEdit {
        description: Description::default(),
        assignable_by: AssignableBy::Users,
        endpoints: vec![Template::parse("billing GET /v1/invoices/*").unwrap()],
        mask: ScopeMask::ALL,
    }
}

pub(crate) fn update(patch: SettingsPatch) -> KeyChange {
    KeyChange::Update { patch, assigner: AssignableBy::Users }
}

pub(crate) fn rename(name: &str) -> KeyChange {
    let display_name = Some(DisplayName::parse(name).unwrap());
    update(SettingsPatch { display_name, ..SettingsPatch::default() })
}

pub(crate) fn expire_at(time: Option<Timestamp>) -> KeyChange {
    update(SettingsPatch { expire_time: Some(time), ..SettingsPatch::default() })
}

pub(crate) fn rescope<const N: usize>(names: [&str; N]) -> KeyChange {
    update(SettingsPatch { scopes: Some(scopes(names)), ..SettingsPatch::default() })
}

/// A rotation to the secret of this number.
pub(crate) fn rotate(number: u64, expire_time: Option<Timestamp>) -> KeyChange {
    let obfuscated_secret = format!("kw_…{number}");
    KeyChange::Rotate { secret: secret(number), obfuscated_secret, expire_time }
}

pub(crate) fn revoke() -> KeyChange {
    KeyChange::Revoke { reason: RevokeReason::Leaked, text: ReasonText::default() }
}

pub(crate) async fn create(store: &Store, new: NewKey, now: Timestamp) -> KeyRecord {
    store.create_key(new, AssignableBy::Users, None, act(now)).await.unwrap().value
}

/// Changes a key of `acme`.
pub(crate) async fn change(
    store: &Store,
    number: u64,
    change: KeyChange,
    now: Timestamp,
) -> Result<Committed<KeyRecord>, ChangeError> {
    store.change_key(target(&acme(), key_id(number)), change, None, act(now)).await
}

/// A key of `acme` that is there.
pub(crate) async fn get(store: &Store, number: u64) -> KeyRecord {
    store.get_key(&acme(), key_id(number)).await.unwrap().unwrap()
}

pub(crate) async fn catalogue(store: &Store, name: &str, edit: ScopeEdit) -> ScopeRecord {
    store.update_scope(&scope(name), edit, true, act(at(0))).await.unwrap().value.scope
}

pub(crate) async fn held(store: &Store) -> Vec<HeldSecret> {
    store.held_secrets(None, i64::MAX).await.unwrap()
}

/// Why a change was refused; a fault is no refusal.
pub(crate) fn refusal<T: Debug>(result: Result<T, ChangeError>) -> Refused {
    match result.unwrap_err() {
        ChangeError::Refused(refused) => refused,
        ChangeError::Store(fault) => panic!("a fault instead of a refusal: {fault}"),
    }
}
