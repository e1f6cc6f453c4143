//! The scope catalogue: edits, retirement and lists.

use apikey::{catalogue::AssignableBy, endpoint::Template, settings::Description};
use keyward_store::{
    catalogue::{ScopeChange, ScopeEdit, ScopeMask},
    error::Refused,
    record::{NewKey, Revision, ScopeRecord},
};

use crate::{database::Database, samples::*};

on_each_engine![
    a_missing_scope_is_made_only_where_allowed,
    an_edit_changes_what_its_mask_names,
    an_edit_tells_how_many_live_keys_it_concerns,
    a_scope_in_use_is_retired_only_by_force,
    a_retired_scope_is_never_changed_again,
    scopes_are_listed_by_name_in_pages,
    lists_leave_out_what_is_retired_or_of_the_other_kind,
];

const NOTHING: ScopeMask = ScopeMask { description: false, assignable_by: false, endpoints: false };

/// And then with all its values, whatever the mask.
async fn a_missing_scope_is_made_only_where_allowed(db: Database) {
    let edit = ScopeEdit { mask: NOTHING, ..other_edit() };
    let refused = db.store.update_scope(&scope("read"), edit.clone(), false, act(at(1))).await;
    assert_eq!(refusal(refused), Refused::ScopeNotFound);
    let made = db.store.update_scope(&scope("read"), edit, true, act(at(2))).await.unwrap();
    let ScopeEdit { description, assignable_by, endpoints, mask: _ } = other_edit();
    let expected = ScopeRecord {
        name: scope("read"),
        revision: Revision(1),
        description,
        assignable_by,
        endpoints,
        retire_time: None,
        create_time: at(2),
        update_time: at(2),
    };
    assert_eq!((made.revision, made.value.scope), (Revision(1), expected.clone()));
    assert_eq!(all(&db).await, [expected]);
}

async fn an_edit_changes_what_its_mask_names(db: Database) {
    let other = other_edit();
    for (name, mask) in [
        ("nothing", NOTHING),
        ("description", ScopeMask { description: true, ..NOTHING }),
        ("assignable_by", ScopeMask { assignable_by: true, ..NOTHING }),
        ("endpoints", ScopeMask { endpoints: true, ..NOTHING }),
        ("everything", ScopeMask::ALL),
    ] {
        let mut expected = catalogue(&db.store, name, scope_edit()).await;
        let edit = ScopeEdit { mask, ..other.clone() };
        let edited = db.store.update_scope(&scope(name), edit, false, act(at(1))).await.unwrap();
        if mask.description {
            expected.description = other.description.clone();
        }
        if mask.assignable_by {
            expected.assignable_by = other.assignable_by;
        }
        if mask.endpoints {
            expected.endpoints = other.endpoints.clone();
        }
        if name != "nothing" {
            expected.update_time = at(1);
            expected.revision = edited.revision;
        }
        assert_eq!(edited.value.scope, expected);
        assert!(all(&db).await.contains(&expected), "{name}");
    }
}

/// Beforehand, and when it is done: dead keys, and keys of scopes with nothing in common, do not count.
async fn an_edit_tells_how_many_live_keys_it_concerns(db: Database) {
    let covering = |templates: &[&str]| ScopeEdit {
        endpoints: templates.iter().map(|text| Template::parse(text).unwrap()).collect(),
        ..scope_edit()
    };
    catalogue(&db.store, "all", covering(&["billing ANY /**"])).await;
    catalogue(&db.store, "one", covering(&[])).await;
    catalogue(&db.store, "far", covering(&["shipping ANY /**"])).await;
    for (number, held) in [
        (1, scopes(["all"])),
        (2, scopes(["one"])),
        (3, scopes(["all", "one"])),
        (4, scopes(["one", "far"])),
        (5, scopes(["far"])),
        (6, scopes([])),
        (7, scopes(["one"])),
        (8, scopes(["one"])),
    ] {
        let mut new = new_key(number);
        new.settings.scopes = held;
        new.expire_time = (number == 8).then_some(at(1));
        create(&db.store, new, at(0)).await;
    }
    change(&db.store, 7, revoke(), at(1)).await.unwrap();
    let check = async |edit: ScopeEdit| {
        let (name, before) = (scope("one"), all(&db).await);
        let preview = db.store.check_update_scope(&name, edit.clone(), false, at(2)).await.unwrap();
        assert_eq!(all(&db).await, before);
        let done = db.store.update_scope(&name, edit, false, act(at(2))).await.unwrap().value;
        let concerns = |change: &ScopeChange| (change.widened_keys, change.narrowed_keys);
        assert_eq!(concerns(&preview), concerns(&done));
        assert_eq!(preview.scope.endpoints, done.scope.endpoints);
        concerns(&done)
    };
    // What `one` gains it takes from `all`.
    assert_eq!(check(covering(&["billing GET /a"])).await, (2, 1));
    assert_eq!(check(covering(&["billing GET /a"])).await, (0, 0));
    assert_eq!(check(covering(&[])).await, (1, 2));
    let to_operators = ScopeEdit { assignable_by: AssignableBy::Operators, ..covering(&[]) };
    assert_eq!(check(to_operators).await, (0, 0));
}

