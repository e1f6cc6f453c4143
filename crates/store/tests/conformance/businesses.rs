//! Businesses: there from their first mention, and changed setting by setting.

use apikey::{
    billing::{AnchorTerm, BillingAnchor, BillingDay, BillingSchedule, ZoneName},
    clock::Timestamp,
    id::BusinessId,
};
use keyward_store::{
    Store,
    business::{BusinessPatch, BusinessQuery, KEY_LIMIT_DEFAULT},
    error::Refused,
    record::{BusinessRecord, HeldBusiness, NewKey, Revision},
};

use crate::{database::Database, samples::*};

on_each_engine![
    a_key_mentions_its_business,
    an_update_mentions_its_business,
    each_setting_changes_alone,
    the_same_again_leaves_the_row,
    a_new_billing_day_waits_for_the_periods_end,
    a_change_of_mind_takes_the_pending_ones_place,
    suspended_and_resumed,
    a_new_limit_holds_at_once,
    live_keys_are_counted_as_of_now,
    they_are_listed_by_id_in_pages,
    they_are_listed_by_state,
];

async fn update(store: &Store, patch: BusinessPatch, now: Timestamp) -> BusinessRecord {
    let updated = store.update_business(&acme(), patch, None, act(now)).await.unwrap();
    assert!(!updated.repeated);
    assert_eq!(read(store, now).await, updated.value);
    updated.value
}

async fn read(store: &Store, now: Timestamp) -> BusinessRecord {
    store.get_business(&acme(), now).await.unwrap().unwrap()
}

fn none() -> BusinessPatch {
    BusinessPatch::default()
}

fn day(day: u32) -> BillingDay {
    BillingDay::new(day).unwrap()
}

fn zone(name: &str) -> ZoneName {
    ZoneName::parse(name).unwrap()
}

/// A business that nobody has said anything of.
fn mentioned(revision: i64, now: Timestamp) -> BusinessRecord {
    BusinessRecord {
        business_id: acme(),
        revision: Revision(revision),
        key_limit: KEY_LIMIT_DEFAULT,
        billing: BillingSchedule::default(),
        suspend_time: None,
        create_time: now,
        update_time: now,
        live_keys: 0,
    }
}

async fn a_key_mentions_its_business(db: Database) {
    assert_eq!(db.store.get_business(&acme(), at(0)).await.unwrap(), None);
    create(&db.store, new_key(1), at(0)).await;
    create(&db.store, new_key(2), at(1)).await;
    let expected = BusinessRecord { live_keys: 2, ..mentioned(1, at(0)) };
    assert_eq!(read(&db.store, at(2)).await, expected);
    assert_eq!(db.store.get_business(&business("ACME"), at(2)).await.unwrap(), None);
}

async fn an_update_mentions_its_business(db: Database) {
    assert_eq!(update(&db.store, none(), at(0)).await, mentioned(1, at(0)));
    let changes = db.store.changes_after(Revision(0)).await.unwrap();
    let held = HeldBusiness { business_id: acme(), suspended: false };
    assert_eq!(changes.businesses, [held]);
}

async fn each_setting_changes_alone(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    let mut expected = BusinessRecord { live_keys: 1, ..mentioned(1, at(0)) };
    let end = expected.billing.period_at(at(0)).end;
    let pending = |day, zone| {
        let anchor = BillingAnchor { day, zone };
        Some(AnchorTerm { anchor, from: end })
    };
    for number in 1..=5 {
        let patch = match number {
            1 => BusinessPatch { key_limit: Some(7), ..none() },
            2 => BusinessPatch { billing_day: Some(day(31)), ..none() },
            3 => BusinessPatch { suspended: Some(true), ..none() },
            4 => BusinessPatch { zone: Some(zone("Europe/Zurich")), ..none() },
            _ => BusinessPatch { suspended: Some(false), key_limit: Some(0), ..none() },
        };
        match number {
            1 => expected.key_limit = 7,
            2 => expected.billing.pending = pending(day(31), ZoneName::utc()),
            3 => expected.suspend_time = Some(at(3)),
            4 => expected.billing.pending = pending(day(31), zone("Europe/Zurich")),
            _ => (expected.suspend_time, expected.key_limit) = (None, 0),
        }
        (expected.revision, expected.update_time) = (Revision(1 + number), at(number));
        assert_eq!(update(&db.store, patch, at(number)).await, expected, "{number}");
    }
}

