//! Audit events: one for each change, in the change's own place in the history, and for ever.

use apikey::{
    catalogue::AssignableBy,
    id::BusinessId,
    lifecycle::SuspendedBy,
    scope::{ScopeName, built_in},
};
use keyward_store::{
    Store,
    audit::{AuditAction, AuditEvent, AuditQuery},
    business::BusinessPatch,
    change::KeyChange,
    record::{Act, Actor, KeyRecord, NewKey, Revision},
};

use crate::{database::Database, samples::*};

on_each_engine![
    each_change_of_a_key_leaves_its_event_with_before_and_after,
    scopes_and_businesses_leave_events_too,
    a_refused_change_leaves_no_event,
    a_change_without_effect_leaves_an_event,
    every_setting_of_a_key_is_told,
    pages_resume_where_they_stopped,
    a_page_never_cuts_a_revision,
    events_are_told_by_business_and_by_key,
    no_statement_changes_an_event,
];

/// Everything.
fn all() -> AuditQuery {
    AuditQuery { business_id: None, key_id: None, after: Revision(0), limit: 1_000 }
}

async fn events(store: &Store, query: AuditQuery) -> Vec<AuditEvent> {
    store.list_audit_events(query).await.unwrap()
}

/// What a person does through a service key.
fn by_a_person(second: i64) -> Act {
    let (caller, user_issuer, user_subject) = ("key_1", "https://login.example", "user 7");
    Act {
        actor: Actor {
            caller: caller.to_owned(),
            user_issuer: user_issuer.to_owned(),
            user_subject: user_subject.to_owned(),
        },
        peer_address: format!("[2001:db8::1]:{second}"),
        time: at(second),
        by_grant: false,
    }
}

/// What the change of a key of `acme` at this revision must leave.
fn of_key(
    (revision, action): (i64, AuditAction),
    act: Act,
    before: Option<&KeyRecord>,
    after: &KeyRecord,
) -> AuditEvent {
    AuditEvent {
        revision: Revision(revision),
        act,
        action,
        business_id: Some(acme()),
        key_id: Some(after.key_id),
        scope: None,
        advisor: None,
        key_before: before.cloned(),
        key_after: Some(after.clone()),
    }
}

async fn each_change_of_a_key_leaves_its_event_with_before_and_after(db: Database) {
    let store = &db.store;
    let made = store.create_key(new_key(1), AssignableBy::Users, None, by_a_person(0)).await;
    let mut before = made.unwrap().value;
    let created = (1, AuditAction::CreateKey);
    let mut expected = vec![of_key(created, by_a_person(0), None, &before)];
    let changes = [
        (AuditAction::UpdateKey, rename("another")),
        (AuditAction::RotateKey, rotate(2, Some(at(1_000)))),
        (AuditAction::SuspendKey, KeyChange::Suspend(SuspendedBy::Platform)),
        (AuditAction::ResumeKey, KeyChange::Resume(SuspendedBy::Platform)),
        (AuditAction::RevokeKey, revoke()),
    ];
    for ((action, change), revision) in changes.into_iter().zip(2..) {
        let act = by_a_person(revision);
        let target = target(&acme(), key_id(1));
        let changed = store.change_key(target, change, None, act.clone()).await.unwrap();
        assert_eq!(changed.revision, Revision(revision));
        expected.push(of_key((revision, action), act, Some(&before), &changed.value));
        before = changed.value;
    }
    assert_eq!(events(store, all()).await, expected);
}

async fn scopes_and_businesses_leave_events_too(db: Database) {
    let store = &db.store;
    let name = scope("read");
    store.update_scope(&name, scope_edit(), true, by_a_person(1)).await.unwrap();
    store.retire_scope(&name, false, by_a_person(2)).await.unwrap();
    let patch = BusinessPatch { key_limit: Some(5), ..BusinessPatch::default() };
    store.update_business(&acme(), patch, None, by_a_person(3)).await.unwrap();
    let plain = |revision, action, business_id: Option<BusinessId>, scope: Option<ScopeName>| {
        let (act, revision) = (by_a_person(revision), Revision(revision));
        let (key_id, advisor, key_before, key_after) = (None, None, None, None);
        AuditEvent {
            revision,
            act,
            action,
            business_id,
            key_id,
            scope,
            advisor,
            key_before,
            key_after,
        }
    };
    let expected = [
        plain(1, AuditAction::UpdateScope, None, Some(name.clone())),
        plain(2, AuditAction::RetireScope, None, Some(name)),
        plain(3, AuditAction::UpdateBusiness, Some(acme()), None),
    ];
    assert_eq!(events(store, all()).await, expected);
}

