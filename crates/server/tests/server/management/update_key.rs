//! UpdateKey: what the mask names changes, and nothing else.

use std::{collections::BTreeMap, time::Duration};

use keyward_proto::v1::{Key, KeyState, RetireScopeRequest, UpdateKeyRequest};
use prost_types::FieldMask;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, Made, NO_KEY, is_good, named, texts},
    told::refused,
};

on_each_engine!(
    each_field_changes_alone_if_the_mask_names_it,
    a_change_is_in_effect_when_the_call_returns,
    the_same_again_moves_neither_etag_nor_update_time,
    a_stale_etag_changes_nothing,
    a_retired_scope_may_stay_but_not_come,
    only_active_and_suspended_keys_change,
    everything_wrong_is_told_at_once,
    each_fault_alone_is_told,
);

/// The update of a key to these values, as far as the mask names them.
fn request<const N: usize>(key_id: &str, values: Key, paths: [&str; N]) -> UpdateKeyRequest {
    UpdateKeyRequest {
        business_id: ACME.to_owned(),
        key: Some(Key { key_id: key_id.to_owned(), ..values }),
        update_mask: Some(FieldMask { paths: texts(paths) }),
        etag: String::new(),
    }
}

/// A key with all settings, and other values for each of them.
async fn made(server: &Server) -> (Made, Key) {
    server.make_scope("orders.read", Vec::new()).await;
    server.make_scope("orders.write", Vec::new()).await;
    let annotated = |value: &str| BTreeMap::from([("tier".to_owned(), value.to_owned())]);
    let before = Key {
        description: "before".to_owned(),
        scopes: texts(["orders.read"]),
        expire_time: Some(server.time_in(60)),
        annotations: annotated("silver"),
        ..named("before")
    };
    let after = Key {
        description: "after".to_owned(),
        scopes: texts(["orders.read", "orders.write"]),
        expire_time: None,
        annotations: annotated("gold"),
        ..named("after")
    };
    (server.make_key(before).await, after)
}

/// The values of the other fields are not even looked at.
async fn each_field_changes_alone_if_the_mask_names_it(server: Server) {
    let (made, after) = made(&server).await;
    let mut expected = made.key;
    for path in ["display_name", "description", "scopes", "expire_time", "annotations"] {
        server.clock.advance(Duration::from_secs(1));
        let request = request(&made.key_id, after.clone(), [path]);
        let answer = server.management().update_key(request).await.unwrap().into_inner();
        match path {
            "display_name" => expected.display_name.clone_from(&after.display_name),
            "description" => expected.description.clone_from(&after.description),
            "scopes" => expected.scopes.clone_from(&after.scopes),
            "expire_time" => expected.expire_time = None,
            _ => expected.annotations.clone_from(&after.annotations),
        }
        expected.update_time = Some(server.time_in(0));
        expected.etag = format!("\"{}\"", answer.receipt.unwrap().revision);
        assert_eq!(answer.key.as_ref(), Some(&expected), "{path}");
        assert_eq!(answer.receipt, server.receipt().await);
        assert_eq!(server.get_key(&made.key_id).await, expected);
    }
}

/// Verify tells the new values at once.
async fn a_change_is_in_effect_when_the_call_returns(server: Server) {
    let (made, after) = made(&server).await;
    let all = ["display_name", "scopes", "expire_time", "annotations"];
    let request = request(&made.key_id, after.clone(), all);
    server.management().update_key(request).await.unwrap();
    let verdict = server.verify(is_good(&made.secret)).await;
    assert_eq!(verdict.display_name, after.display_name);
    assert_eq!(verdict.scopes, after.scopes);
    assert_eq!(verdict.annotations, after.annotations);
    assert_eq!(verdict.expire_time, None);
}

/// A repetition is harmless, and its receipt is of a place of its own.
async fn the_same_again_moves_neither_etag_nor_update_time(server: Server) {
    let (made, after) = made(&server).await;
    let request = request(&made.key_id, after, ["display_name", "expire_time"]);
    let first = server.management().update_key(request.clone()).await.unwrap().into_inner();
    server.clock.advance(Duration::from_secs(1));
    let again = server.management().update_key(request).await.unwrap().into_inner();
    assert_eq!(again.key, first.key);
    assert_eq!(again.receipt, server.receipt().await);
    assert!(again.receipt.unwrap().revision > first.receipt.unwrap().revision);
}

/// Whoever decided on an older state reads again.
async fn a_stale_etag_changes_nothing(server: Server) {
    let (made, after) = made(&server).await;
    let with = |etag: &str, path| UpdateKeyRequest {
        etag: etag.to_owned(),
        ..request(&made.key_id, after.clone(), [path])
    };
    let first = server.management().update_key(with(&made.key.etag, "display_name")).await;
    let first = first.unwrap().into_inner().key.unwrap();
    let told = refused(server.management().update_key(with(&made.key.etag, "description")).await);
    assert_eq!((told.reason.as_str(), &told.metadata["etag"]), ("ETAG_MISMATCH", &first.etag));
    assert_eq!(server.get_key(&made.key_id).await, first);
    server.management().update_key(with(&first.etag, "description")).await.unwrap();
}