/// A key holds it while it lives, and by the scope's whole name.
async fn a_scope_in_use_is_retired_only_by_force(db: Database) {
    catalogue(&db.store, "read", scope_edit()).await;
    let other = catalogue(&db.store, "read.all", scope_edit()).await;
    for number in 1..=4 {
        let mut new = NewKey { business_id: business(&format!("b{number}")), ..new_key(number) };
        new.settings.scopes = if number == 4 { scopes(["read.all"]) } else { scopes(["read"]) };
        new.expire_time = (number == 2).then_some(at(5));
        create(&db.store, new, at(0)).await;
    }
    db.store
        .change_key(target(&business("b3"), key_id(3)), revoke(), None, act(at(1)))
        .await
        .unwrap();

    let retire =
        async |force, second| db.store.retire_scope(&scope("read"), force, act(at(second))).await;
    assert_eq!(refusal(retire(false, 4).await), Refused::ScopeInUse { live_keys: 2 });
    assert_eq!(refusal(retire(false, 5).await), Refused::ScopeInUse { live_keys: 1 });
    let preview = db.store.check_retire_scope(&scope("read"), false, at(5)).await;
    assert_eq!(refusal(preview), Refused::ScopeInUse { live_keys: 1 });
    let preview = db.store.check_retire_scope(&scope("read"), true, at(5)).await.unwrap();
    let change = retire(true, 5).await.unwrap();
    let retired = change.value.scope.clone();
    assert_eq!((retired.retire_time, retired.update_time), (Some(at(5)), at(5)));
    assert_eq!((change.value.narrowed_keys, change.value.widened_keys), (1, 0));
    // But for the place in the history, which it has not taken.
    let revision = change.revision;
    let preview = ScopeChange { scope: ScopeRecord { revision, ..preview.scope }, ..preview };
    assert_eq!(preview, change.value);
    assert_eq!(all(&db).await, [retired, other]);
}

async fn a_retired_scope_is_never_changed_again(db: Database) {
    catalogue(&db.store, "read", scope_edit()).await;
    let retire = async |second| db.store.retire_scope(&scope("read"), false, act(at(second))).await;
    let retired = retire(1).await.unwrap().value.scope;
    for allow_missing in [false, true] {
        let edited =
            db.store.update_scope(&scope("read"), other_edit(), allow_missing, act(at(2))).await;
        assert_eq!(refusal(edited), Refused::ScopeRetired);
        let name = &scope("read");
        let preview = db.store.check_update_scope(name, other_edit(), allow_missing, at(2)).await;
        assert_eq!(refusal(preview), Refused::ScopeRetired);
    }
    let again = retire(3).await.unwrap().value;
    assert_eq!((&again.scope, again.narrowed_keys), (&retired, 0));
    assert_eq!(all(&db).await, [retired]);
    let missing = db.store.retire_scope(&scope("missing"), true, act(at(3))).await;
    assert_eq!(refusal(missing), Refused::ScopeNotFound);
}

async fn scopes_are_listed_by_name_in_pages(db: Database) {
    let in_order = ["A", "B_", "Ba", "_", "a", "a-b", "a.b", "aB", "ab", "b"];
    for name in in_order.iter().rev() {
        catalogue(&db.store, name, scope_edit()).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = db.store.list_scopes(after, true, None, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.name.clone());
        seen.extend(page.into_iter().map(|scope| scope.name));
    }
    assert_eq!(seen, in_order.map(scope));
}

async fn lists_leave_out_what_is_retired_or_of_the_other_kind(db: Database) {
    use AssignableBy::{Operators, Users};
    for (name, assignable_by) in [
        ("operators", Operators),
        ("retired.operators", Operators),
        ("retired.users", Users),
        ("users", Users),
    ] {
        catalogue(&db.store, name, ScopeEdit { assignable_by, ..scope_edit() }).await;
        if name.starts_with("retired") {
            db.store.retire_scope(&scope(name), false, act(at(1))).await.unwrap();
        }
    }
    for (include_retired, assignable_by, expected) in [
        (false, None, &["operators", "users"][..]),
        (true, None, &["operators", "retired.operators", "retired.users", "users"]),
        (false, Some(Users), &["users"]),
        (true, Some(Users), &["retired.users", "users"]),
        (false, Some(Operators), &["operators"]),
        (true, Some(Operators), &["operators", "retired.operators"]),
    ] {
        let listed = db.store.list_scopes(None, include_retired, assignable_by, 9).await.unwrap();
        let names: Vec<_> = listed.iter().map(|scope| scope.name.as_str()).collect();
        assert_eq!(names, expected);
    }
}

/// Differs from `scope_edit` in each value.
fn other_edit() -> ScopeEdit {
    let endpoints = ["stock ANY /v1/items/**", "billing gRPC /acme.Billing/*", "stock GET /a%2Cb"];
    ScopeEdit {
        description: Description::parse("What it \"is\" for,\n{in} 'words' 🗝").unwrap(),
        assignable_by: AssignableBy::Operators,
        endpoints: endpoints.map(|text| Template::parse(text).unwrap()).to_vec(),
        mask: ScopeMask::ALL,
    }
}

async fn all(db: &Database) -> Vec<ScopeRecord> {
    db.store.list_scopes(None, true, None, 100).await.unwrap()
}
