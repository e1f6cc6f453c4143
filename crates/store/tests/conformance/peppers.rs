//! A database knows its peppers: a wrong one, or none, is found before it makes good keys unknown.

use apikey::{
    clock::Timestamp,
    digest::{PepperSet, PepperVersion},
};
use keyward_store::{
    change::KeyChange,
    peppers::PepperProblem,
    record::{NewKey, NewSecret},
};

use crate::{database::Database, samples::*};

on_each_engine![
    a_pepper_is_remembered_from_its_first_sight,
    peppers_that_do_not_fit_are_not_remembered,
    a_pepper_is_needed_by_every_secret_in_force,
    a_pepper_is_needed_while_denials_are_recognised,
];

async fn a_pepper_is_remembered_from_its_first_sight(db: Database) {
    assert_eq!(check(&db, &[(1, 'a')], at(0)).await, Ok(()));
    assert_eq!(check(&db, &[(1, 'a')], at(0)).await, Ok(()));
    assert_eq!(check(&db, &[(1, 'b')], at(0)).await, Err(different(1)));
    assert_eq!(check(&db, &[(2, 'b'), (1, 'a')], at(0)).await, Ok(()));
    assert_eq!(check(&db, &[(2, 'c'), (1, 'a')], at(0)).await, Err(different(2)));
    // Not needed by any secret, so it may be gone.
    assert_eq!(check(&db, &[(2, 'b')], at(0)).await, Ok(()));
}

/// A mistaken file must not make the right one wrong.
async fn peppers_that_do_not_fit_are_not_remembered(db: Database) {
    assert_eq!(check(&db, &[(1, 'a')], at(0)).await, Ok(()));
    create(&db.store, new_key(1), at(0)).await;
    assert_eq!(check(&db, &[(2, 'd'), (1, 'e')], at(0)).await, Err(different(1)));
    assert_eq!(check(&db, &[(2, 'd')], at(0)).await, Err(missing(1, 1)));
    assert_eq!(check(&db, &[(2, 'b'), (1, 'a')], at(0)).await, Ok(()));
}

async fn a_pepper_is_needed_by_every_secret_in_force(db: Database) {
    for (number, version) in [(1, 1), (2, 2), (3, 2), (4, 300)] {
        create(&db.store, under(number, version), at(0)).await;
    }
    assert_eq!(check(&db, &[(7, 'a')], at(0)).await, Err(missing(1, 1)));
    assert_eq!(check(&db, &[(1, 'a')], at(0)).await, Err(missing(2, 2)));
    assert_eq!(check(&db, &[(1, 'a'), (2, 'a')], at(0)).await, Err(missing(300, 1)));
    assert_eq!(check(&db, &[(1, 'a'), (2, 'a'), (300, 'a')], at(0)).await, Ok(()));
}

/// A revoked key's secret and a replaced one are denied as such for a while, and then as unknown.
async fn a_pepper_is_needed_while_denials_are_recognised(db: Database) {
    create(&db.store, under(1, 1), at(0)).await;
    create(&db.store, under(2, 2), at(0)).await;
    change(&db.store, 1, revoke(), at(10)).await.unwrap();
    let next = KeyChange::Rotate {
        secret: under(12, 3).secret,
        obfuscated_secret: String::new(),
        expire_time: None,
    };
    change(&db.store, 2, next, at(20)).await.unwrap();
    for (second, expected) in
        [(9, Err(missing(1, 1))), (10, Err(missing(2, 1))), (19, Err(missing(2, 1))), (20, Ok(()))]
    {
        assert_eq!(check(&db, &[(3, 'a')], at(second)).await, expected, "since {second}");
    }
}

/// Peppers by version, each of one hexadecimal digit.
async fn check(
    db: &Database,
    peppers: &[(u16, char)],
    recognised_since: Timestamp,
) -> Result<(), PepperProblem> {
    let line = |(version, digit): &(u16, char)| {
        format!("{version} {digits}\n", digits = digit.to_string().repeat(64))
    };
    let peppers = PepperSet::parse(&peppers.iter().map(line).collect::<String>()).unwrap();
    db.store.check_peppers(&peppers, recognised_since, at(99)).await.unwrap()
}

fn version(number: u16) -> PepperVersion {
    PepperVersion::new(number).unwrap()
}

fn under(number: u64, pepper: u16) -> NewKey {
    let secret = NewSecret { pepper_version: version(pepper), ..secret(number) };
    NewKey { secret, ..new_key(number) }
}

fn different(number: u16) -> PepperProblem {
    PepperProblem::Different { version: version(number) }
}

fn missing(version: u16, secrets: i64) -> PepperProblem {
    PepperProblem::Missing { version, secrets }
}
