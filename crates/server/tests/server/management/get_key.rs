//! GetKey: one key, by business and id together.

use std::time::Duration;

use keyward_proto::v1::{GetKeyRequest, Key, KeyState};

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, NO_KEY, named},
    told::refused,
};

on_each_engine!(
    a_key_is_shown_as_it_stands,
    a_key_of_another_business_is_as_unknown_as_none,
    everything_wrong_is_told_at_once,
);

fn request(business_id: &str, key_id: &str) -> GetKeyRequest {
    GetKeyRequest { business_id: business_id.to_owned(), key_id: key_id.to_owned() }
}

/// Each change shows, and so does what time alone makes of a key.
async fn a_key_is_shown_as_it_stands(server: Server) {
    let key = Key { expire_time: Some(server.time_in(60)), ..named("a") };
    let made = server.make_key(key).await;
    let answer = server.management().get_key(request(ACME, &made.key_id)).await.unwrap();
    assert_eq!(answer.get_ref().key, Some(made.key));
    assert!(answer.get_ref().effective_everywhere);

    let suspended = server.suspend_key(&made.key_id).await;
    assert_eq!(suspended.state(), KeyState::Suspended);
    assert_eq!(server.get_key(&made.key_id).await, suspended);
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(server.get_key(&made.key_id).await.state(), KeyState::Expired);
    let revoked = server.revoke_key(&made.key_id).await;
    assert_eq!(revoked.state(), KeyState::Revoked);
    assert_eq!(server.get_key(&made.key_id).await, revoked);
}

/// An id alone reaches nothing.
async fn a_key_of_another_business_is_as_unknown_as_none(server: Server) {
    let made = server.make_key(named("a")).await;
    let foreign = server.management().get_key(request("other", &made.key_id)).await;
    let none = server.management().get_key(request(ACME, NO_KEY)).await;
    let (foreign, none) = (refused(foreign), refused(none));
    assert_eq!(foreign.reason, "KEY_NOT_FOUND");
    assert_eq!((foreign.reason, foreign.message), (none.reason, none.message));
}

/// Both fields of an empty request, and a wrong one of each kind.
async fn everything_wrong_is_told_at_once(server: Server) {
    refused(server.management().get_key(GetKeyRequest::default()).await)
        .violates(&[("business_id", "it is empty"), ("key_id", "a key id is `key_` and 26")]);
    let shouted = NO_KEY.to_uppercase();
    refused(server.management().get_key(request("@nobody", &shouted)).await)
        .violates(&[("business_id", "character 1 is '@'"), ("key_id", "a key id is `key_`")]);
}
