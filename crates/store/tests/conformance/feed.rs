//! What replicas hold: everything in pages, and then exactly what changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use apikey::{digest::Digest, lifecycle::SuspendedBy, verdict::Generation};
use keyward_store::{
    change::KeyChange,
    record::{Changes, HeldBusiness, HeldSecret, NewKey, Revision},
};
use tokio::{join, task::JoinSet, time::timeout};

use crate::{database::Database, samples::*};

on_each_engine![
    nothing_new_is_nothing,
    changes_are_exactly_the_changed_rows,
    all_secrets_come_with_a_change_of_their_key,
    a_suspended_business_is_told,
    secrets_are_paged_by_digest,
    a_follower_misses_nothing_of_what_many_write,
    a_key_is_never_told_before_its_business,
];

/// More than all writers ever take.
const PATIENCE: Duration = Duration::from_secs(60);

async fn nothing_new_is_nothing(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    for applied in [Revision(1), Revision(7)] {
        let changes = db.store.changes_after(applied).await.unwrap();
        assert_eq!(changes.through, Revision(1));
        assert_eq!(summary(&changes), (vec![], vec![], vec![]));
    }
}

/// Asked after each change in turn, and asked once for all.
async fn changes_are_exactly_the_changed_rows(db: Database) {
    let store = &db.store;
    let mut applied = Revision(0);
    catalogue(store, "read", scope_edit()).await;
    assert_eq!(next(&db, &mut applied).await, owned((vec![], vec!["read"], vec![])));
    create(store, new_key(1), at(0)).await;
    assert_eq!(next(&db, &mut applied).await, owned((vec!["acme"], vec![], vec![digest(1)])));
    create(store, NewKey { business_id: business("other"), ..new_key(2) }, at(0)).await;
    assert_eq!(next(&db, &mut applied).await, owned((vec!["other"], vec![], vec![digest(2)])));
    create(store, new_key(3), at(0)).await;
    assert_eq!(next(&db, &mut applied).await, owned((vec![], vec![], vec![digest(3)])));
    change(store, 1, revoke(), at(1)).await.unwrap();
    assert_eq!(next(&db, &mut applied).await, owned((vec![], vec![], vec![digest(1)])));
    store.retire_scope(&scope("read"), false, act(at(2))).await.unwrap();
    assert_eq!(next(&db, &mut applied).await, owned((vec![], vec!["read"], vec![])));

    let everything = store.changes_after(Revision(0)).await.unwrap();
    let digests = vec![digest(1), digest(2), digest(3)];
    assert_eq!(summary(&everything), owned((vec!["acme", "other"], vec!["read"], digests)));
    let mut secrets = everything.secrets;
    secrets.sort_by_key(|held| held.digest);
    assert_eq!(secrets, held(store).await);
    assert_eq!(everything.scopes, store.list_scopes(None, true, None, 9).await.unwrap());
}

/// Also those that were replaced long ago: their denial tells of the key.
async fn all_secrets_come_with_a_change_of_their_key(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    change(&db.store, 1, rotate(2, None), at(1)).await.unwrap();
    let rotated = change(&db.store, 1, rotate(3, None), at(2)).await.unwrap().revision;
    change(&db.store, 1, KeyChange::Suspend(SuspendedBy::Platform), at(3)).await.unwrap();
    let changes = db.store.changes_after(rotated).await.unwrap();
    let told: BTreeMap<_, _> = changes.secrets.iter().map(|held| (held.digest, held)).collect();
    assert_eq!((changes.secrets.len(), told.len()), (3, 3));
    let superseded = |second| Generation::Superseded { rotate_time: at(second) };
    let generations = [superseded(1), superseded(2), Generation::Current];
    for (held, generation) in told.values().zip(generations) {
        assert_eq!(held.generation, generation);
        assert_eq!(held.lifecycle.suspended_by, Some(SuspendedBy::Platform));
    }
}

async fn a_suspended_business_is_told(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    create(&db.store, NewKey { business_id: business("other"), ..new_key(2) }, at(0)).await;
    let suspend = "update businesses set suspend_time = create_time where business_id = 'other'";
    db.execute(suspend).unwrap();
    let expected = [("acme", false), ("other", true)]
        .map(|(name, suspended)| HeldBusiness { business_id: business(name), suspended });
    assert_eq!(db.store.held_businesses(None, 9).await.unwrap(), expected);
    assert_eq!(db.store.changes_after(Revision(0)).await.unwrap().businesses, expected);
}

