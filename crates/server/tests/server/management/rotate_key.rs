//! RotateKey: a new secret for the same key.

use std::time::Duration;

use apikey::secret::check_form;
use keyward_proto::v1::{CreateKeyRequest, Key, KeyState, RotateKeyRequest, SuspendedBy, Verdict};

use uuid::Uuid;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, NO_KEY, is_good, named},
    told::refused,
};

on_each_engine!(
    the_new_secret_is_good_and_the_old_one_is_not,
    the_prefix_stays,
    an_expired_key_comes_back_with_a_new_expiry,
    a_suspended_key_stays_suspended,
    a_revoked_key_stays_revoked,
    a_repeated_request_rotates_once_and_shows_no_secret,
    a_request_id_stands_for_one_request,
    a_stale_etag_changes_nothing,
    everything_wrong_is_told_at_once,
);

fn request(key_id: &str) -> RotateKeyRequest {
    RotateKeyRequest {
        business_id: ACME.to_owned(),
        key_id: key_id.to_owned(),
        ..RotateKeyRequest::default()
    }
}

/// All of the key stays but what tells of the secret.
async fn the_new_secret_is_good_and_the_old_one_is_not(server: Server) {
    let key = Key { expire_time: Some(server.time_in(60)), ..named("a") };
    let made = server.make_key(key).await;
    server.clock.advance(Duration::from_secs(1));
    let rotated = server.management().rotate_key(request(&made.key_id)).await.unwrap().into_inner();
    let tail = rotated.secret.get(rotated.secret.len() - 4..).unwrap();
    let expected = Key {
        rotate_time: Some(server.time_in(0)),
        update_time: Some(server.time_in(0)),
        obfuscated_secret: format!("kw_…{tail}"),
        etag: format!("\"{}\"", rotated.receipt.unwrap().revision),
        ..made.key
    };
    assert_eq!(rotated.key.as_ref(), Some(&expected));
    assert_eq!(rotated.receipt, server.receipt().await);
    assert!(!rotated.secret_already_shown);
    assert_eq!(server.get_key(&made.key_id).await, expected);
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::SecretRotated);
    assert_eq!(server.verify(is_good(&rotated.secret)).await.verdict(), Verdict::Valid);
}

/// A test key's new secret is a test key's.
async fn the_prefix_stays(server: Server) {
    let create = CreateKeyRequest {
        business_id: ACME.to_owned(),
        key: Some(named("a")),
        prefix: "kw_test".to_owned(),
        ..CreateKeyRequest::default()
    };
    let made = server.management().create_key(create).await.unwrap().into_inner();
    let rotate = request(&made.key.unwrap().key_id);
    let rotated = server.management().rotate_key(rotate).await.unwrap().into_inner();
    assert_eq!(check_form(&rotated.secret), Ok("kw_test"));
}

/// EXPIRED is the one state that a rotation ends.
async fn an_expired_key_comes_back_with_a_new_expiry(server: Server) {
    let key = Key { expire_time: Some(server.time_in(60)), ..named("a") };
    let made = server.make_key(key).await;
    server.clock.advance(Duration::from_secs(60));
    let told = refused(server.management().rotate_key(request(&made.key_id)).await);
    assert_eq!(told.reason, "KEY_EXPIRED");

    let expire_time = Some(server.time_in(60));
    let revive = RotateKeyRequest { expire_time, ..request(&made.key_id) };
    let revived = server.management().rotate_key(revive).await.unwrap().into_inner();
    let key = revived.key.unwrap();
    assert_eq!((key.state(), key.expire_time), (KeyState::Active, expire_time));
    assert!(server.verify(is_good(&revived.secret)).await.valid);
}

/// A new secret is not the way around a suspension.
async fn a_suspended_key_stays_suspended(server: Server) {
    let made = server.make_key(named("a")).await;
    server.suspend_key(&made.key_id).await;
    let rotated = server.management().rotate_key(request(&made.key_id)).await.unwrap().into_inner();
    let key = rotated.key.unwrap();
    assert_eq!((key.state(), key.suspended_by()), (KeyState::Suspended, SuspendedBy::Platform));
    assert_eq!(server.verify(is_good(&rotated.secret)).await.verdict(), Verdict::Suspended);
}