/// But takes a place in the history, as every change does.
async fn the_same_again_leaves_the_row(db: Database) {
    let patch = || BusinessPatch {
        billing_day: Some(day(15)),
        zone: Some(zone("Asia/Tokyo")),
        key_limit: Some(7),
        suspended: Some(true),
    };
    let first = update(&db.store, patch(), at(0)).await;
    for again in [patch(), none()] {
        assert_eq!(update(&db.store, again, at(9)).await, first);
    }
    assert_eq!(db.store.revision().await.unwrap(), Revision(3));
    let changes = db.store.changes_after(Revision(1)).await.unwrap();
    assert_eq!((changes.through, changes.businesses), (Revision(3), vec![]));
}

/// The period that runs is not cut, and what comes after it is read back as it was decided.
async fn a_new_billing_day_waits_for_the_periods_end(db: Database) {
    let before = update(&db.store, none(), at(0)).await.billing;
    let wanted = BillingAnchor { day: day(20), zone: zone("America/New_York") };
    let patch =
        BusinessPatch { billing_day: Some(day(20)), zone: Some(wanted.zone.clone()), ..none() };
    let changed = update(&db.store, patch, at(1)).await.billing;
    assert_eq!(changed, before.change(wanted.clone(), at(1)));
    assert_eq!(changed.period_at(at(1)), before.period_at(at(1)));
    let end = changed.period_at(at(1)).end;
    assert_eq!(changed.anchor_at(end), &wanted);

    // Once that one counts, it is the one that the next change follows.
    let patch = BusinessPatch { billing_day: Some(day(3)), ..none() };
    let next = update(&db.store, patch, end).await.billing;
    assert_eq!(next.current, AnchorTerm { anchor: wanted.clone(), from: end });
    let anchor = BillingAnchor { day: day(3), ..wanted };
    let from = changed.period_at(end).end;
    assert_eq!(next.pending, Some(AnchorTerm { anchor, from }));
}

async fn a_change_of_mind_takes_the_pending_ones_place(db: Database) {
    let before = update(&db.store, none(), at(0)).await.billing;
    let to = |number| BusinessPatch { billing_day: Some(day(number)), ..none() };
    update(&db.store, to(20), at(1)).await;
    let changed = update(&db.store, to(21), at(2)).await.billing;
    assert_eq!(changed.pending.unwrap().anchor.day, day(21));
    // Back to what counts anyway: nothing is pending any more.
    assert_eq!(update(&db.store, to(1), at(3)).await.billing, before);
}

/// Since the first time, until it ends; replicas are told of both.
async fn suspended_and_resumed(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    let set = |suspended| BusinessPatch { suspended: Some(suspended), ..none() };
    let mut applied = store.revision().await.unwrap();
    for (patch, second, since, told) in [
        (set(true), 1, Some(at(1)), vec![true]),
        (set(true), 2, Some(at(1)), vec![]),
        (BusinessPatch { key_limit: Some(9), ..none() }, 3, Some(at(1)), vec![true]),
        (set(false), 4, None, vec![false]),
        (set(false), 5, None, vec![]),
        (set(true), 6, Some(at(6)), vec![true]),
    ] {
        assert_eq!(update(store, patch, at(second)).await.suspend_time, since, "{second}");
        let changes = store.changes_after(applied).await.unwrap();
        let suspended: Vec<bool> = changes.businesses.iter().map(|held| held.suspended).collect();
        assert_eq!(suspended, told, "{second}");
        applied = changes.through;
    }
    // Its keys' own state stays, and they can be changed meanwhile.
    change(store, 1, rename("another"), at(7)).await.unwrap();
}