async fn a_refused_change_leaves_no_event(db: Database) {
    let store = &db.store;
    let mut operator = NewKey { business_id: BusinessId::keyward(), ..new_key(1) };
    operator.settings.scopes = scopes([built_in::OPERATE]);
    create(store, operator, at(0)).await;
    create(store, new_key(2), at(0)).await;
    let before = events(store, all()).await;
    assert_eq!(before.len(), 2);

    let mut unknown = new_key(3);
    unknown.settings.scopes = scopes(["unheard.of"]);
    refusal(store.create_key(unknown, AssignableBy::Users, None, act(at(1))).await);
    refusal(change(store, 3, revoke(), at(1)).await);
    let last = target(&BusinessId::keyward(), key_id(1));
    refusal(store.change_key(last, revoke(), None, act(at(1))).await);
    refusal(store.update_scope(&scope("missing"), scope_edit(), false, act(at(1))).await);
    refusal(store.retire_scope(&scope("missing"), true, act(at(1))).await);
    let stale = Some("\"99\"".to_owned());
    refusal(store.update_business(&acme(), BusinessPatch::default(), stale, act(at(1))).await);
    // A fault leaves none either.
    change(store, 2, rotate(1, None), at(1)).await.unwrap_err();
    assert_eq!(events(store, all()).await, before);
}

/// Somebody did it, and its place in the history tells when.
async fn a_change_without_effect_leaves_an_event(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    let revoked = change(store, 1, revoke(), at(1)).await.unwrap().value;
    let again = change(store, 1, revoke(), at(2)).await.unwrap();
    assert_eq!(again.value, revoked);
    let after_first = AuditQuery { after: Revision(2), ..all() };
    let expected = of_key((3, AuditAction::RevokeKey), act(at(2)), Some(&revoked), &revoked);
    assert_eq!(events(store, after_first).await, [expected]);
}

