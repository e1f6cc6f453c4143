//! Keyward's own keys, in the reserved business `@keyward`: made by the same RPCs under stricter rules.

use std::time::Duration;

use apikey::{
    clock::Clock as _,
    id::{BusinessId, KeyId},
    settings::{self as store, ReasonText},
};
use keyward_proto::v1::{
    CreateKeyRequest, CreateKeyResponse, Key, ListScopesRequest, RevokeKeyRequest, RevokeReason,
    RotateKeyRequest, SuspendKeyRequest, UpdateKeyRequest,
};
use keyward_store::record::{Act, Actor, KeyTarget};
use prost_types::FieldMask;

use crate::harness::{
    Management, Server,
    engines::on_each_engine,
    keys::{is_good, named, texts},
    told::refused,
};

on_each_engine!(
    a_service_key_calls_as_soon_as_it_is_made,
    scopes_are_built_in_held_by_the_caller_and_never_operate,
    an_update_keeps_to_the_same_rules,
    revoking_one_lists_the_live_keys_whose_secrets_it_was_shown,
    a_call_under_way_changes_nothing_once_its_key_is_revoked,
    the_last_operator_key_stays,
    a_rotated_operator_goes_on_with_the_new_secret,
    a_rotation_shows_no_secret_of_more_power,
);

const KEYWARD: &str = "@keyward";

fn create<const N: usize>(name: &str, scopes: [&str; N]) -> CreateKeyRequest {
    CreateKeyRequest {
        business_id: KEYWARD.to_owned(),
        key: Some(Key { scopes: texts(scopes), ..named(name) }),
        ..CreateKeyRequest::default()
    }
}

fn revoke(key_id: &str) -> RevokeKeyRequest {
    RevokeKeyRequest {
        business_id: KEYWARD.to_owned(),
        key_id: key_id.to_owned(),
        reason: RevokeReason::Replaced.into(),
        reason_text: String::new(),
    }
}

fn update<const N: usize>(key_id: &str, scopes: [&str; N]) -> UpdateKeyRequest {
    UpdateKeyRequest {
        business_id: KEYWARD.to_owned(),
        key: Some(Key { key_id: key_id.to_owned(), scopes: texts(scopes), ..Key::default() }),
        update_mask: Some(FieldMask { paths: texts(["scopes"]) }),
        etag: String::new(),
    }
}

async fn make(caller: &mut Management, name: &str) -> CreateKeyResponse {
    caller.create_key(create(name, [])).await.unwrap().into_inner()
}

/// And does exactly what its scopes say.
async fn a_service_key_calls_as_soon_as_it_is_made(server: Server) {
    let made = server.management().create_key(create("gateway", ["keyward.verify"])).await;
    let secret = made.unwrap().into_inner().secret;
    server.verification_as(&secret).verify(is_good("anything")).await.unwrap();
    let told = refused(server.management_as(&secret).create_key(create("more", [])).await);
    assert_eq!(told.reason, "PERMISSION_DENIED");
}

/// Each rule has its sentence.
async fn scopes_are_built_in_held_by_the_caller_and_never_operate(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    let operator = server.service_key(&["keyward.operate", "keyward.audit"]).await;
    let mut management = server.management_as(&operator.secret);
    let scopes =
        ["keyward.audit", "keyward.new", "keyward.operate", "keyward.verify", "orders.read"];
    refused(management.create_key(create("a", scopes)).await).violates(&[
        ("key.scopes", "keyward.new is no scope of Keyward's"),
        ("key.scopes", "keyward.operate is given by `keyward operator-key` only"),
        ("key.scopes", "keyward.verify is not held by the calling key"),
        ("key.scopes", "orders.read: a service key holds keyward.* scopes only"),
    ]);
    management.create_key(create("a", ["keyward.audit"])).await.unwrap();
}

/// What cannot be made cannot be made of another key.
async fn an_update_keeps_to_the_same_rules(server: Server) {
    let operator = server.service_key(&["keyward.operate", "keyward.audit"]).await;
    let mut management = server.management_as(&operator.secret);
    let made = make(&mut management, "a").await.key.unwrap();
    let scopes = ["keyward.audit", "keyward.operate", "keyward.verify", "orders.read"];
    refused(management.update_key(update(&made.key_id, scopes)).await).violates(&[
        ("key.scopes", "keyward.operate is given by `keyward operator-key` only"),
        ("key.scopes", "keyward.verify is not held by the calling key"),
        ("key.scopes", "orders.read: a service key holds keyward.* scopes only"),
    ]);
    management.update_key(update(&made.key_id, ["keyward.audit"])).await.unwrap();
}

