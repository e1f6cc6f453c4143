//! Keyward's own keys, in the reserved business `@keyward`: made by the same RPCs under stricter rules.

use keyward_proto::v1::{
    CreateKeyRequest, CreateKeyResponse, Key, ListScopesRequest, RevokeKeyRequest, RevokeReason,
    RotateKeyRequest, SuspendKeyRequest, UpdateKeyRequest,
};
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
    revoking_one_lists_the_live_keys_that_it_made,
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

/// For review: whoever had the key may have made others with it.
async fn revoking_one_lists_the_live_keys_that_it_made(server: Server) {
    let operator = server.service_key(&["keyward.operate"]).await;
    let mut management = server.management_as(&operator.secret);
    let mut made_key_ids = Vec::new();
    for name in ["a", "b", "c"] {
        made_key_ids.push(make(&mut management, name).await.key.unwrap().key_id);
    }
    make(&mut server.management(), "another's").await;
    server.management().revoke_key(revoke(&made_key_ids.remove(1))).await.unwrap();
    let answer = server.management().revoke_key(revoke(&operator.key_id)).await.unwrap();
    made_key_ids.sort();
    assert_eq!(answer.into_inner().left_behind_key_ids, made_key_ids);
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
