//! ResumeKey: the end of a suspension.

use std::time::Duration;

use keyward_proto::v1::{Key, KeyState, ResumeKeyRequest, SuspendedBy};

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, NO_KEY, is_good, named},
    told::refused,
};

on_each_engine!(
    a_resumed_key_is_good_when_the_call_returns,
    resuming_an_active_key_changes_nothing,
    only_live_keys_are_resumed,
    everything_wrong_is_told_at_once,
);

fn request(key_id: &str) -> ResumeKeyRequest {
    ResumeKeyRequest { business_id: ACME.to_owned(), key_id: key_id.to_owned() }
}

/// All of the answer.
async fn a_resumed_key_is_good_when_the_call_returns(server: Server) {
    let made = server.make_key(named("a")).await;
    server.suspend_key(&made.key_id).await;
    server.clock.advance(Duration::from_secs(1));
    let answer = server.management().resume_key(request(&made.key_id)).await.unwrap().into_inner();
    assert!(server.verify(is_good(&made.secret)).await.valid);
    let expected = Key {
        state: KeyState::Active.into(),
        suspended_by: SuspendedBy::Unspecified.into(),
        update_time: Some(server.time_in(0)),
        etag: format!("\"{}\"", answer.receipt.unwrap().revision),
        ..made.key
    };
    assert_eq!(answer.key, Some(expected));
    assert_eq!(answer.receipt, server.receipt().await);
}

/// Idempotent.
async fn resuming_an_active_key_changes_nothing(server: Server) {
    let made = server.make_key(named("a")).await;
    server.clock.advance(Duration::from_secs(1));
    let answer = server.management().resume_key(request(&made.key_id)).await.unwrap().into_inner();
    assert_eq!(answer.key, Some(made.key));
    assert_eq!(answer.receipt, server.receipt().await);
}

/// No way back from the dead, and what is not there is not found.
async fn only_live_keys_are_resumed(server: Server) {
    let key = Key { expire_time: Some(server.time_in(60)), ..named("a") };
    let made = server.make_key(key).await;
    server.suspend_key(&made.key_id).await;
    server.clock.advance(Duration::from_secs(60));
    let told = refused(server.management().resume_key(request(&made.key_id)).await);
    assert_eq!(told.reason, "KEY_EXPIRED");
    server.revoke_key(&made.key_id).await;
    let told = refused(server.management().resume_key(request(&made.key_id)).await);
    assert_eq!(told.reason, "KEY_REVOKED");
    let foreign = ResumeKeyRequest { business_id: "other".to_owned(), ..request(&made.key_id) };
    for unknown in [foreign, request(NO_KEY)] {
        let told = refused(server.management().resume_key(unknown).await);
        assert_eq!(told.reason, "KEY_NOT_FOUND");
    }
}

/// Both fields.
async fn everything_wrong_is_told_at_once(server: Server) {
    refused(server.management().resume_key(ResumeKeyRequest::default()).await)
        .violates(&[("business_id", "it is empty"), ("key_id", "a key id is `key_` and 26")]);
}
