//! Making a key, finding it, and nobody else's.

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    id::BusinessId,
    lifecycle::Lifecycle,
    scope::{SCOPES_MAX, ScopeSet},
    secret::Prefix,
    settings::{Annotations, Description, DisplayName},
};
use keyward_store::{
    error::{ChangeError, Refused, ScopeProblem, StoreError},
    record::{Actor, KeyRecord, NewKey, Revision, Settings},
};

use crate::{database::Database, samples::*};

on_each_engine![
    every_field_comes_back_as_it_went_in,
    a_key_is_found_by_business_and_id_together,
    a_business_exists_from_its_first_key,
    a_business_is_mentioned_once,
    asking_whether_a_key_may_be_made_makes_nothing,
    a_digest_is_stored_once,
];

/// The least, the most, and what has a meaning to JSON, to SQL or to an array's text.
async fn every_field_comes_back_as_it_went_in(db: Database) {
    for (new, revision) in [least(), most(), awkward()].into_iter().zip(1..) {
        let now = Timestamp::from_micros(1_790_000_000_000_001);
        let expected = record(new.clone(), Revision(revision), now);
        let created = db.store.create_key(new, AssignableBy::Users, None, act(now)).await.unwrap();
        assert_eq!((created.revision, &created.value), (Revision(revision), &expected));
        let found = db.store.get_key(&expected.business_id, expected.key_id).await.unwrap();
        assert_eq!(found.unwrap(), expected);
    }
}

async fn a_key_is_found_by_business_and_id_together(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    let other = NewKey { business_id: business("Acme"), ..new_key(2) };
    create(&db.store, other, at(0)).await;
    for (name, number, is_there) in
        [("acme", 1, true), ("Acme", 2, true), ("acme", 2, false), ("Acme", 1, false)]
    {
        let business_id = business(name);
        let found = db.store.get_key(&business_id, key_id(number)).await.unwrap();
        assert_eq!(found.is_some(), is_there, "{name} {number}");
        let changed = db
            .store
            .change_key(target(&business_id, key_id(number)), revoke(), None, act(at(1)))
            .await;
        assert_eq!(changed.is_ok(), is_there, "{name} {number}");
        if let Err(error) = changed {
            assert_eq!(refusal::<()>(Err(error)), Refused::KeyNotFound);
        }
    }
}

async fn a_business_exists_from_its_first_key(db: Database) {
    let mut refused = new_key(1);
    refused.settings.scopes = scopes(["unheard.of"]);
    refusal(db.store.create_key(refused, AssignableBy::Users, None, act(at(0))).await);
    assert_eq!(businesses(&db).await, [""; 0]);
    create(&db.store, new_key(1), at(0)).await;
    assert_eq!(businesses(&db).await, ["acme"]);
}

/// A second key changes nothing of the business: not its limit, and not its place in the history.
async fn a_business_is_mentioned_once(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    db.execute("update businesses set key_limit = 7").unwrap();
    let row = || db.lines("select rev || ' ' || key_limit as line from businesses");
    let before = row();
    assert!(before[0].ends_with(" 7"), "{before:?}");
    create(&db.store, new_key(2), at(1)).await;
    assert_eq!(row(), before);
}

async fn asking_whether_a_key_may_be_made_makes_nothing(db: Database) {
    let ask = async |names: ScopeSet| {
        db.store.check_new_key(&acme(), &names, AssignableBy::Users, None, &act(at(0))).await
    };
    ask(scopes([])).await.unwrap();
    let unknown = vec![(scope("unheard.of"), ScopeProblem::Unknown)];
    assert_eq!(refusal(ask(scopes(["unheard.of"])).await), Refused::Scopes(unknown));
    assert_eq!(businesses(&db).await, [""; 0]);
    assert_eq!(db.store.revision().await.unwrap(), Revision(0));

    create(&db.store, new_key(1), at(0)).await;
    db.execute("update businesses set key_limit = 1").unwrap();
    assert_eq!(refusal(ask(scopes([])).await), Refused::KeyLimitReached { limit: 1 });
}

