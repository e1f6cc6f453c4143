//! BatchRevokeKeys: what would go is listed, and goes all at once.

use std::time::Duration;

use keyward_proto::v1::{
    BatchRevokeKeysRequest, BatchRevokeKeysResponse, Key, KeyFilter, KeyIds, KeyState,
    RevokeReason, Verdict, batch_revoke_keys_request::Target,
};

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, NO_KEY, is_good, named, texts, without_use},
    told::refused,
};

on_each_engine!(
    keys_named_by_id_are_revoked_when_the_call_returns,
    a_filter_revokes_what_a_look_beforehand_listed,
    a_missing_key_stops_all_and_is_named,
    the_last_operator_key_is_kept,
    everything_wrong_is_told_at_once,
    a_target_must_be_named,
    a_filter_may_be_by_use,
    an_answer_fits_into_a_message,
);

fn of_acme(target: Target) -> BatchRevokeKeysRequest {
    BatchRevokeKeysRequest {
        business_ids: texts([ACME]),
        target: Some(target),
        reason: RevokeReason::Leaked.into(),
        reason_text: "found in a repository".to_owned(),
        validate_only: false,
    }
}

fn ids(ids: &[&str]) -> Target {
    Target::KeyIds(KeyIds { key_ids: ids.iter().map(|id| (*id).to_owned()).collect() })
}

fn name_has(part: &str) -> Target {
    Target::Filter(KeyFilter { display_name_part: part.to_owned(), ..KeyFilter::default() })
}

async fn revoke(server: &Server, request: BatchRevokeKeysRequest) -> BatchRevokeKeysResponse {
    server.management().batch_revoke_keys(request).await.unwrap().into_inner()
}

/// One receipt for all of them.
async fn keys_named_by_id_are_revoked_when_the_call_returns(server: Server) {
    let made = [server.make_key(named("a")).await, server.make_key(named("b")).await];
    let kept = server.make_key(named("c")).await;
    let answer =
        revoke(&server, of_acme(ids(&[&made[0].key_id, &made[1].key_id, &made[0].key_id]))).await;
    let answered: Vec<Key> = answer.keys.into_iter().map(without_use).collect();
    for made in &made {
        assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::Revoked);
        let expected = Key {
            state: KeyState::Revoked.into(),
            revoke_time: Some(server.time_in(0)),
            revoke_reason: RevokeReason::Leaked.into(),
            revoke_reason_text: "found in a repository".to_owned(),
            etag: format!("\"{}\"", answer.receipt.unwrap().revision),
            ..without_use(made.key.clone())
        };
        assert!(answered.contains(&expected), "{answered:?}");
        assert_eq!(without_use(server.get_key(&made.key_id).await), expected);
    }
    assert_eq!(answered.len(), 2);
    assert_eq!(answer.receipt, server.receipt().await);
    assert_eq!(server.verify(is_good(&kept.secret)).await.verdict(), Verdict::Valid);
}

async fn a_filter_revokes_what_a_look_beforehand_listed(server: Server) {
    let going = server.make_key(named("ci runner")).await;
    let kept = server.make_key(named("shop")).await;
    let look = BatchRevokeKeysRequest { validate_only: true, ..of_acme(name_has("ci")) };
    let listed = revoke(&server, look).await;
    let keys: Vec<Key> = listed.keys.into_iter().map(without_use).collect();
    assert_eq!((keys, listed.receipt), (vec![without_use(going.key.clone())], None));
    assert_eq!(server.verify(is_good(&going.secret)).await.verdict(), Verdict::Valid);
    assert_eq!(revoke(&server, of_acme(name_has("ci"))).await.keys.len(), 1);
    assert_eq!(server.verify(is_good(&going.secret)).await.verdict(), Verdict::Revoked);
    assert_eq!(server.verify(is_good(&kept.secret)).await.verdict(), Verdict::Valid);
    let again = revoke(&server, of_acme(name_has("ci"))).await;
    assert_eq!((again.keys, again.receipt), (vec![], server.receipt().await));
}

async fn a_missing_key_stops_all_and_is_named(server: Server) {
    let made = server.make_key(named("a")).await;
    let both = of_acme(ids(&[NO_KEY, &made.key_id]));
    let told = refused(server.management().batch_revoke_keys(both).await);
    assert_eq!(told.reason, "KEY_NOT_FOUND");
    assert_eq!(
        (told.metadata["missing"].as_str(), told.metadata["key_ids"].as_str()),
        ("1", NO_KEY)
    );
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::Valid);
}