async fn secrets_are_paged_by_digest(db: Database) {
    // Bytes, not text and not signed numbers: 0x80 comes after 0x7f.
    let numbers = [0, 1, 0x7f << 56, 0x80 << 56, u64::MAX];
    for (number, id) in numbers.into_iter().rev().zip(1..) {
        create(&db.store, NewKey { secret: secret(number), ..new_key(id) }, at(0)).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = db.store.held_secrets(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.digest);
        seen.extend(page.iter().map(|held| held.digest));
    }
    assert_eq!(seen, numbers.map(digest));
}

/// After each look, a follower holds every change up to `through`: no change becomes visible after
/// one that comes later. What a key is called counts its updates, and so tells which of them are in.
async fn a_follower_misses_nothing_of_what_many_write(db: Database) {
    const WRITERS: u64 = 4;
    const TURNS: u64 = 25;
    let mut writers = JoinSet::new();
    for writer in 1..=WRITERS {
        let store = db.store.clone();
        writers.spawn(async move {
            create(&store, new_key(writer), at(0)).await;
            let mut log = Vec::new();
            for turn in 1..=TURNS {
                let renamed = change(&store, writer, rename(&turn.to_string()), at(1)).await;
                log.push((renamed.unwrap().revision, writer, turn));
                let next = rotate(turn * 100 + writer, None);
                change(&store, writer, next, at(1)).await.unwrap();
            }
            log
        });
    }
    let last = Revision(i64::try_from(WRITERS * (1 + 2 * TURNS)).unwrap());
    let looks = timeout(PATIENCE, follow(&db, last)).await.unwrap();
    let (_, newest) = looks.last().unwrap();
    assert!(newest.values().eq(&held(&db.store).await));
    let log: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    for (through, map) in looks {
        for (_, writer, turn) in log.iter().filter(|(revision, ..)| *revision <= through) {
            let mut of_key = map.values().filter(|held| held.key_id == key_id(*writer));
            let knows =
                |held: &HeldSecret| held.display_name.as_str().parse().unwrap_or(0) >= *turn;
            assert!(of_key.all(knows), "through {through}, key {writer}, update {turn}");
        }
    }
}

/// One change makes both; whoever looks while such changes come sees none by half.
async fn a_key_is_never_told_before_its_business(db: Database) {
    const LOOKS: u64 = 50;
    let looks = AtomicU64::new(0);
    let write = async {
        let mut number = 0;
        while looks.load(Ordering::Acquire) < LOOKS {
            number += 1;
            let business_id = business(&format!("b{number}"));
            create(&db.store, NewKey { business_id, ..new_key(number) }, at(0)).await;
        }
    };
    let follow = async {
        let (mut applied, mut known) = (Revision(0), BTreeSet::new());
        while looks.load(Ordering::Acquire) < LOOKS {
            let told = db.store.changes_after(applied).await.unwrap();
            known.extend(told.businesses.into_iter().map(|business| business.business_id));
            for secret in &told.secrets {
                assert!(known.contains(&secret.business_id), "{}", secret.business_id);
            }
            assert_eq!(known.len(), usize::try_from(told.through.0).unwrap());
            if told.through > applied {
                applied = told.through;
                looks.fetch_add(1, Ordering::Release);
            }
        }
    };
    timeout(PATIENCE, Box::pin(async { join!(write, follow) })).await.unwrap();
}

/// What a follower holds after each look, until it holds everything up to `last`.
async fn follow(db: &Database, last: Revision) -> Vec<(Revision, BTreeMap<Digest, HeldSecret>)> {
    let mut looks = Vec::new();
    let mut map = BTreeMap::new();
    let mut applied = Revision(0);
    while applied < last {
        let changes = db.store.changes_after(applied).await.unwrap();
        map.extend(changes.secrets.into_iter().map(|held| (held.digest, held)));
        // Looking again before there is anything to see shows nothing.
        if changes.through > applied {
            applied = changes.through;
            looks.push((applied, map.clone()));
        }
    }
    looks
}

type Summary<Name = &'static str> = (Vec<Name>, Vec<Name>, Vec<Digest>);

/// What the one change after `applied` has changed.
async fn next(db: &Database, applied: &mut Revision) -> Summary<String> {
    let changes = db.store.changes_after(*applied).await.unwrap();
    assert_eq!(changes.through, Revision(applied.0 + 1));
    *applied = changes.through;
    summary(&changes)
}

/// Businesses, scopes and digests, the latter in their order.
fn summary(changes: &Changes) -> Summary<String> {
    let businesses = changes.businesses.iter().map(|held| held.business_id.to_string());
    let scopes = changes.scopes.iter().map(|scope| scope.name.to_string());
    let mut digests: Vec<_> = changes.secrets.iter().map(|held| held.digest).collect();
    digests.sort();
    (businesses.collect(), scopes.collect(), digests)
}

fn owned((businesses, scopes, digests): Summary) -> Summary<String> {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    (owned(businesses), owned(scopes), digests)
}
