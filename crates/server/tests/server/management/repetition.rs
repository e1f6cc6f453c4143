//! A repeated request is answered as the first time, whatever has come to pass meanwhile.

use std::time::Duration;

use keyward_proto::v1::{CreateKeyRequest, Key, KeyState, RotateKeyRequest};
use uuid::Uuid;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, named},
    told::refused,
};

on_each_engine!(
    a_creation_is_repeated_after_its_expiry,
    a_rotation_is_repeated_after_its_expiry,
    a_dry_run_knows_what_the_id_stands_for,
);

fn id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

fn create(number: u128, key: Key) -> CreateKeyRequest {
    CreateKeyRequest {
        business_id: ACME.to_owned(),
        key: Some(key),
        request_id: id(number),
        ..CreateKeyRequest::default()
    }
}

/// A new request with that expiry is refused as ever, and so is another body under the id.
async fn a_creation_is_repeated_after_its_expiry(server: Server) {
    let expiring = Key { expire_time: Some(server.time_in(60)), ..named("a") };
    let request = create(1, expiring.clone());
    let first = server.management().create_key(request.clone()).await.unwrap().into_inner();
    server.clock.advance(Duration::from_secs(60));
    let again = server.management().create_key(request.clone()).await.unwrap().into_inner();
    let key = Key { state: KeyState::Expired.into(), ..first.key.unwrap() };
    assert_eq!((again.key, again.secret.as_str()), (Some(key), ""));
    assert!(again.secret_already_shown);
    assert_eq!(again.receipt, server.receipt().await);
    let dry = CreateKeyRequest { validate_only: true, ..request };
    server.management().create_key(dry).await.unwrap();

    let before = server.store.revision().await.unwrap();
    let unnamed = Key { display_name: String::new(), ..expiring.clone() };
    for (request, violations) in [
        (create(2, expiring.clone()), &["key.expire_time"][..]),
        (create(1, Key { description: "x".to_owned(), ..expiring }), &["key.expire_time"]),
        (create(2, unnamed), &["key.display_name", "key.expire_time"]),
    ] {
        let told = refused(server.management().create_key(request).await);
        let expected: Vec<_> = violations.iter().map(|field| (*field, "")).collect();
        told.violates(&expected);
    }
    assert_eq!(server.store.revision().await.unwrap(), before);
    // When the id is forgotten, it is a new request.
    server.clock.advance(Duration::from_secs(24 * 60 * 60 - 60));
    let told = refused(server.management().create_key(create(1, named(""))).await);
    told.violates(&[("key.display_name", "")]);
}

/// Not even the key's own expiry is in the way.
async fn a_rotation_is_repeated_after_its_expiry(server: Server) {
    let made = server.make_key(named("a")).await;
    let request = |number, key_id: &str| RotateKeyRequest {
        business_id: ACME.to_owned(),
        key_id: key_id.to_owned(),
        expire_time: Some(server.time_in(0)),
        request_id: id(number),
        ..RotateKeyRequest::default()
    };
    let rotate =
        RotateKeyRequest { expire_time: Some(server.time_in(60)), ..request(1, &made.key_id) };
    let first = server.management().rotate_key(rotate.clone()).await.unwrap().into_inner();
    server.clock.advance(Duration::from_secs(60));
    let again = server.management().rotate_key(rotate).await.unwrap().into_inner();
    let key = Key { state: KeyState::Expired.into(), ..first.key.unwrap() };
    assert_eq!((again.key, again.secret.as_str()), (Some(key), ""));
    assert!(again.secret_already_shown);
    assert_eq!(again.receipt, server.receipt().await);

    let told = refused(server.management().rotate_key(request(2, &made.key_id)).await);
    told.violates(&[("expire_time", "must be in the future")]);
    let told = refused(server.management().rotate_key(request(1, "nonsense")).await);
    told.violates(&[("key_id", ""), ("expire_time", "must be in the future")]);
}

/// It is refused where the call itself would be, and answered where that would be a repetition.
async fn a_dry_run_knows_what_the_id_stands_for(server: Server) {
    let dry = |request| CreateKeyRequest { validate_only: true, ..request };
    server.management().create_key(create(1, named("a"))).await.unwrap();
    let before = server.store.revision().await.unwrap();
    let told = refused(server.management().create_key(dry(create(1, named("b")))).await);
    assert_eq!(told.reason, "REQUEST_ID_REUSED");
    let answer = server.management().create_key(dry(create(1, named("a")))).await.unwrap();
    let answer = answer.into_inner();
    assert!(answer.key.is_none() && answer.receipt.is_none() && !answer.secret_already_shown);
    server.management().create_key(dry(create(2, named("b")))).await.unwrap();
    assert_eq!(server.store.revision().await.unwrap(), before);
}
