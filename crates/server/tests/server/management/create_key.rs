//! CreateKey: settings in, a key and its secret out, or everything that is wrong with them.

use std::{collections::BTreeMap, time::Duration};

use apikey::secret::check_form;
use keyward_proto::v1::{
    CreateKeyRequest, Creator, Key, KeyState, ListKeysRequest, RetireScopeRequest, RevokeReason,
    Verdict,
};

use uuid::Uuid;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, is_good, march, named, texts},
    told::refused,
};

on_each_engine!(
    a_key_is_made_as_asked_and_good_at_once,
    output_only_fields_are_ignored,
    a_configured_prefix_may_be_chosen,
    everything_wrong_is_told_at_once,
    each_fault_alone_is_told,
    many_violations_are_counted_and_capped,
    a_long_description_of_a_violation_is_cut,
    only_live_catalogued_scopes_are_given,
    validate_only_checks_and_changes_nothing,
    a_repeated_request_makes_one_key_and_shows_no_secret,
    a_request_id_stands_for_one_request,
    a_request_id_is_the_callers_own_and_for_a_day,
);

fn request(key: Key) -> CreateKeyRequest {
    CreateKeyRequest { business_id: ACME.to_owned(), key: Some(key), ..CreateKeyRequest::default() }
}

/// All of the answer is as the request, the clock and the caller say.
async fn a_key_is_made_as_asked_and_good_at_once(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    server.make_scope("orders.write", Vec::new()).await;
    let asked = Key {
        display_name: "Läden".to_owned(),
        description: "for the shop\nin Zurich".to_owned(),
        scopes: texts(["orders.write", "orders.read", "orders.write"]),
        expire_time: Some(server.time_in(60)),
        annotations: BTreeMap::from([("tier".to_owned(), "gold".to_owned())]),
        ..Key::default()
    };
    let made = server.management().create_key(request(asked.clone())).await.unwrap().into_inner();
    let key = made.key.unwrap();
    let tail = made.secret.get(made.secret.len() - 4..).unwrap();
    let revision = made.receipt.unwrap().revision;
    let expected = Key {
        key_id: key.key_id.clone(),
        business_id: ACME.to_owned(),
        scopes: texts(["orders.read", "orders.write"]),
        state: KeyState::Active.into(),
        creator: Some(Creator {
            caller: server.operator.key_id.clone(),
            user_issuer: String::new(),
            user_subject: String::new(),
        }),
        create_time: Some(server.time_in(0)),
        update_time: Some(server.time_in(0)),
        obfuscated_secret: format!("kw_…{tail}"),
        etag: format!("\"{revision}\""),
        billing_period: Some(march()),
        counted_until_time: Some(server.time_in(0)),
        ..asked
    };
    assert_eq!(key, expected);
    assert_eq!(made.receipt, server.receipt().await);
    assert!(!made.secret_already_shown);
    assert_eq!(check_form(&made.secret), Ok("kw"));
    assert_eq!(server.get_key(&key.key_id).await, expected);
    assert!(server.verify(is_good(&made.secret)).await.valid);
}

/// What only Keyward may say is not taken from the caller.
async fn output_only_fields_are_ignored(server: Server) {
    let sly = Key {
        key_id: "key_00000000000000000000000000".to_owned(),
        business_id: "another".to_owned(),
        state: KeyState::Revoked.into(),
        creator: Some(Creator { caller: "somebody".to_owned(), ..Creator::default() }),
        create_time: Some(server.time_in(1_000)),
        revoke_time: Some(server.time_in(1_000)),
        revoke_reason: RevokeReason::Leaked.into(),
        obfuscated_secret: "kw_…0000".to_owned(),
        etag: "\"1000\"".to_owned(),
        request_count: 1_000,
        ..named("sly")
    };
    let plain = server.make_key(named("sly")).await.key;
    let made = server.make_key(sly).await.key;
    let Key { key_id, obfuscated_secret, etag, .. } = made.clone();
    assert_eq!(made, Key { key_id, obfuscated_secret, etag, ..plain });
    assert_eq!(made.create_time, Some(server.time_in(0)));
    assert_ne!(made.key_id, "key_00000000000000000000000000");
    assert_ne!(made.etag, "\"1000\"");
}