/// Neither does it bring a key back, or make one.
async fn a_revoked_key_stays_revoked(server: Server) {
    let made = server.make_key(named("a")).await;
    let revoked = server.revoke_key(&made.key_id).await;
    let told = refused(server.management().rotate_key(request(&made.key_id)).await);
    assert_eq!(told.reason, "KEY_REVOKED");
    assert_eq!(server.get_key(&made.key_id).await, revoked);
    let told = refused(server.management().rotate_key(request(NO_KEY)).await);
    assert_eq!(told.reason, "KEY_NOT_FOUND");
    let foreign = RotateKeyRequest { business_id: "other".to_owned(), ..request(&made.key_id) };
    assert_eq!(refused(server.management().rotate_key(foreign).await).reason, "KEY_NOT_FOUND");
}

/// The new secret was shown to whoever asked first, and goes on being the good one.
async fn a_repeated_request_rotates_once_and_shows_no_secret(server: Server) {
    let made = server.make_key(named("a")).await;
    let rotate =
        RotateKeyRequest { request_id: Uuid::from_u128(1).to_string(), ..request(&made.key_id) };
    let first = server.management().rotate_key(rotate.clone()).await.unwrap().into_inner();
    assert!(!first.secret_already_shown && !first.secret.is_empty());
    server.clock.advance(Duration::from_secs(1));
    let again = server.management().rotate_key(rotate).await.unwrap().into_inner();
    assert_eq!((again.key, again.secret.as_str()), (first.key, ""));
    assert!(again.secret_already_shown);
    assert_eq!(again.receipt, server.receipt().await);
    assert_eq!(server.verify(is_good(&first.secret)).await.verdict(), Verdict::Valid);
    // Without an id, it is done again.
    let third = server.management().rotate_key(request(&made.key_id)).await.unwrap().into_inner();
    assert!(!third.secret_already_shown && !third.secret.is_empty());
    assert_eq!(server.verify(is_good(&first.secret)).await.verdict(), Verdict::SecretRotated);
}

/// Not for another key, expiry or etag, and not for another RPC.
async fn a_request_id_stands_for_one_request(server: Server) {
    let (made, other) = (server.make_key(named("a")).await, server.make_key(named("b")).await);
    let request_id = Uuid::from_u128(1).to_string();
    let rotate = RotateKeyRequest { request_id: request_id.clone(), ..request(&made.key_id) };
    server.management().rotate_key(rotate.clone()).await.unwrap();
    for changed in [
        RotateKeyRequest { key_id: other.key_id, ..rotate.clone() },
        RotateKeyRequest { expire_time: Some(server.time_in(60)), ..rotate.clone() },
        RotateKeyRequest { etag: made.key.etag, ..rotate },
    ] {
        let told = refused(server.management().rotate_key(changed).await);
        assert_eq!(told.reason, "REQUEST_ID_REUSED");
    }
    let create = CreateKeyRequest {
        business_id: ACME.to_owned(),
        key: Some(named("c")),
        request_id,
        ..CreateKeyRequest::default()
    };
    let told = refused(server.management().create_key(create).await);
    assert_eq!(told.reason, "REQUEST_ID_REUSED");
}

/// The secret that was good stays good.
async fn a_stale_etag_changes_nothing(server: Server) {
    let made = server.make_key(named("a")).await;
    let rotate = |etag: &str| RotateKeyRequest { etag: etag.to_owned(), ..request(&made.key_id) };
    let first = server.management().rotate_key(rotate(&made.key.etag)).await.unwrap().into_inner();
    let etag = first.key.unwrap().etag;
    let told = refused(server.management().rotate_key(rotate(&made.key.etag)).await);
    assert_eq!((told.reason.as_str(), &told.metadata["etag"]), ("ETAG_MISMATCH", &etag));
    assert!(told.message.contains(&etag), "{}", told.message);
    assert_eq!(server.verify(is_good(&first.secret)).await.verdict(), Verdict::Valid);
    server.management().rotate_key(rotate(&etag)).await.unwrap();
}

/// A request that breaks every rule hears of each, in one error.
async fn everything_wrong_is_told_at_once(server: Server) {
    let wrong = RotateKeyRequest {
        expire_time: Some(server.time_in(0)),
        request_id: "no uuid".to_owned(),
        ..RotateKeyRequest::default()
    };
    refused(server.management().rotate_key(wrong).await).violates(&[
        ("request_id", "must be a UUID, for instance one of version 4"),
        ("business_id", "it is empty"),
        ("key_id", "a key id is `key_` and 26"),
        ("expire_time", "must be in the future; it is 2026-03-01T12:00:00Z now"),
    ]);
}
