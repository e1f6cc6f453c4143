//! The order of verdicts: where several apply, the first is given.

use std::time::Duration;

use keyward_proto::v1::{Key, RotateKeyRequest, Verdict, VerifyRequest};

use super::{RECOGNITION, reaches};
use crate::harness::{
    Server,
    keys::{ACME, any_method, named, texts},
};

/// One key collects faults from the least to the gravest; each hides all before it. (The business's
/// own suspension stands with its verdict.)
#[tokio::test(flavor = "multi_thread")]
async fn each_graver_fault_hides_the_lesser_ones() {
    let server = Server::on_sqlite().await;
    server.make_scope("orders.read", vec![any_method("/orders")]).await;
    let key = Key { expire_time: Some(server.time_in(60)), ..named("a") };
    let made = server.make_key(key).await;
    let mapped = reaches(&made.secret, "GET", "/orders");
    assert_eq!(server.verify(mapped).await.verdict(), Verdict::InsufficientScope);

    let question = VerifyRequest {
        required_scopes: texts(["orders.read"]),
        ..reaches(&made.secret, "GET", "/stock")
    };
    let verdict = async || server.verify(question.clone()).await.verdict();
    assert_eq!(verdict().await, Verdict::EndpointNotMapped);
    server.suspend_key(&made.key_id).await;
    assert_eq!(verdict().await, Verdict::Suspended);
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(verdict().await, Verdict::Expired);
    let rotate = RotateKeyRequest {
        business_id: ACME.to_owned(),
        key_id: made.key_id.clone(),
        expire_time: Some(server.time_in(60)),
        ..RotateKeyRequest::default()
    };
    server.management().rotate_key(rotate).await.unwrap();
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(verdict().await, Verdict::SecretRotated);
    server.revoke_key(&made.key_id).await;
    assert_eq!(verdict().await, Verdict::Revoked);
    server.clock.advance(RECOGNITION);
    assert_eq!(verdict().await, Verdict::NotFound);
}
