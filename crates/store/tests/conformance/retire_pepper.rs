//! A pepper is given up only by somebody who knows what goes with it.

use apikey::{
    clock::Timestamp,
    digest::{PepperSet, PepperVersion},
};
use keyward_store::{
    peppers::{DigestMove, PepperProblem, PepperUse, RetireRefused},
    record::{NewKey, NewSecret},
};

use crate::{database::Database, samples::*};

on_each_engine![
    its_use_is_told_live_and_dead,
    it_is_retired_by_naming_what_goes_with_it,
    a_retired_pepper_is_needed_no_more_and_taken_no_more,
];

fn version(number: u16) -> PepperVersion {
    PepperVersion::new(number).unwrap()
}

fn of(live: i64, dead: i64) -> PepperUse {
    PepperUse { live, dead }
}

/// Peppers by version, each of one hexadecimal digit.
async fn check(db: &Database, peppers: &[(u16, char)]) -> Result<(), PepperProblem> {
    let line = |(version, digit): &(u16, char)| {
        format!("{version} {digits}\n", digits = digit.to_string().repeat(64))
    };
    let peppers = PepperSet::parse(&peppers.iter().map(line).collect::<String>()).unwrap();
    db.store.check_peppers(&peppers, Timestamp::MIN, at(0)).await.unwrap()
}

/// Under pepper 1: a live key, one that was rotated, a revoked one, an expired one, and a secret that
/// was moved to pepper 2.
async fn some_of_each(db: &Database) {
    check(db, &[(1, 'a'), (2, 'b')]).await.unwrap();
    for number in 1..=5 {
        let expire_time = (number == 4).then_some(at(3));
        create(&db.store, NewKey { expire_time, ..new_key(number) }, at(0)).await;
    }
    change(&db.store, 2, rotate(12, None), at(1)).await.unwrap();
    change(&db.store, 3, revoke(), at(1)).await.unwrap();
    let to = NewSecret { digest: digest(15), pepper_version: version(2) };
    db.store.move_digests(vec![DigestMove { from: digest(5), to }], at(1)).await.unwrap();
}

async fn its_use_is_told_live_and_dead(db: Database) {
    some_of_each(&db).await;
    let uses = async |second| db.store.pepper_uses(at(second)).await.unwrap();
    assert_eq!(uses(2).await, [(version(1), of(3, 2)), (version(2), of(1, 0))]);
    assert_eq!(uses(3).await, [(version(1), of(2, 3)), (version(2), of(1, 0))]);
}

async fn it_is_retired_by_naming_what_goes_with_it(db: Database) {
    some_of_each(&db).await;
    let retire = async |number, expected| {
        db.store.retire_pepper(version(number), expected, at(3)).await.unwrap()
    };
    assert_eq!(retire(1, of(0, 0)).await, Err(RetireRefused::OtherUse(of(2, 3))));
    assert_eq!(retire(7, of(0, 0)).await, Err(RetireRefused::Unknown));
    assert_eq!(retire(1, of(2, 3)).await, Ok(()));
    assert_eq!(retire(1, of(2, 3)).await, Err(RetireRefused::Again));
    assert_eq!(db.store.pepper_uses(at(3)).await.unwrap(), [(version(2), of(1, 0))]);
}

async fn a_retired_pepper_is_needed_no_more_and_taken_no_more(db: Database) {
    some_of_each(&db).await;
    let missing = PepperProblem::Missing { version: 1, secrets: 5 };
    assert_eq!(check(&db, &[(2, 'b')]).await, Err(missing));
    db.store.retire_pepper(version(1), of(2, 3), at(3)).await.unwrap().unwrap();
    assert_eq!(check(&db, &[(2, 'b')]).await, Ok(()));
    let retired = PepperProblem::Retired { version: version(1) };
    assert_eq!(check(&db, &[(1, 'a'), (2, 'b')]).await, Err(retired));
}