async fn the_last_operator_key_is_kept(server: Server) {
    let request = BatchRevokeKeysRequest {
        business_ids: texts(["@keyward"]),
        ..of_acme(name_has("operator"))
    };
    let told = refused(server.management().batch_revoke_keys(request).await);
    assert_eq!(told.reason, "LAST_OPERATOR_KEY");
}

async fn everything_wrong_is_told_at_once(server: Server) {
    let request = BatchRevokeKeysRequest {
        business_ids: Vec::new(),
        target: Some(ids(&["key_1"])),
        reason: RevokeReason::Unspecified.into(),
        reason_text: "\u{7}".to_owned(),
        validate_only: true,
    };
    refused(server.management().batch_revoke_keys(request).await).violates(&[
        ("business_ids", "must name 1 to 100 businesses"),
        ("key_ids.key_ids[0]", "a key id is `key_` and 26 characters"),
        ("reason", "must be LEAKED, UNUSED"),
        ("reason_text", "character 1 is"),
    ]);
}

/// An empty filter would be every key.
async fn a_target_must_be_named(server: Server) {
    let too_many = vec![NO_KEY; 1_001];
    for (target, field, begins) in [
        (None, "key_ids", "one of key_ids and filter must be set"),
        (Some(Target::Filter(KeyFilter::default())), "filter", "must set a condition"),
        (Some(ids(&[])), "key_ids.key_ids", "must name 1 to 1000 keys, not 0"),
        (Some(ids(&too_many)), "key_ids.key_ids", "must name 1 to 1000 keys, not 1001"),
    ] {
        let request = BatchRevokeKeysRequest { target, ..of_acme(name_has("a")) };
        refused(server.management().batch_revoke_keys(request).await).violates(&[(field, begins)]);
    }
}

/// What was used is told when it would go, and is not there when what was never used goes.
async fn a_filter_may_be_by_use(server: Server) {
    let used = server.make_key(named("used")).await;
    let unused = server.make_key(named("unused")).await;
    let use_time = server.time_in(0);
    server.verify(is_good(&used.secret)).await;
    server.clock.advance(Duration::from_secs(60));
    let filter = |filter| of_acme(Target::Filter(filter));
    let since = |seconds| {
        let unused_since_time = Some(server.time_in(seconds));
        filter(KeyFilter { unused_since_time, ..KeyFilter::default() })
    };
    let told = refused(server.management().batch_revoke_keys(since(0)).await);
    assert_eq!(told.reason, "NOT_COUNTED_YET");
    server.running.usage.flush().await.unwrap();
    let look = BatchRevokeKeysRequest { validate_only: true, ..since(0) };
    let listed = revoke(&server, look).await.keys;
    let told: Vec<_> = listed.iter().map(|key| (key.key_id.as_str(), key.last_use_time)).collect();
    assert_eq!(told.len(), 2);
    assert!(
        told.contains(&(&used.key_id, Some(use_time))) && told.contains(&(&unused.key_id, None))
    );
    let never_used = filter(KeyFilter { never_used: true, ..KeyFilter::default() });
    let gone = revoke(&server, never_used).await.keys;
    assert_eq!((gone.len(), &gone[0].key_id), (1, &unused.key_id));
    assert_eq!(server.verify(is_good(&used.secret)).await.verdict(), Verdict::Valid);
}

/// A thousand keys with all that a key may hold would not.
async fn an_answer_fits_into_a_message(server: Server) {
    let description = "d".repeat(1_024);
    let annotations = [("a".to_owned(), "v".repeat(1_000))].into();
    let large = Key { description, annotations, ..named("large") };
    for _ in 0..600 {
        server.make_key(large.clone()).await;
    }
    let request = BatchRevokeKeysRequest {
        reason_text: "\u{10348}".repeat(1_024),
        ..of_acme(name_has("large"))
    };
    let answer = revoke(&server, request).await;
    assert_eq!(answer.keys.len(), 600);
    assert!(answer.keys.iter().all(|key| key.description.is_empty() && !key.key_id.is_empty()));
}
