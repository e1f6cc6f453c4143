//! Any secret that ever was is found, with its place among its key's secrets, and the question is
//! remembered.

use keyward_store::{
    audit::{AuditAction, AuditEvent, AuditQuery},
    lookup::FoundSecret,
    record::Revision,
};

use crate::{database::Database, samples::*};

on_each_engine![
    each_generation_of_a_secret_is_found_for_ever,
    an_unknown_digest_is_found_nowhere,
    each_question_leaves_an_event,
];

async fn look_up(db: &Database, numbers: &[u64]) -> Option<FoundSecret> {
    let digests = numbers.iter().map(|number| digest(*number)).collect();
    db.store.look_up(digests, act(at(9))).await.unwrap().value
}

/// Also when the key is revoked, and whichever of the digests it has.
async fn each_generation_of_a_secret_is_found_for_ever(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    change(&db.store, 1, rotate(11, None), at(1)).await.unwrap();
    change(&db.store, 1, rotate(12, None), at(2)).await.unwrap();
    let key = change(&db.store, 1, revoke(), at(3)).await.unwrap().value;
    for (number, generation, create_time, rotate_time) in
        [(1, 1, at(0), Some(at(1))), (11, 2, at(1), Some(at(2))), (12, 3, at(2), None)]
    {
        let key = key.clone();
        let expected = FoundSecret { key, generation, create_time, rotate_time };
        assert_eq!(look_up(&db, &[7, number, 8]).await, Some(expected), "{number}");
    }
}

async fn an_unknown_digest_is_found_nowhere(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    assert_eq!(look_up(&db, &[2]).await, None);
    assert_eq!(look_up(&db, &[]).await, None);
}

/// In a revision of its own, with the key if there is one, and without the string.
async fn each_question_leaves_an_event(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    for number in [1, 2] {
        look_up(&db, &[number]).await;
    }
    let query = AuditQuery { business_id: None, key_id: None, after: Revision(1), limit: 10 };
    let found = AuditEvent {
        revision: Revision(2),
        act: act(at(9)),
        action: AuditAction::LookupKey,
        business_id: Some(acme()),
        key_id: Some(key_id(1)),
        scope: None,
        advisor: None,
        key_before: None,
        key_after: None,
    };
    let missed =
        AuditEvent { revision: Revision(3), business_id: None, key_id: None, ..found.clone() };
    assert_eq!(db.store.list_audit_events(query).await.unwrap(), [found, missed]);
}
