//! REVOKED: for ever, and known as such for 30 days.

use std::time::Duration;

use keyward_proto::v1::{Key, RotateKeyRequest, Verdict, VerifyRequest};

use super::{denial, is_recognised_for_30_days};
use crate::harness::{
    Server,
    keys::{ACME, is_good, named, texts},
};

/// Whatever it is asked for, only which key it was is told.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_key_is_told() {
    let server = Server::on_sqlite().await;
    server.make_scope("orders.read", Vec::new()).await;
    let made = server.make_key(Key { scopes: texts(["orders.read"]), ..named("a") }).await;
    server.revoke_key(&made.key_id).await;
    let expected = denial(&server, &made, Verdict::Revoked).await;
    let scoped = VerifyRequest {
        required_scopes: texts(["orders.read", "unknown"]),
        authenticate_only: false,
        ..is_good(&made.secret)
    };
    assert_eq!(server.verify(is_good(&made.secret)).await, expected);
    assert_eq!(server.verify(scoped).await, expected);
    is_recognised_for_30_days(&server, &made, Verdict::Revoked).await;
}

/// The first of a secret's deaths counts: a later one does not bring it back to mind.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_was_rotated_before_is_forgotten_before() {
    let server = Server::on_sqlite().await;
    let made = server.make_key(named("a")).await;
    let rotate = RotateKeyRequest {
        business_id: ACME.to_owned(),
        key_id: made.key_id.clone(),
        ..RotateKeyRequest::default()
    };
    server.management().rotate_key(rotate).await.unwrap();
    let later = Duration::from_secs(60);
    server.clock.advance(later);
    server.revoke_key(&made.key_id).await;
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::Revoked);
    server.clock.advance(super::RECOGNITION - later);
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::NotFound);
}
