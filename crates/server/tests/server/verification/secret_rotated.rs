//! SECRET_ROTATED: the key has another secret by now.

use keyward_proto::v1::{RotateKeyRequest, Verdict};

use super::{denial, is_recognised_for_30_days};
use crate::harness::{
    Server,
    keys::{ACME, is_good, named},
};

/// Each earlier secret, however many there were.
#[tokio::test(flavor = "multi_thread")]
async fn every_earlier_secret_is_told_as_rotated() {
    let server = Server::on_sqlite().await;
    let made = server.make_key(named("a")).await;
    let rotate = RotateKeyRequest {
        business_id: ACME.to_owned(),
        key_id: made.key_id.clone(),
        ..RotateKeyRequest::default()
    };
    let second = server.management().rotate_key(rotate.clone()).await.unwrap().into_inner().secret;
    let third = server.management().rotate_key(rotate).await.unwrap().into_inner().secret;
    let expected = denial(&server, &made, Verdict::SecretRotated).await;
    assert_eq!(server.verify(is_good(&made.secret)).await, expected);
    assert_eq!(server.verify(is_good(&second)).await, expected);
    assert!(server.verify(is_good(&third)).await.valid);
    is_recognised_for_30_days(&server, &made, Verdict::SecretRotated).await;
    assert!(server.verify(is_good(&third)).await.valid);
}