/// Test keys tell themselves apart from live ones.
async fn a_configured_prefix_may_be_chosen(server: Server) {
    let request =
        CreateKeyRequest { prefix: "kw_test".to_owned(), ..request(named("for the tests")) };
    let made = server.management().create_key(request).await.unwrap().into_inner();
    assert_eq!(check_form(&made.secret), Ok("kw_test"));
    assert!(made.key.unwrap().obfuscated_secret.starts_with("kw_test_…"));
}

/// A request that breaks every rule hears of each, in one error.
async fn everything_wrong_is_told_at_once(server: Server) {
    let annotations = (0..17).map(|i| (i.to_string(), String::new())).collect();
    let key = Key {
        display_name: String::new(),
        description: "x".repeat(1_025),
        scopes: texts(["orders read", "orders.read", ""]),
        expire_time: Some(server.time_in(0)),
        annotations,
        ..Key::default()
    };
    let request = CreateKeyRequest {
        business_id: "no spaces".to_owned(),
        prefix: "zz".to_owned(),
        request_id: "no uuid".to_owned(),
        ..request(key)
    };
    let told = refused(server.management().create_key(request).await);
    told.violates(&[
        ("request_id", "must be a UUID, for instance one of version 4"),
        ("business_id", "character 3 is ' '; a business id is 1 to 64 of `A-Za-z0-9._-`"),
        ("key.display_name", "it is empty; a display name is 1 to 63 characters"),
        ("key.description", "it has 1025 characters; a description is at most 1024"),
        ("key.scopes[0]", "character 7 is ' '; a scope is 1 to 64 printable ASCII characters"),
        ("key.scopes[2]", "it is empty; a scope is"),
        ("key.annotations", "there are 17 entries; a key has at most 16"),
        ("key.expire_time", "must be in the future; it is 2026-03-01T12:00:00Z now"),
        ("prefix", "must be one of: kw, kw_test"),
    ]);
    assert_eq!(told.message, "request_id and 8 more: each field's fault stands in the details");
}

/// Each limit is where the contract says, and its fault is the message too.
async fn each_fault_alone_is_told(server: Server) {
    let annotated = |key: String, value: String| Key {
        annotations: BTreeMap::from([(key, value)]),
        ..named("a")
    };
    let beyond = prost_types::Timestamp { seconds: 253_402_300_800, nanos: 0 };
    let no_nanos = prost_types::Timestamp { nanos: 1_000_000_000, ..server.time_in(60) };
    let faults = [
        (named(&"x".repeat(64)), "key.display_name", "it has 64 characters"),
        (named("a\u{202E}b"), "key.display_name", "character 2 is '\\u{202e}'"),
        (named("a\0"), "key.display_name", "character 2 is '\\0'"),
        (Key { description: "\r".to_owned(), ..named("a") }, "key.description", "character 1 is"),
        (
            Key { scopes: (0..101).map(|i| format!("s{i}")).collect(), ..named("a") },
            "key.scopes",
            "has 101 names, and 100 is the most",
        ),
        (
            Key { scopes: texts(["keyward.verify"]), ..named("a") },
            "key.scopes",
            "keyward.verify: keyward.* scopes are for Keyward's own service keys",
        ),
        (annotated("a b".to_owned(), String::new()), "key.annotations", "the key \"a b\""),
        (annotated("a".to_owned(), "\n".to_owned()), "key.annotations", "the value of \"a\""),
        (
            annotated("a".to_owned(), "x".repeat(1_024)),
            "key.annotations",
            "keys and values have 1025 bytes; together they have at most 1024",
        ),
        (Key { expire_time: Some(beyond), ..named("a") }, "key.expire_time", "must be a time from"),
        (Key { expire_time: Some(no_nanos), ..named("a") }, "key.expire_time", "must be a time"),
    ];
    for (key, field, description) in faults {
        let told = refused(server.management().create_key(request(key)).await);
        told.violates(&[(field, description)]);
        assert!(told.message.starts_with(&format!("{field}: {description}")), "{}", told.message);
    }
    let no_key = CreateKeyRequest { key: None, ..request(Key::default()) };
    refused(server.management().create_key(no_key).await)
        .violates(&[("key", "must be set: a key needs at least a display_name")]);
}