async fn a_new_limit_holds_at_once(db: Database) {
    let store = &db.store;
    let to = |key_limit| BusinessPatch { key_limit: Some(key_limit), ..none() };
    update(store, to(1), at(0)).await;
    create(store, new_key(1), at(1)).await;
    let assigner = apikey::catalogue::AssignableBy::Users;
    let second = store.create_key(new_key(2), assigner, None, act(at(1))).await;
    assert_eq!(refusal(second), Refused::KeyLimitReached { limit: 1 });
    update(store, to(2), at(2)).await;
    create(store, new_key(2), at(3)).await;
    // A lower one takes no key away.
    assert_eq!(update(store, to(0), at(4)).await.live_keys, 2);
}

async fn live_keys_are_counted_as_of_now(db: Database) {
    let store = &db.store;
    create(store, new_key(1), at(0)).await;
    create(store, NewKey { expire_time: Some(at(9)), ..new_key(2) }, at(0)).await;
    create(store, new_key(3), at(0)).await;
    create(store, NewKey { business_id: business("other"), ..new_key(4) }, at(0)).await;
    change(store, 3, revoke(), at(1)).await.unwrap();
    let suspend =
        keyward_store::change::KeyChange::Suspend(apikey::lifecycle::SuspendedBy::Platform);
    change(store, 1, suspend, at(1)).await.unwrap();
    for (now, live) in [(at(8), 2), (at(9), 1)] {
        assert_eq!(read(store, now).await.live_keys, live);
        let listed = list(store, None, None, 9, now).await;
        let counts = listed.iter().map(|listed| (listed.business_id.as_str(), listed.live_keys));
        assert_eq!(counts.collect::<Vec<_>>(), [("acme", live), ("other", 1)]);
    }
}

async fn list(
    store: &Store,
    suspended: Option<bool>,
    after: Option<&str>,
    limit: i64,
    now: Timestamp,
) -> Vec<BusinessRecord> {
    let after = after.map(business);
    let query = BusinessQuery { suspended, after, limit };
    store.list_businesses(query, now).await.unwrap()
}

/// In the order of bytes on each engine, and without Keyward's own.
async fn they_are_listed_by_id_in_pages(db: Database) {
    let store = &db.store;
    assert_eq!(list(store, None, None, 9, at(0)).await, []);
    for name in ["b", "a.b", "B", "a-b", "a", "10", "9", "_"] {
        store.update_business(&business(name), none(), None, act(at(0))).await.unwrap();
    }
    create(store, NewKey { business_id: BusinessId::keyward(), ..new_key(1) }, at(0)).await;
    let all = ["10", "9", "B", "_", "a", "a-b", "a.b", "b"];
    for limit in [1, 3, 8, 9] {
        let mut names: Vec<String> = Vec::new();
        loop {
            let after = names.last().map(String::as_str);
            let page = list(store, None, after, limit, at(0)).await;
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= usize::try_from(limit).unwrap());
            names.extend(page.into_iter().map(|record| record.business_id.to_string()));
        }
        assert_eq!(names, all, "{limit}");
    }
    // Each is listed as it is read alone.
    let listed = list(store, None, Some("_"), 1, at(0)).await;
    let alone = store.get_business(&business("a"), at(0)).await.unwrap().unwrap();
    assert_eq!(listed, [alone]);
}

async fn they_are_listed_by_state(db: Database) {
    let store = &db.store;
    for (name, suspended) in [("a", true), ("b", false), ("c", true), ("d", false)] {
        let patch = BusinessPatch { suspended: Some(suspended), ..none() };
        store.update_business(&business(name), patch, None, act(at(0))).await.unwrap();
    }
    for (suspended, after, limit, expected) in [
        (Some(true), None, 9, vec!["a", "c"]),
        (Some(false), None, 9, vec!["b", "d"]),
        (Some(true), Some("a"), 9, vec!["c"]),
        (Some(false), None, 1, vec!["b"]),
        (None, Some("b"), 9, vec!["c", "d"]),
    ] {
        let listed = list(store, suspended, after, limit, at(0)).await;
        let names: Vec<&str> = listed.iter().map(|record| record.business_id.as_str()).collect();
        assert_eq!(names, expected, "{suspended:?} {after:?} {limit}");
    }
}
