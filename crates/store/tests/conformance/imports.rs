//! Keys of another system: each is taken over once, nothing that is here is changed, and what cannot be
//! is told of alone.

use apikey::{
    digest::Digest,
    id::ExternalId,
    lifecycle::{Lifecycle, SuspendedBy},
    settings::{DisplayName, ReasonText, RevokeReason},
    verdict::Generation,
};
use keyward_store::{
    audit::{AuditAction, AuditQuery},
    business::BusinessPatch,
    error::{Refused, ScopeProblem},
    import::{ImportOutcome, ImportedKey},
    record::{Actor, KeyRecord, NewKey, NewSecret, Revision},
};

use crate::{database::Database, samples::*};

on_each_engine![
    keys_are_taken_over_in_one_revision_with_an_event_each,
    the_same_again_is_the_same_key,
    a_key_that_differs_is_told_and_left_alone,
    a_secret_is_known_under_every_pepper_and_for_ever,
    twins_in_one_import_are_one_key_or_a_conflict,
    scopes_and_limits_refuse_one_key_alone,
    a_look_beforehand_tells_the_same_and_changes_nothing,
    a_thousand_are_one_change,
];

use ImportOutcome::{AlreadyImported, Differs, Imported, SecretTaken};

/// A key of `acme` with this number for its ids and its secret.
pub(crate) fn imported(number: u64) -> ImportedKey {
    let NewKey { key_id, business_id, settings, prefix, obfuscated_secret, secret, .. } =
        new_key(number);
    ImportedKey {
        key_id,
        business_id,
        external_id: ExternalId::parse(&format!("old-{number}")).unwrap(),
        last_use_time: Some(at(-20)),
        settings,
        lifecycle: Lifecycle::default(),
        revocation: None,
        prefix,
        obfuscated_secret,
        create_time: at(-100),
        secret,
        digests: vec![secret.digest],
    }
}

/// Comes with another id each time, as it is drawn anew.
fn again(number: u64) -> ImportedKey {
    ImportedKey { key_id: key_id(number + 1_000), ..imported(number) }
}

async fn import(db: &Database, keys: Vec<ImportedKey>, second: i64) -> Vec<ImportOutcome> {
    db.store.import_keys(keys, act(at(second))).await.unwrap().value
}

fn known(number: u64) -> ImportOutcome {
    AlreadyImported(key_id(number))
}

/// In whatever state they were.
async fn keys_are_taken_over_in_one_revision_with_an_event_each(db: Database) {
    let suspended = Lifecycle { suspended_by: Some(SuspendedBy::Platform), ..Lifecycle::default() };
    let expired = Lifecycle { expire_time: Some(at(-5)), ..Lifecycle::default() };
    let revoked = Lifecycle { revoke_time: Some(at(-5)), ..Lifecycle::default() };
    let text = ReasonText::parse(RevokeReason::Unused, "long ago").unwrap();
    let lifecycles = [Lifecycle::default(), suspended, expired, revoked];
    let keys: Vec<ImportedKey> = (1..)
        .zip(lifecycles)
        .map(|(number, lifecycle)| ImportedKey {
            lifecycle,
            revocation: lifecycle.revoke_time.map(|_| (RevokeReason::Unused, text.clone())),
            ..imported(number)
        })
        .collect();
    let expected: Vec<KeyRecord> = keys
        .iter()
        .cloned()
        .map(|key| KeyRecord {
            key_id: key.key_id,
            business_id: key.business_id,
            revision: Revision(1),
            settings: key.settings,
            lifecycle: key.lifecycle,
            revocation: key.revocation,
            rotate_time: None,
            prefix: key.prefix,
            obfuscated_secret: key.obfuscated_secret,
            creator: Actor::workload(Actor::COMMAND_LINE),
            create_time: at(-100),
            update_time: at(0),
            external_id: Some(key.external_id),
        })
        .collect();
    let done = db.store.import_keys(keys, act(at(0))).await.unwrap();
    assert_eq!(done.revision, Revision(1));
    assert_eq!(done.value, [1, 2, 3, 4].map(|number| Imported(key_id(number))));
    for (number, expected) in (1..).zip(&expected) {
        assert_eq!(&get(&db.store, number).await, expected);
    }
    let uses = db.store.usage_of_keys(vec![key_id(1)], at(0)).await.unwrap();
    assert_eq!(uses[&key_id(1)].last_use_time, Some(at(-20)));
    let changes = db.store.changes_after(Revision(0)).await.unwrap();
    assert_eq!((changes.through, changes.businesses.len()), (Revision(1), 1));
    for secret in &changes.secrets {
        assert_eq!(secret.generation, Generation::Current);
    }
    assert_eq!(changes.secrets, held(&db.store).await);

    let query = AuditQuery { business_id: None, key_id: None, after: Revision(0), limit: 1 };
    let events = db.store.list_audit_events(query).await.unwrap();
    let told: Vec<_> =
        events.into_iter().map(|event| (event.action, event.key_after.unwrap())).collect();
    let expected = expected.into_iter().map(|key| (AuditAction::ImportKey, key));
    assert_eq!(told, expected.collect::<Vec<_>>());
}

/// Also when it was rotated here meanwhile.
async fn the_same_again_is_the_same_key(db: Database) {
    import(&db, vec![imported(1)], 0).await;
    let key = change(&db.store, 1, rotate(11, None), at(1)).await.unwrap().value;
    assert_eq!(import(&db, vec![again(1)], 2).await, [known(1)]);
    assert_eq!(get(&db.store, 1).await, key);
    assert_eq!(held(&db.store).await.len(), 2);
}