/// A hundred faults fit into no trailer: some are told, and how many there were.
async fn many_violations_are_counted_and_capped(server: Server) {
    let key = Key { scopes: (0..100).map(|_| String::new()).collect(), ..named("a") };
    let told = refused(server.management().create_key(request(key)).await);
    assert_eq!(told.metadata["violations"], "100");
    let fields: Vec<&str> = told.violations.iter().map(|(field, _)| field.as_str()).collect();
    let expected: Vec<String> = (0..20).map(|i| format!("key.scopes[{i}]")).collect();
    assert_eq!(fields, expected);
}

/// What quotes the caller does so in bounds: trailers have limits in clients.
async fn a_long_description_of_a_violation_is_cut(server: Server) {
    let annotations = BTreeMap::from([("\u{1}".repeat(1_024), String::new())]);
    let key = Key { annotations, ..named("a") };
    let told = refused(server.management().create_key(request(key)).await);
    told.violates(&[("key.annotations", "the key \"\\u{1}")]);
    assert!(told.violations[0].1.ends_with('…'));
}

/// All scopes that cannot be given are named, with the reason of each.
async fn only_live_catalogued_scopes_are_given(server: Server) {
    server.make_scope("old", Vec::new()).await;
    server.make_scope("orders.read", Vec::new()).await;
    let retire = RetireScopeRequest { name: "old".to_owned(), ..RetireScopeRequest::default() };
    server.management().retire_scope(retire).await.unwrap();
    let key = Key { scopes: texts(["old", "orders.read", "unknown"]), ..named("a") };
    let told = refused(server.management().create_key(request(key)).await);
    told.violates(&[
        ("key.scopes", "old is retired and can no longer be given to a key"),
        ("key.scopes", "unknown is not in the catalogue"),
    ]);
}

/// A dry run answers nothing, makes nothing, and still refuses what would be refused.
async fn validate_only_checks_and_changes_nothing(server: Server) {
    let before = server.store.revision().await.unwrap();
    let dry = |key| CreateKeyRequest { validate_only: true, ..request(key) };
    let answer = server.management().create_key(dry(named("a"))).await.unwrap().into_inner();
    assert!(answer.key.is_none() && answer.receipt.is_none() && answer.secret.is_empty());
    assert_eq!(server.store.revision().await.unwrap(), before);
    let list = ListKeysRequest { business_ids: texts([ACME]), ..ListKeysRequest::default() };
    assert_eq!(server.management().list_keys(list).await.unwrap().into_inner().keys, []);

    refused(server.management().create_key(dry(named(""))).await)
        .violates(&[("key.display_name", "it is empty")]);
    let unknown = Key { scopes: texts(["unknown"]), ..named("a") };
    refused(server.management().create_key(dry(unknown)).await)
        .violates(&[("key.scopes", "unknown is not in the catalogue")]);
}

/// A UUID with this number.
fn identified(number: u128, key: Key) -> CreateKeyRequest {
    CreateKeyRequest { request_id: Uuid::from_u128(number).to_string(), ..request(key) }
}