/// What JSON could lose on the way into an event and back: empty, all set, and odd characters.
async fn every_setting_of_a_key_is_told(db: Database) {
    let mut full = NewKey { expire_time: Some(at(9)), ..new_key(1) };
    full.business_id = BusinessId::keyward();
    full.settings.display_name = apikey::settings::DisplayName::parse(" ' \"Ⅷ\" \\ é ").unwrap();
    full.settings.description = apikey::settings::Description::parse("\n\t'; --\n").unwrap();
    full.settings.scopes = scopes(["NULL", "{a,b}", "'", "[1]"]);
    let entries = [("a/b", r#"{"c": [null, "\u0041"]}"#), ("empty", "")];
    let entries = entries.map(|(name, value)| (name.to_owned(), value.to_owned()));
    full.settings.annotations = apikey::settings::Annotations::from_entries(entries).unwrap();
    let full = create(&db.store, full, at(0)).await;
    let of_full = target(&BusinessId::keyward(), key_id(1));
    let suspend = KeyChange::Suspend(SuspendedBy::Business);
    let suspended = db.store.change_key(of_full, suspend, None, act(at(1))).await.unwrap().value;
    let told: Vec<_> = events(&db.store, all()).await;
    assert_eq!(told[0].key_after, Some(full.clone()));
    assert_eq!((&told[1].key_before, &told[1].key_after), (&Some(full), &Some(suspended)));
}

/// Whatever the page's size, `after` the last one told goes on with the next.
async fn pages_resume_where_they_stopped(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    for turn in 1..=9 {
        change(&db.store, 1, rename(&turn.to_string()), at(turn)).await.unwrap();
    }
    let everything = events(&db.store, all()).await;
    assert_eq!(everything.len(), 10);
    for limit in [1, 3, 5, 10, 11] {
        let mut told = Vec::new();
        let mut after = Revision(0);
        loop {
            let page = events(&db.store, AuditQuery { after, limit, ..all() }).await;
            let Some(last) = page.last() else { break };
            assert!(page.len() <= usize::try_from(limit).unwrap(), "{limit}: {}", page.len());
            after = last.revision;
            told.extend(page);
        }
        assert_eq!(told, everything, "{limit}");
    }
}

/// A change of several keys has as many events: all or none of them are on a page.
async fn a_page_never_cuts_a_revision(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    change(&db.store, 1, rename("another"), at(1)).await.unwrap();
    change(&db.store, 1, rename("a third"), at(2)).await.unwrap();
    for seq in 1..=3 {
        db.execute(&format!(
            "insert into audit_events select rev, {seq}, event_time, action, business_id, key_id, scope,
                 actor_caller, actor_user_issuer, actor_user_subject, peer_address, key_before, key_after,
                 advisor_issuer, advisor_subject
             from audit_events where rev = 2 and seq = 0"
        ))
        .unwrap();
    }
    for (after, limit, revisions) in [
        (0, 1, vec![1]),
        (0, 2, vec![1, 2, 2, 2, 2]),
        (0, 4, vec![1, 2, 2, 2, 2]),
        (0, 5, vec![1, 2, 2, 2, 2]),
        (0, 6, vec![1, 2, 2, 2, 2, 3]),
        (1, 1, vec![2, 2, 2, 2]),
        (2, 1, vec![3]),
    ] {
        let page = events(&db.store, AuditQuery { after: Revision(after), limit, ..all() }).await;
        let told: Vec<i64> = page.iter().map(|event| event.revision.0).collect();
        assert_eq!(told, revisions, "after {after}, limit {limit}");
    }
}

async fn events_are_told_by_business_and_by_key(db: Database) {
    let store = &db.store;
    catalogue(store, "read", scope_edit()).await;
    create(store, new_key(1), at(0)).await;
    create(store, NewKey { business_id: business("other"), ..new_key(2) }, at(0)).await;
    create(store, new_key(3), at(0)).await;
    change(store, 1, revoke(), at(1)).await.unwrap();
    let patch = BusinessPatch { suspended: Some(true), ..BusinessPatch::default() };
    store.update_business(&business("other"), patch, None, act(at(2))).await.unwrap();

    let (of, key) = (|name: &str| Some(business(name)), |number| Some(key_id(number)));
    for (business_id, key_id, after, limit, expected) in [
        (of("acme"), None, 0, 9, vec![2, 4, 5]),
        (of("acme"), None, 2, 9, vec![4, 5]),
        (of("acme"), None, 0, 2, vec![2, 4]),
        (of("acme"), key(1), 0, 9, vec![2, 5]),
        (of("acme"), key(2), 0, 9, vec![]),
        (of("other"), None, 0, 9, vec![3, 6]),
        (None, key(2), 0, 9, vec![3]),
        (None, key(1), 0, 1, vec![2]),
        (of("ACME"), None, 0, 9, vec![]),
        (None, None, 0, 9, vec![1, 2, 3, 4, 5, 6]),
    ] {
        let after = Revision(after);
        let query = AuditQuery { business_id, key_id, after, limit };
        let told = events(store, query.clone()).await;
        let told: Vec<i64> = told.iter().map(|event| event.revision.0).collect();
        assert_eq!(told, expected, "{query:?}");
    }
}

/// Nor does any replace one, and on SQLite nobody but Keyward adds one.
async fn no_statement_changes_an_event(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    let before = events(&db.store, all()).await;
    let mut statements = vec![
        "update audit_events set actor_caller = 'somebody else'".to_owned(),
        "delete from audit_events".to_owned(),
    ];
    let again =
        "into audit_events select rev, seq, event_time, action, business_id, key_id, scope, 'x',
         actor_user_issuer, actor_user_subject, peer_address, key_before, key_after, advisor_issuer, advisor_subject
         from audit_events where true";
    statements.extend(db.either(
        vec![format!("insert or replace {again}"), format!("replace {again}")],
        vec![
            "truncate audit_events".to_owned(),
            format!("insert {again} on conflict (rev, seq) do update set actor_caller = 'x'"),
        ],
    ));
    for statement in statements {
        let refused = db.run_script(&statement).unwrap_err();
        let append_only = refused.contains("append-only");
        assert!(append_only || refused.contains("keyward_writes"), "{statement}: {refused}");
    }
    assert_eq!(events(&db.store, all()).await, before);
}