/// Also not for another key, and a conflict leaves nothing behind.
async fn a_digest_is_stored_once(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    create(&db.store, new_key(2), at(0)).await;
    let same = NewKey { secret: secret(1), ..new_key(3) };
    let created = db.store.create_key(same, AssignableBy::Users, None, act(at(1))).await;
    let rotated = change(&db.store, 2, rotate(1, None), at(1)).await;
    for result in [created, rotated] {
        let error = result.unwrap_err();
        assert!(matches!(error, ChangeError::Store(StoreError::Conflict(_))), "{error}");
    }
    assert_eq!(db.store.get_key(&acme(), key_id(3)).await.unwrap(), None);
    assert_eq!(db.store.revision().await.unwrap(), Revision(2));
    assert_eq!(get(&db.store, 2).await.rotate_time, None);
}

fn least() -> NewKey {
    NewKey { creator: Actor::workload(""), obfuscated_secret: String::new(), ..new_key(1) }
}

fn most() -> NewKey {
    let scopes = (0..SCOPES_MAX).map(|n| scope(&format!("{n:064}")));
    let value = "v".repeat(Annotations::MAX_BYTES / Annotations::MAX_ENTRIES - 2);
    let annotations = (0..Annotations::MAX_ENTRIES).map(|n| (format!("{n:02}"), value.clone()));
    NewKey {
        business_id: BusinessId::keyward(),
        settings: Settings {
            display_name: DisplayName::parse(&"🗝".repeat(DisplayName::MAX_LENGTH)).unwrap(),
            description: Description::parse(&"🗝".repeat(Description::MAX_LENGTH)).unwrap(),
            scopes: ScopeSet::from_names(scopes).unwrap(),
            annotations: Annotations::from_entries(annotations).unwrap(),
        },
        expire_time: Some(Timestamp::MAX),
        prefix: Prefix::parse(&"p".repeat(Prefix::MAX_LENGTH)).unwrap(),
        obfuscated_secret: "s".repeat(512),
        creator: Actor {
            caller: "c".repeat(512),
            user_issuer: "i".repeat(512),
            user_subject: "s".repeat(512),
        },
        ..new_key(u64::MAX)
    }
}

fn awkward() -> NewKey {
    let annotations = [("a/b", r#"{"c": [null, "\u0041"]}"#), ("empty", ""), ("quote", "'\"\\%_")];
    let annotations = annotations.map(|(key, value)| (key.to_owned(), value.to_owned()));
    NewKey {
        business_id: BusinessId::keyward(),
        settings: Settings {
            display_name: DisplayName::parse(" ' \"Ⅷ\" \\ é e\u{301} ").unwrap(),
            description: Description::parse("\n\t'; drop table keys; --\n").unwrap(),
            scopes: scopes(["NULL", "{a,b}", "'", ",", "[1]", "null", "%"]),
            annotations: Annotations::from_entries(annotations).unwrap(),
        },
        ..new_key(2)
    }
}

/// What is to be read of a key that nothing has happened to.
fn record(new: NewKey, revision: Revision, now: Timestamp) -> KeyRecord {
    let NewKey {
        key_id,
        business_id,
        settings,
        expire_time,
        prefix,
        obfuscated_secret,
        creator,
        secret: _,
    } = new;
    KeyRecord {
        key_id,
        business_id,
        revision,
        settings,
        lifecycle: Lifecycle { expire_time, ..Lifecycle::default() },
        revocation: None,
        rotate_time: None,
        prefix,
        obfuscated_secret,
        creator,
        create_time: now,
        update_time: now,
        external_id: None,
    }
}

async fn businesses(db: &Database) -> Vec<String> {
    let held = db.store.held_businesses(None, i64::MAX).await.unwrap();
    held.into_iter().map(|held| held.business_id.to_string()).collect()
}
