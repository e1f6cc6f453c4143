//! A key is given the scopes that are live and that its giver may give.

use apikey::{catalogue::AssignableBy, id::BusinessId};
use keyward_store::{
    catalogue::ScopeEdit,
    change::{KeyChange, SettingsPatch},
    error::{Refused, ScopeProblem::*},
    record::NewKey,
};

use crate::{database::Database, samples::*};

on_each_engine![
    every_scope_that_cannot_be_given_is_named,
    operators_give_what_users_cannot,
    what_a_key_holds_it_keeps_while_others_are_added,
    the_reserved_business_is_not_checked,
];

/// What only the platform gives looks to users like what is not there.
async fn every_scope_that_cannot_be_given_is_named(db: Database) {
    fill_catalogue(&db).await;
    let wanted = scopes(["users", "retired", "unheard.of", "operators", "Users"]);
    let expected = || {
        Refused::Scopes(vec![
            (scope("Users"), Unknown),
            (scope("operators"), Unknown),
            (scope("retired"), Retired),
            (scope("unheard.of"), Unknown),
        ])
    };
    let mut new = new_key(1);
    new.settings.scopes = wanted.clone();
    let checked =
        db.store.check_new_key(&acme(), &wanted, AssignableBy::Users, None, &act(at(1))).await;
    assert_eq!(refusal(checked), expected());
    let created = db.store.create_key(new, AssignableBy::Users, None, act(at(1))).await;
    assert_eq!(refusal(created), expected());

    create(&db.store, new_key(1), at(1)).await;
    let patch = SettingsPatch { scopes: Some(wanted), ..SettingsPatch::default() };
    assert_eq!(refusal(change(&db.store, 1, update(patch), at(2)).await), expected());
    assert!(get(&db.store, 1).await.settings.scopes.is_empty());
}

async fn operators_give_what_users_cannot(db: Database) {
    fill_catalogue(&db).await;
    let mut new = new_key(1);
    new.settings.scopes = scopes(["operators", "users"]);
    db.store.create_key(new, AssignableBy::Operators, None, act(at(1))).await.unwrap();
    create(&db.store, new_key(2), at(1)).await;
    change(&db.store, 2, rescope_by_operators(["operators", "users"]), at(2)).await.unwrap();
    for number in [1, 2] {
        let held = get(&db.store, number).await.settings.scopes;
        assert_eq!(held, scopes(["operators", "users"]));
    }
    let retired = change(&db.store, 2, rescope_by_operators(["retired"]), at(3)).await;
    assert_eq!(refusal(retired), Refused::Scopes(vec![(scope("retired"), Retired)]));
}

/// But given up, it does not come back.
async fn what_a_key_holds_it_keeps_while_others_are_added(db: Database) {
    fill_catalogue(&db).await;
    catalogue(&db.store, "retires", scope_edit()).await;
    let mut new = new_key(1);
    new.settings.scopes = scopes(["operators", "retires"]);
    db.store.create_key(new, AssignableBy::Operators, None, act(at(1))).await.unwrap();
    db.store.retire_scope(&scope("retires"), true, act(at(2))).await.unwrap();

    let more = change(&db.store, 1, rescope(["operators", "retires", "users"]), at(3)).await;
    assert_eq!(more.unwrap().value.settings.scopes, scopes(["operators", "retires", "users"]));
    change(&db.store, 1, rescope([]), at(4)).await.unwrap();
    let problems = vec![(scope("operators"), Unknown), (scope("retires"), Retired)];
    let back = change(&db.store, 1, rescope(["operators", "retires", "users"]), at(5)).await;
    assert_eq!(refusal(back), Refused::Scopes(problems));
}

/// Its scopes are built in, and not in the table.
async fn the_reserved_business_is_not_checked(db: Database) {
    let mut new = NewKey { business_id: BusinessId::keyward(), ..new_key(1) };
    new.settings.scopes = scopes(["keyward.verify"]);
    create(&db.store, new, at(0)).await;
    let more = rescope(["keyward.manage", "keyward.verify"]);
    db.store
        .change_key(target(&BusinessId::keyward(), key_id(1)), more, None, act(at(1)))
        .await
        .unwrap();
}

async fn fill_catalogue(db: &Database) {
    catalogue(&db.store, "users", scope_edit()).await;
    let operators = ScopeEdit { assignable_by: AssignableBy::Operators, ..scope_edit() };
    catalogue(&db.store, "operators", operators).await;
    catalogue(&db.store, "retired", scope_edit()).await;
    db.store.retire_scope(&scope("retired"), false, act(at(0))).await.unwrap();
}

fn rescope_by_operators<const N: usize>(names: [&str; N]) -> KeyChange {
    let patch = SettingsPatch { scopes: Some(scopes(names)), ..SettingsPatch::default() };
    KeyChange::Update { patch, assigner: AssignableBy::Operators }
}