/// In whichever form the UUID is written, and as the key stands by then.
async fn a_repeated_request_makes_one_key_and_shows_no_secret(server: Server) {
    let annotations = ["b", "a", "c"].map(|name| (name.to_owned(), String::new()));
    let key = Key { annotations: BTreeMap::from(annotations), ..named("a") };
    let create = identified(0xabc, key);
    let first = server.management().create_key(create.clone()).await.unwrap().into_inner();
    assert!(!first.secret_already_shown && !first.secret.is_empty());
    server.clock.advance(Duration::from_secs(1));
    for request_id in [create.request_id.clone(), create.request_id.to_uppercase()] {
        let again = CreateKeyRequest { request_id, ..create.clone() };
        let again = server.management().create_key(again).await.unwrap().into_inner();
        assert_eq!((&again.key, again.secret.as_str()), (&first.key, ""));
        assert!(again.secret_already_shown);
        assert_eq!(again.receipt, server.receipt().await);
    }
    assert!(server.verify(is_good(&first.secret)).await.valid);
    assert_eq!(server.get_business(ACME).await.live_key_count, 1);

    let suspended = server.suspend_key(&first.key.unwrap().key_id).await;
    let again = server.management().create_key(create).await.unwrap().into_inner();
    assert_eq!(again.key, Some(suspended));
}

/// Not for other settings, another prefix, or a dry run.
async fn a_request_id_stands_for_one_request(server: Server) {
    let create = identified(1, named("a"));
    server.management().create_key(create.clone()).await.unwrap();
    for changed in [
        CreateKeyRequest { key: Some(named("b")), ..create.clone() },
        CreateKeyRequest { prefix: "kw".to_owned(), ..create.clone() },
    ] {
        let told = refused(server.management().create_key(changed).await);
        assert_eq!(told.reason, "REQUEST_ID_REUSED");
    }
    assert_eq!(server.get_business(ACME).await.live_key_count, 1);
    // A refused request and a dry run leave the id free.
    let free = identified(2, Key { scopes: texts(["unknown"]), ..named("a") });
    refused(server.management().create_key(free).await);
    let dry = CreateKeyRequest { validate_only: true, ..identified(2, named("a")) };
    server.management().create_key(dry).await.unwrap();
    let made = server.management().create_key(identified(2, named("b"))).await.unwrap();
    assert!(!made.into_inner().secret_already_shown);
}

async fn a_request_id_is_the_callers_own_and_for_a_day(server: Server) {
    let first = server.management().create_key(identified(1, named("a"))).await.unwrap();
    let other = server.service_key(&["keyward.operate"]).await;
    let mut others = server.management_as(&other.secret);
    let made = others.create_key(identified(1, named("b"))).await.unwrap().into_inner();
    assert!(!made.secret_already_shown);
    let elsewhere =
        CreateKeyRequest { business_id: "other".to_owned(), ..identified(1, named("b")) };
    let made = server.management().create_key(elsewhere).await.unwrap().into_inner();
    assert!(!made.secret_already_shown);

    server.clock.advance(Duration::from_secs(24 * 60 * 60));
    let made = server.management().create_key(identified(1, named("b"))).await.unwrap();
    let made = made.into_inner();
    assert!(!made.secret_already_shown);
    assert_ne!(made.key.unwrap().key_id, first.into_inner().key.unwrap().key_id);
}

/// A time is kept in microseconds: what lies between is cut, and so is early rather than late.
#[tokio::test(flavor = "multi_thread")]
async fn expire_time_is_cut_to_microseconds() {
    let server = Server::on_sqlite().await;
    let start = server.time_in(0);
    let asked = prost_types::Timestamp { nanos: 1_999, ..start };
    let made = server.make_key(Key { expire_time: Some(asked), ..named("a") }).await;
    let kept = prost_types::Timestamp { nanos: 1_000, ..start };
    assert_eq!(made.key.expire_time, Some(kept));
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::Valid);
    let key =
        Key { expire_time: Some(prost_types::Timestamp { nanos: 999, ..start }), ..named("a") };
    refused(server.management().create_key(request(key)).await)
        .violates(&[("key.expire_time", "must be in the future")]);
}