async fn a_key_that_differs_is_told_and_left_alone(db: Database) {
    catalogue(&db.store, "read", scope_edit()).await;
    import(&db, vec![imported(1)], 0).await;
    let before = get(&db.store, 1).await;
    let mut other = again(1);
    other.settings.display_name = DisplayName::parse("another").unwrap();
    other.settings.scopes = scopes(["read"]);
    other.lifecycle = Lifecycle { suspended_by: Some(SuspendedBy::Business), ..other.lifecycle };
    let differs = Differs(key_id(1), vec!["display_name", "scopes", "state"]);
    assert_eq!(import(&db, vec![other], 1).await, [differs]);
    let mut other = again(1);
    other.secret = secret(2);
    other.digests = vec![digest(2)];
    let differs = Differs(key_id(1), vec!["sha256"]);
    assert_eq!(import(&db, vec![other], 1).await, [differs]);
    assert_eq!(get(&db.store, 1).await, before);
    // Elsewhere it is another key, if it has another secret.
    let mut other = ImportedKey { business_id: business("other"), ..again(1) };
    assert_eq!(import(&db, vec![other.clone()], 1).await, [SecretTaken(key_id(1))]);
    other.secret = secret(2);
    other.digests = vec![digest(2)];
    assert_eq!(import(&db, vec![other], 1).await, [Imported(key_id(1_001))]);
}

/// Rotated away, revoked, moved: it never comes back.
async fn a_secret_is_known_under_every_pepper_and_for_ever(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    change(&db.store, 1, rotate(11, None), at(1)).await.unwrap();
    create(&db.store, new_key(2), at(0)).await;
    change(&db.store, 2, revoke(), at(1)).await.unwrap();
    for (number, owner) in [(1, 1), (11, 1), (2, 2)] {
        let digests = vec![digest(100 + number), digest(number)];
        let newest = NewSecret { digest: digest(100 + number), ..secret(1) };
        let key = ImportedKey { secret: newest, digests, ..imported(50 + number) };
        assert_eq!(import(&db, vec![key], 2).await, [SecretTaken(key_id(owner))], "{number}");
    }
    let all: Vec<Digest> = held(&db.store).await.iter().map(|held| held.digest).collect();
    assert_eq!(all, [1, 2, 11].map(digest));
}

async fn twins_in_one_import_are_one_key_or_a_conflict(db: Database) {
    let mut same_secret = again(2);
    (same_secret.secret, same_secret.digests) = (secret(1), vec![digest(1)]);
    let mut same_id = again(1);
    (same_id.secret, same_id.digests) = (secret(3), vec![digest(3)]);
    let outcomes = import(&db, vec![imported(1), again(1), same_secret, same_id], 0).await;
    let differs = Differs(key_id(1), vec!["sha256"]);
    assert_eq!(outcomes, [Imported(key_id(1)), known(1), SecretTaken(key_id(1)), differs]);
    assert_eq!(held(&db.store).await.len(), 1);
}

/// Dead keys take no room.
async fn scopes_and_limits_refuse_one_key_alone(db: Database) {
    catalogue(&db.store, "read", scope_edit()).await;
    let patch = BusinessPatch { key_limit: Some(2), ..BusinessPatch::default() };
    db.store.update_business(&acme(), patch, None, act(at(0))).await.unwrap();
    create(&db.store, new_key(1), at(0)).await;
    let mut unknown = imported(2);
    unknown.settings.scopes = scopes(["read", "write"]);
    let mut good = imported(3);
    good.settings.scopes = scopes(["read"]);
    let expired = Lifecycle { expire_time: Some(at(0)), ..Lifecycle::default() };
    let dead = ImportedKey { lifecycle: expired, ..imported(5) };
    let outcomes = import(&db, vec![unknown, good, imported(4), dead], 1).await;
    let problem = vec![(scope("write"), ScopeProblem::Unknown)];
    let expected = [
        ImportOutcome::Refused(Refused::Scopes(problem)),
        Imported(key_id(3)),
        ImportOutcome::Refused(Refused::KeyLimitReached { limit: 2 }),
        Imported(key_id(5)),
    ];
    assert_eq!(outcomes, expected);
}

async fn a_look_beforehand_tells_the_same_and_changes_nothing(db: Database) {
    import(&db, vec![imported(1)], 0).await;
    let keys = vec![again(1), imported(2), again(2)];
    let before = db.store.revision().await.unwrap();
    let look = db.store.check_import_keys(keys.clone(), act(at(1))).await.unwrap();
    assert_eq!(db.store.revision().await.unwrap(), before);
    assert_eq!(look, [known(1), Imported(key_id(2)), known(2)]);
    assert_eq!(import(&db, keys, 1).await, look);
}

/// As many as there may be, of as many businesses.
async fn a_thousand_are_one_change(db: Database) {
    let of_number =
        |number| ImportedKey { business_id: business(&format!("b{number}")), ..imported(number) };
    let outcomes = import(&db, (0..1_000).map(of_number).collect(), 0).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Imported(_))));
    assert_eq!(db.store.revision().await.unwrap(), Revision(1));
    assert_eq!(db.store.changes_after(Revision(0)).await.unwrap().secrets.len(), 1_000);
    let outcomes = import(&db, (0..1_000).map(of_number).collect(), 1).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, AlreadyImported(_))));
}