/// For review: whoever had the key may have made others with it, or rotated them and so seen their secret.
async fn revoking_one_lists_the_live_keys_whose_secrets_it_was_shown(server: Server) {
    let operator = server.service_key(&["keyward.operate"]).await;
    let mut management = server.management_as(&operator.secret);
    let rotated = make(&mut server.management(), "another's").await.key.unwrap().key_id;
    make(&mut server.management(), "untouched").await;
    let mut shown = vec![rotated.clone()];
    for name in ["a", "b", "c"] {
        server.clock.advance(Duration::from_secs(1));
        shown.push(make(&mut management, name).await.key.unwrap().key_id);
    }
    let rotate = RotateKeyRequest {
        business_id: KEYWARD.to_owned(),
        key_id: rotated,
        ..RotateKeyRequest::default()
    };
    management.rotate_key(rotate).await.unwrap();
    server.management().revoke_key(revoke(&shown.remove(2))).await.unwrap();
    let answer = server.management().revoke_key(revoke(&operator.key_id)).await.unwrap();
    assert_eq!(answer.into_inner().left_behind_key_ids, shown);
}

/// Even where the server that admits it has not heard of the revocation: the change itself asks again.
async fn a_call_under_way_changes_nothing_once_its_key_is_revoked(server: Server) {
    let operator = server.service_key(&["keyward.operate"]).await;
    let mut management = server.management_as(&operator.secret);
    let actor = Actor::workload(Actor::COMMAND_LINE);
    let (peer_address, time) = (String::new(), server.clock.now());
    let act = Act { actor, peer_address, time, admitted_at: None, by_grant: false };
    let target = KeyTarget {
        business_id: BusinessId::keyward(),
        key_id: KeyId::parse(&operator.key_id).unwrap(),
        etag: None,
    };
    let text = ReasonText::default();
    server.store.revoke_key(target, store::RevokeReason::Leaked, text, act).await.unwrap();
    let told = refused(management.create_key(create("late", [])).await);
    assert_eq!(told.reason, "CONCURRENT_CHANGE");
    server.running.follower.catch_up().await.unwrap();
    let told = refused(management.create_key(create("late", [])).await);
    assert_eq!(told.reason, "CREDENTIAL_INVALID");
}

/// Nobody could act as the platform any more. A suspended operator is none.
async fn the_last_operator_key_stays(server: Server) {
    let operator = &server.operator.key_id;
    let suspend = |key_id: &str| SuspendKeyRequest {
        business_id: KEYWARD.to_owned(),
        key_id: key_id.to_owned(),
    };
    let other = server.service_key(&["keyward.operate"]).await;
    server.management().suspend_key(suspend(&other.key_id)).await.unwrap();
    let mut management = server.management();
    let attempts = [
        refused(management.revoke_key(revoke(operator)).await),
        refused(management.suspend_key(suspend(operator)).await),
        refused(management.update_key(update(operator, ["keyward.audit"])).await),
    ];
    for told in attempts {
        assert_eq!(told.reason, "LAST_OPERATOR_KEY");
    }
    server.service_key(&["keyward.operate"]).await;
    management.revoke_key(revoke(operator)).await.unwrap();
}

/// It is still there, so the last one may be rotated.
async fn a_rotated_operator_goes_on_with_the_new_secret(server: Server) {
    let rotate = RotateKeyRequest {
        business_id: KEYWARD.to_owned(),
        key_id: server.operator.key_id.clone(),
        ..RotateKeyRequest::default()
    };
    let rotated = server.management().rotate_key(rotate).await.unwrap().into_inner();
    let told = refused(server.management().create_key(create("a", [])).await);
    assert_eq!(told.reason, "CREDENTIAL_INVALID");
    make(&mut server.management_as(&rotated.secret), "a").await;
}

/// Whoever rotates a key has its secret, and with it what the key may do.
async fn a_rotation_shows_no_secret_of_more_power(server: Server) {
    let operator = server.service_key(&["keyward.operate", "keyward.audit"]).await;
    let rotate = |key_id: &str| RotateKeyRequest {
        business_id: KEYWARD.to_owned(),
        key_id: key_id.to_owned(),
        ..RotateKeyRequest::default()
    };
    let mut management = server.management_as(&operator.secret);
    let verifier = server.service_key(&["keyward.audit", "keyward.verify"]).await;
    refused(management.rotate_key(rotate(&verifier.key_id)).await)
        .violates(&[("key_id", "the key has keyward.verify, which the calling key does not hold")]);
    server.verification_as(&verifier.secret).verify(is_good("anything")).await.unwrap();
    let auditor = server.service_key(&["keyward.audit"]).await;
    management.rotate_key(rotate(&auditor.key_id)).await.unwrap();
    let mut old = server.management_as(&auditor.secret);
    let told = refused(old.list_scopes(ListScopesRequest::default()).await);
    assert_eq!(told.reason, "CREDENTIAL_INVALID");
}
