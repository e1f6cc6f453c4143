//! The one history: each change takes the next place in it, and a refused one takes none.

use apikey::{
    catalogue::AssignableBy, clock::Timestamp, id::BusinessId, lifecycle::SuspendedBy,
    scope::built_in,
};
use keyward_store::{
    catalogue::ScopeEdit,
    change::KeyChange,
    record::{NewKey, Revision},
};

use crate::{database::Database, samples::*};

on_each_engine![
    each_change_takes_the_next_place,
    a_refused_change_takes_no_place,
    a_change_without_effect_takes_a_place_and_leaves_the_row,
];

async fn each_change_takes_the_next_place(db: Database) {
    let store = &db.store;
    assert_eq!(store.revision().await.unwrap(), Revision(0));
    let scope_name = scope("read");
    let by = SuspendedBy::Business;
    let taken = [
        store.update_scope(&scope_name, scope_edit(), true, act(at(0))).await.unwrap().revision,
        store.create_key(new_key(1), AssignableBy::Users, None, act(at(1))).await.unwrap().revision,
        change(store, 1, rename("another"), at(2)).await.unwrap().revision,
        change(store, 1, rotate(2, None), at(3)).await.unwrap().revision,
        change(store, 1, KeyChange::Suspend(by), at(4)).await.unwrap().revision,
        change(store, 1, KeyChange::Resume(by), at(5)).await.unwrap().revision,
        change(store, 1, revoke(), at(6)).await.unwrap().revision,
        store.retire_scope(&scope_name, false, act(at(7))).await.unwrap().revision,
    ];
    assert_eq!(taken, [1, 2, 3, 4, 5, 6, 7, 8].map(Revision));
    assert_eq!(store.revision().await.unwrap(), Revision(8));
    assert_eq!(get(store, 1).await.revision, Revision(7));
}

async fn a_refused_change_takes_no_place(db: Database) {
    let store = &db.store;
    catalogue(store, "held", scope_edit()).await;
    catalogue(store, "retired", scope_edit()).await;
    store.retire_scope(&scope("retired"), false, act(at(0))).await.unwrap();
    let mut holder = new_key(1);
    holder.settings.scopes = scopes(["held"]);
    create(store, holder, at(0)).await;
    create(store, NewKey { expire_time: Some(at(1)), ..new_key(2) }, at(0)).await;
    let mut operator = NewKey { business_id: BusinessId::keyward(), ..new_key(3) };
    operator.settings.scopes = scopes([built_in::OPERATE]);
    create(store, operator, at(0)).await;
    db.execute("update businesses set key_limit = 1").unwrap();
    let before = store.revision().await.unwrap();

    let keyward = BusinessId::keyward();
    let mut unknown = new_key(4);
    unknown.settings.scopes = scopes(["unheard.of"]);
    unknown.business_id = business("other");
    refusal(store.create_key(unknown, AssignableBy::Users, None, act(at(2))).await);
    refusal(store.create_key(new_key(4), AssignableBy::Users, None, act(at(2))).await);
    refusal(change(store, 4, revoke(), at(2)).await);
    refusal(change(store, 2, rename("late"), at(2)).await);
    refusal(change(store, 2, rotate(4, Some(at(9))), at(2)).await);
    refusal(change(store, 1, rescope(["retired"]), at(2)).await);
    refusal(store.change_key(target(&keyward, key_id(3)), revoke(), None, act(at(2))).await);
    refusal(store.update_scope(&scope("missing"), scope_edit(), false, act(at(2))).await);
    refusal(store.update_scope(&scope("retired"), scope_edit(), true, act(at(2))).await);
    refusal(store.retire_scope(&scope("missing"), true, act(at(2))).await);
    refusal(store.retire_scope(&scope("held"), false, act(at(2))).await);
    assert_eq!(store.revision().await.unwrap(), before);
    assert_eq!(store.changes_after(before).await.unwrap().through, before);
}

/// Whoever asks for what is done already waits for it all the same, and nobody is told of a change.
async fn a_change_without_effect_takes_a_place_and_leaves_the_row(db: Database) {
    let store = &db.store;
    let definition = catalogue(store, "read", scope_edit()).await;
    let key = create(store, new_key(1), at(0)).await;
    let mut newest = store.revision().await.unwrap();
    let same_name = key.settings.display_name.as_str();
    let resume = KeyChange::Resume(SuspendedBy::Business);
    for without_effect in [rename(same_name), update(Default::default()), resume] {
        let committed = change(store, 1, without_effect, at(1)).await.unwrap();
        assert_eq!((committed.revision, &committed.value), (after(newest), &key));
        newest = committed.revision;
    }
    let committed = edit(&db, scope_edit(), at(1)).await;
    assert_eq!(committed, (after(newest), definition));
    let changes = store.changes_after(key.revision).await.unwrap();
    assert_eq!((changes.through, changes.secrets, changes.scopes), (after(newest), vec![], vec![]));

    let revoked = change(store, 1, revoke(), at(2)).await.unwrap();
    let again = change(store, 1, revoke(), at(3)).await.unwrap();
    assert_eq!((again.revision, again.value), (after(revoked.revision), revoked.value));
    let retired = store.retire_scope(&scope("read"), false, act(at(4))).await.unwrap();
    let again = store.retire_scope(&scope("read"), false, act(at(5))).await.unwrap();
    assert_eq!((again.revision, again.value), (after(retired.revision), retired.value));
}

async fn edit(
    db: &Database,
    edit: ScopeEdit,
    now: Timestamp,
) -> (Revision, keyward_store::record::ScopeRecord) {
    let committed = db.store.update_scope(&scope("read"), edit, false, act(now)).await.unwrap();
    (committed.revision, committed.value.scope)
}

fn after(revision: Revision) -> Revision {
    Revision(revision.0 + 1)
}
