//! The filters of lists: each alone, and all that are set together.

use apikey::{
    lifecycle::{State, SuspendedBy},
    settings::DisplayName,
};
use keyward_store::{
    change::KeyChange,
    list::{KeyFilter, KeyQuery},
    record::NewKey,
};

use crate::{database::Database, samples::*};

on_each_engine![
    states_are_those_of_the_moment,
    a_scope_is_held_by_its_whole_name,
    an_expiry_before_a_moment_needs_an_expiry,
    obfuscated_secrets_are_equal_or_not,
    names_hold_a_part_as_it_is_written,
    all_that_is_set_must_hold,
];

/// Revoked over expired over suspended over active, for every mixture of the three.
async fn states_are_those_of_the_moment(db: Database) {
    for number in 0..8 {
        let expire_time = (number & 1 != 0).then_some(at(5));
        create(&db.store, NewKey { expire_time, ..new_key(number) }, at(0)).await;
        if number & 2 != 0 {
            let suspend = KeyChange::Suspend(SuspendedBy::Business);
            change(&db.store, number, suspend, at(1)).await.unwrap();
        }
        if number & 4 != 0 {
            change(&db.store, number, revoke(), at(2)).await.unwrap();
        }
    }
    use State::{Active, Expired, Revoked, Suspended};
    for (second, states, expected) in [
        (4, &[Active][..], &[1, 0][..]),
        (4, &[Suspended], &[3, 2]),
        (4, &[Expired], &[]),
        (4, &[Revoked], &[7, 6, 5, 4]),
        (5, &[Active], &[0]),
        (5, &[Suspended], &[2]),
        (5, &[Expired], &[3, 1]),
        (5, &[Revoked], &[7, 6, 5, 4]),
        (5, &[Active, Expired], &[3, 1, 0]),
        (5, &[], &[7, 6, 5, 4, 3, 2, 1, 0]),
    ] {
        let filter = KeyFilter { states: states.to_vec(), ..KeyFilter::default() };
        assert_eq!(listed(&db, filter, second).await, expected, "{states:?} at {second}");
    }
}

async fn a_scope_is_held_by_its_whole_name(db: Database) {
    for name in ["read", "read.all", "Read", "a,b", "%"] {
        catalogue(&db.store, name, scope_edit()).await;
    }
    for (number, names) in
        [(1, scopes(["read"])), (2, scopes(["read.all", "a,b"])), (3, scopes(["Read", "read"]))]
    {
        let mut new = new_key(number);
        new.settings.scopes = names;
        create(&db.store, new, at(0)).await;
    }
    for (name, expected) in [
        ("read", &[3, 1][..]),
        ("Read", &[3]),
        ("a,b", &[2]),
        ("a", &[]),
        ("%", &[]),
        ("none", &[]),
    ] {
        let filter = KeyFilter { scope: Some(scope(name)), ..KeyFilter::default() };
        assert_eq!(listed(&db, filter, 0).await, expected, "{name}");
    }
}

async fn an_expiry_before_a_moment_needs_an_expiry(db: Database) {
    for (number, expire_time) in [(1, None), (2, Some(at(5))), (3, Some(at(6)))] {
        create(&db.store, NewKey { expire_time, ..new_key(number) }, at(0)).await;
    }
    for (second, expected) in [(5, &[][..]), (6, &[2]), (7, &[3, 2])] {
        let filter = KeyFilter { expire_before: Some(at(second)), ..KeyFilter::default() };
        assert_eq!(listed(&db, filter, 0).await, expected);
    }
}

async fn obfuscated_secrets_are_equal_or_not(db: Database) {
    for (number, obfuscated) in [(1, "kw_…aB12"), (2, "kw_…ab12")] {
        let obfuscated_secret = obfuscated.to_owned();
        create(&db.store, NewKey { obfuscated_secret, ..new_key(number) }, at(0)).await;
    }
    for (text, expected) in [("kw_…aB12", &[1][..]), ("kw_…", &[]), ("", &[]), ("kw_%", &[])] {
        let filter = KeyFilter { obfuscated_secret: Some(text.to_owned()), ..KeyFilter::default() };
        assert_eq!(listed(&db, filter, 0).await, expected, "{text}");
    }
}

async fn names_hold_a_part_as_it_is_written(db: Database) {
    for (number, name) in [(1, "Größe 100%"), (2, "größe_100"), (3, "100")] {
        let mut new = new_key(number);
        new.settings.display_name = DisplayName::parse(name).unwrap();
        create(&db.store, new, at(0)).await;
    }
    for (part, expected) in [
        ("Gr", &[1][..]),
        ("röße", &[2, 1]),
        ("Ö", &[]),
        ("100", &[3, 2, 1]),
        ("%", &[1]),
        ("_", &[2]),
        ("", &[3, 2, 1]),
    ] {
        let filter = KeyFilter { display_name_part: Some(part.to_owned()), ..KeyFilter::default() };
        assert_eq!(listed(&db, filter, 0).await, expected, "{part}");
    }
}

/// One key has it all; each of the others lacks one thing.
async fn all_that_is_set_must_hold(db: Database) {
    catalogue(&db.store, "read", scope_edit()).await;
    for number in 0..6 {
        let mut new = new_key(number);
        new.expire_time = (number != 1).then_some(at(9));
        let name = if number == 2 { "a lock" } else { "a key" };
        new.settings.display_name = DisplayName::parse(name).unwrap();
        if number != 3 {
            new.settings.scopes = scopes(["read"]);
        }
        new.obfuscated_secret = if number == 4 { "other" } else { "same" }.to_owned();
        create(&db.store, new, at(0)).await;
    }
    change(&db.store, 5, revoke(), at(1)).await.unwrap();
    let filter = KeyFilter {
        states: vec![State::Active, State::Suspended],
        scope: Some(scope("read")),
        expire_before: Some(at(10)),
        obfuscated_secret: Some("same".to_owned()),
        display_name_part: Some("key".to_owned()),
        never_used: true,
        unused_since: Some(at(2)),
    };
    assert_eq!(listed(&db, filter, 2).await, [0]);
}

async fn listed(db: &Database, filter: KeyFilter, second: i64) -> Vec<u128> {
    let query = KeyQuery { business_ids: vec![acme()], filter, after: None, limit: 100 };
    let keys = db.store.list_keys(query, at(second)).await.unwrap();
    keys.iter().map(|key| u128::from_be_bytes(*key.key_id.as_bytes())).collect()
}
