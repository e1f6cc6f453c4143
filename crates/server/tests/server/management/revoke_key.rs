//! RevokeKey: final, from any state.

use std::time::Duration;

use keyward_proto::v1::{Key, KeyState, RevokeKeyRequest, RevokeReason, Verdict};

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, NO_KEY, is_good, named},
    told::refused,
};

on_each_engine!(
    a_revocation_is_in_effect_when_the_call_returns,
    the_first_revocation_stands,
    every_reason_is_kept,
    suspended_and_expired_keys_are_revoked_too,
    an_unknown_key_is_not_found,
    everything_wrong_is_told_at_once,
    other_needs_a_text,
);

fn request(key_id: &str, reason: RevokeReason, text: &str) -> RevokeKeyRequest {
    RevokeKeyRequest {
        business_id: ACME.to_owned(),
        key_id: key_id.to_owned(),
        reason: reason.into(),
        reason_text: text.to_owned(),
    }
}

/// All of the answer.
async fn a_revocation_is_in_effect_when_the_call_returns(server: Server) {
    let made = server.make_key(named("a")).await;
    server.clock.advance(Duration::from_secs(1));
    let leaked = request(&made.key_id, RevokeReason::Leaked, "on a slide");
    let answer = server.management().revoke_key(leaked).await.unwrap().into_inner();
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::Revoked);
    let expected = Key {
        state: KeyState::Revoked.into(),
        revoke_time: Some(server.time_in(0)),
        revoke_reason: RevokeReason::Leaked.into(),
        revoke_reason_text: "on a slide".to_owned(),
        update_time: Some(server.time_in(0)),
        etag: format!("\"{}\"", answer.receipt.unwrap().revision),
        ..made.key
    };
    assert_eq!(answer.key, Some(expected));
    assert_eq!(answer.receipt, server.receipt().await);
    assert_eq!(answer.left_behind_key_ids, Vec::<String>::new());
}

/// Again is OK, and changes nothing.
async fn the_first_revocation_stands(server: Server) {
    let made = server.make_key(named("a")).await;
    let first = server.revoke_key(&made.key_id).await;
    server.clock.advance(Duration::from_secs(1));
    let again = request(&made.key_id, RevokeReason::Leaked, "later");
    let again = server.management().revoke_key(again).await.unwrap().into_inner();
    assert_eq!(again.key, Some(first));
    assert_eq!(again.receipt, server.receipt().await);
}

/// Five reasons, of which one needs words.
async fn every_reason_is_kept(server: Server) {
    use RevokeReason::{Leaked, Other, OwnerLeft, Replaced, Unused};
    let reasons =
        [(Leaked, ""), (Unused, "for a\nyear"), (Replaced, ""), (OwnerLeft, ""), (Other, "why")];
    for (reason, text) in reasons {
        let made = server.make_key(named("a")).await;
        server.management().revoke_key(request(&made.key_id, reason, text)).await.unwrap();
        let key = server.get_key(&made.key_id).await;
        assert_eq!((key.revoke_reason(), key.revoke_reason_text.as_str()), (reason, text));
    }
}

/// Nothing keeps a key from being revoked.
async fn suspended_and_expired_keys_are_revoked_too(server: Server) {
    let key = Key { expire_time: Some(server.time_in(60)), ..named("a") };
    let (suspended, expired) = (server.make_key(named("b")).await, server.make_key(key).await);
    server.suspend_key(&suspended.key_id).await;
    server.clock.advance(Duration::from_secs(60));
    for made in [suspended, expired] {
        assert_eq!(server.revoke_key(&made.key_id).await.state(), KeyState::Revoked);
        assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::Revoked);
    }
}

/// By business and id together.
async fn an_unknown_key_is_not_found(server: Server) {
    let made = server.make_key(named("a")).await;
    let foreign = request(&made.key_id, RevokeReason::Unused, "");
    let foreign = RevokeKeyRequest { business_id: "other".to_owned(), ..foreign };
    for unknown in [foreign, request(NO_KEY, RevokeReason::Unused, "")] {
        let told = refused(server.management().revoke_key(unknown).await);
        assert_eq!(told.reason, "KEY_NOT_FOUND");
    }
    assert!(server.verify(is_good(&made.secret)).await.valid);
}

/// A request that breaks every rule hears of each, in one error.
async fn everything_wrong_is_told_at_once(server: Server) {
    for reason in [0, 99] {
        let wrong = RevokeKeyRequest {
            reason,
            reason_text: "x".repeat(1_025),
            ..RevokeKeyRequest::default()
        };
        refused(server.management().revoke_key(wrong).await).violates(&[
            ("business_id", "it is empty"),
            ("key_id", "a key id is `key_` and 26"),
            ("reason", "must be LEAKED, UNUSED, REPLACED, OWNER_LEFT or OTHER"),
            ("reason_text", "it has 1025 characters; a reason's text is at most 1024"),
        ]);
    }
}

/// "Other" alone says nothing.
async fn other_needs_a_text(server: Server) {
    let made = server.make_key(named("a")).await;
    let other = request(&made.key_id, RevokeReason::Other, "");
    refused(server.management().revoke_key(other).await)
        .violates(&[("reason_text", "it is empty")]);
    assert!(server.verify(is_good(&made.secret)).await.valid);
}
