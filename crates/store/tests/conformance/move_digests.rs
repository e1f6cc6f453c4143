//! A secret gets another digest under a newer pepper: it stays the same secret, and one that is over
//! does not begin anew.

use apikey::{
    digest::{Digest, PepperVersion},
    verdict::Generation,
};
use keyward_store::{
    audit::AuditQuery,
    peppers::DigestMove,
    record::{Changes, NewSecret, Revision},
};
use tokio::join;

use crate::{database::Database, samples::*};

on_each_engine![
    a_moved_secret_is_the_same_secret,
    replicas_are_told_which_digest_is_gone,
    what_is_over_is_not_moved,
    only_a_newer_pepper_takes_over,
    it_is_looked_up_by_any_of_its_digests,
    rotations_and_revocations_race_it_and_nothing_is_revived,
];

fn under(number: u64, version: u16) -> NewSecret {
    let pepper_version = PepperVersion::new(version).unwrap();
    let number = number + 1_000 * u64::from(version - 1);
    NewSecret { digest: digest(number), pepper_version }
}

/// From pepper 1 to pepper 2.
fn newer(number: u64) -> DigestMove {
    DigestMove { from: digest(number), to: under(number, 2) }
}

async fn move_all(db: &Database, moves: Vec<DigestMove>, second: i64) -> usize {
    db.store.move_digests(moves, at(second)).await.unwrap().value
}

async fn digests(db: &Database) -> Vec<Digest> {
    held(&db.store).await.into_iter().map(|held| held.digest).collect()
}

/// Neither its key's etag nor any time tells of it, and there is no event: nobody did anything.
async fn a_moved_secret_is_the_same_secret(db: Database) {
    let key = create(&db.store, new_key(1), at(0)).await;
    let mut expected = held(&db.store).await.remove(0);
    assert_eq!(move_all(&db, vec![newer(1)], 5).await, 1);
    assert_eq!(get(&db.store, 1).await, key);
    expected.digest = under(1, 2).digest;
    expected.pepper_version = under(1, 2).pepper_version;
    assert_eq!(held(&db.store).await, [expected]);
    let query = AuditQuery { business_id: None, key_id: None, after: Revision(1), limit: 9 };
    assert_eq!(db.store.list_audit_events(query).await.unwrap(), []);
    // And goes on as any other.
    change(&db.store, 1, rotate(2, None), at(6)).await.unwrap();
    let generations: Vec<_> =
        held(&db.store).await.into_iter().map(|held| (held.digest, held.generation)).collect();
    let rotated = Generation::Superseded { rotate_time: at(6) };
    assert_eq!(generations, [(digest(2), Generation::Current), (under(1, 2).digest, rotated)]);
}

async fn replicas_are_told_which_digest_is_gone(db: Database) {
    for number in [1, 2] {
        create(&db.store, new_key(number), at(0)).await;
    }
    let before = db.store.revision().await.unwrap();
    move_all(&db, vec![newer(1)], 1).await;
    let Changes { secrets, moved, .. } = db.store.changes_after(before).await.unwrap();
    let told: Vec<_> = secrets.iter().map(|held| held.digest).collect();
    assert_eq!((told, moved), (vec![under(1, 2).digest], vec![digest(1)]));
    // A change of the key tells of the digest in force alone.
    let before = db.store.revision().await.unwrap();
    change(&db.store, 1, rename("another"), at(2)).await.unwrap();
    let Changes { secrets, moved, .. } = db.store.changes_after(before).await.unwrap();
    let told: Vec<_> = secrets.iter().map(|held| held.digest).collect();
    assert_eq!((told, moved), (vec![under(1, 2).digest], vec![]));
}

/// Rotated away, revoked, moved before, or never there.
async fn what_is_over_is_not_moved(db: Database) {
    for number in 1..=3 {
        create(&db.store, new_key(number), at(0)).await;
    }
    change(&db.store, 1, rotate(11, None), at(1)).await.unwrap();
    change(&db.store, 2, revoke(), at(1)).await.unwrap();
    assert_eq!(move_all(&db, vec![newer(3)], 1).await, 1);
    let before = digests(&db).await;
    assert_eq!(move_all(&db, [1, 2, 3, 4].map(newer).to_vec(), 2).await, 0);
    assert_eq!(digests(&db).await, before);
}

/// And not onto a digest that is somebody's.
async fn only_a_newer_pepper_takes_over(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    create(&db.store, new_key(2), at(0)).await;
    let onto = |to| DigestMove { from: digest(1), to };
    let taken = NewSecret { digest: digest(2), ..under(1, 2) };
    assert_eq!(move_all(&db, vec![onto(under(5, 1)), onto(taken)], 1).await, 0);
    assert_eq!(move_all(&db, vec![onto(under(1, 3))], 1).await, 1);
    let back = DigestMove { from: under(1, 3).digest, to: under(1, 2) };
    assert_eq!(move_all(&db, vec![back], 1).await, 0);
}

async fn it_is_looked_up_by_any_of_its_digests(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    move_all(&db, vec![newer(1)], 1).await;
    let look_up = async |digest| {
        let found = db.store.look_up(vec![digest], act(at(9))).await.unwrap().value.unwrap();
        (found.generation, found.create_time, found.rotate_time)
    };
    for digest in [digest(1), under(1, 2).digest] {
        assert_eq!(look_up(digest).await, (1, at(0), None));
    }
    change(&db.store, 1, rotate(2, None), at(2)).await.unwrap();
    for digest in [digest(1), under(1, 2).digest] {
        assert_eq!(look_up(digest).await, (1, at(0), Some(at(2))));
    }
}

/// Whichever comes first: a secret is in force afterwards only if nobody ended it.
async fn rotations_and_revocations_race_it_and_nothing_is_revived(db: Database) {
    let [mover, changer] = [(); 2].map(|()| db.other_store());
    for round in 0..40 {
        let number = 10 * round + 1;
        create(&db.store, new_key(number), at(0)).await;
        let ending = if round % 2 == 0 { rotate(number + 1, None) } else { revoke() };
        let (moved, ended) = join!(
            mover.move_digests(vec![newer(number)], at(1)),
            change(&changer, number, ending, at(1)),
        );
        moved.unwrap();
        ended.unwrap();
        for held in held(&db.store).await.into_iter().filter(|held| held.key_id == key_id(number)) {
            let alive = held.generation == Generation::Current && held.lifecycle.is_live(at(2));
            let is_next = held.digest == digest(number + 1);
            assert_eq!(alive, round % 2 == 0 && is_next, "round {round}");
        }
    }
}