/// A set of scopes can still be changed when one of it was retired.
async fn a_retired_scope_may_stay_but_not_come(server: Server) {
    let (made, _) = made(&server).await;
    for name in ["orders.read", "orders.write"] {
        let name = name.to_owned();
        let retire = RetireScopeRequest { name, force: true, ..RetireScopeRequest::default() };
        server.management().retire_scope(retire).await.unwrap();
    }
    server.make_scope("stock.read", Vec::new()).await;
    let scopes = |scopes| Key { scopes, ..Key::default() };
    let kept = request(&made.key_id, scopes(texts(["orders.read", "stock.read"])), ["scopes"]);
    let key = server.management().update_key(kept).await.unwrap().into_inner().key.unwrap();
    assert_eq!(key.scopes, ["orders.read", "stock.read"]);
    assert_eq!(key.retired_scopes, ["orders.read"]);
    let come = request(&made.key_id, scopes(texts(["orders.write", "nothing"])), ["scopes"]);
    refused(server.management().update_key(come).await).violates(&[
        ("key.scopes", "nothing is not in the catalogue"),
        ("key.scopes", "orders.write is retired and can no longer be given to a key"),
    ]);
}

/// The dead do not change, and what is not there is not found.
async fn only_active_and_suspended_keys_change(server: Server) {
    let (made, after) = made(&server).await;
    server.suspend_key(&made.key_id).await;
    let request = |key_id: &str| request(key_id, after.clone(), ["display_name"]);
    let answer = server.management().update_key(request(&made.key_id)).await.unwrap();
    assert_eq!(answer.into_inner().key.unwrap().state(), KeyState::Suspended);

    server.clock.advance(Duration::from_secs(60));
    let told = refused(server.management().update_key(request(&made.key_id)).await);
    assert_eq!(told.reason, "KEY_EXPIRED");
    server.revoke_key(&made.key_id).await;
    let told = refused(server.management().update_key(request(&made.key_id)).await);
    assert_eq!(told.reason, "KEY_REVOKED");
    let told = refused(server.management().update_key(request(NO_KEY)).await);
    assert_eq!(told.reason, "KEY_NOT_FOUND");
    let foreign = UpdateKeyRequest { business_id: "other".to_owned(), ..request(&made.key_id) };
    assert_eq!(refused(server.management().update_key(foreign).await).reason, "KEY_NOT_FOUND");
}

/// A request that breaks every rule hears of each, in one error.
async fn everything_wrong_is_told_at_once(server: Server) {
    let values = Key {
        description: "x".repeat(1_025),
        scopes: texts([""]),
        expire_time: Some(server.time_in(0)),
        annotations: BTreeMap::from([(String::new(), String::new())]),
        ..Key::default()
    };
    let paths =
        ["display_name", "description", "scopes", "annotations", "expire_time", "state", "*"];
    let request =
        UpdateKeyRequest { business_id: String::new(), ..request("key_1", values, paths) };
    refused(server.management().update_key(request).await).violates(&[
        ("business_id", "it is empty"),
        ("key.key_id", "a key id is `key_` and 26"),
        ("update_mask", "\"state\" cannot be changed here; name any of display_name"),
        ("update_mask", "\"*\" cannot be changed here; name any of display_name"),
        ("key.display_name", "it is empty"),
        ("key.description", "it has 1025 characters"),
        ("key.scopes[0]", "it is empty"),
        ("key.annotations", "the key \"\": it is empty"),
        ("key.expire_time", "must be in the future; it is 2026-03-01T12:00:00Z now"),
    ]);
}

/// No mask names nothing, and a mask's path may be as long as a message.
async fn each_fault_alone_is_told(server: Server) {
    let (made, after) = made(&server).await;
    let unmasked =
        UpdateKeyRequest { update_mask: None, ..request(&made.key_id, after.clone(), []) };
    for request in [unmasked, request(&made.key_id, after.clone(), [])] {
        refused(server.management().update_key(request).await)
            .violates(&[("update_mask", "must name what changes: any of display_name")]);
    }
    let path = "x".repeat(1_000_000);
    let long = request(&made.key_id, after, [path.as_str()]);
    refused(server.management().update_key(long).await).violates(&[("update_mask", "\"xxxx")]);
    let no_key = UpdateKeyRequest { key: None, ..request("", Key::default(), ["expire_time"]) };
    refused(server.management().update_key(no_key).await)
        .violates(&[("key.key_id", "a key id is `key_` and 26")]);
}
