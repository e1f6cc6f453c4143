//! NOT_FOUND: nothing is told, and whatever was presented is never an error.

use keyward_proto::v1::{RotateKeyRequest, Verdict, VerifyRequest};

use super::not_found;
use crate::harness::{
    Server,
    keys::{ACME, is_good, named},
};

/// Whatever a customer's integration may send.
#[tokio::test(flavor = "multi_thread")]
async fn odd_secrets_are_unknown_and_no_error() {
    let server = Server::on_sqlite().await;
    let made = server.make_key(named("a")).await;
    let good = made.secret;
    let odd = [
        String::new(),
        " ".to_owned(),
        "\0\u{1}\n\u{202E}".to_owned(),
        "x".repeat(512),
        "x".repeat(513),
        "x".repeat(1024 * 1024),
        format!("{good} "),
        format!(" {good}"),
        format!("Bearer {good}"),
        good.to_uppercase(),
        good.get(..good.len() - 1).unwrap().to_owned(),
        made.key_id,
        made.key.obfuscated_secret,
    ];
    for secret in odd {
        let answer = server.verify(is_good(&secret)).await;
        assert_eq!(answer, not_found(&server).await, "{} bytes", secret.len());
    }
}

/// Asked about one business, a key of another is not there; asked about its own, it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_business_is_unknown() {
    let server = Server::on_sqlite().await;
    let made = server.make_key(named("a")).await;
    let of = |business_id: &str| VerifyRequest {
        business_id: business_id.to_owned(),
        ..is_good(&made.secret)
    };
    server.revoke_key(&server.make_key_of(ACME, named("b")).await.key_id).await;
    for business_id in ["other", "Acme", "acme.", "@keyward"] {
        assert_eq!(server.verify(of(business_id)).await, not_found(&server).await, "{business_id}");
    }
    assert_eq!(server.verify(of(ACME)).await.verdict(), Verdict::Valid);
    server.revoke_key(&made.key_id).await;
    assert_eq!(server.verify(of("other")).await, not_found(&server).await);
}

/// Keyward's own keys are none of its customers', current or rotated, named or not.
#[tokio::test(flavor = "multi_thread")]
async fn service_keys_are_unknown() {
    let server = Server::on_sqlite().await;
    let of_keyward =
        |secret: &str| VerifyRequest { business_id: "@keyward".to_owned(), ..is_good(secret) };
    let other = server.service_key(&["keyward.verify"]).await;
    let rotate = RotateKeyRequest {
        business_id: "@keyward".to_owned(),
        key_id: other.key_id,
        ..RotateKeyRequest::default()
    };
    server.management().rotate_key(rotate).await.unwrap();
    for secret in [&server.operator.secret, &other.secret] {
        assert_eq!(server.verify(is_good(secret)).await, not_found(&server).await);
        assert_eq!(server.verify(of_keyward(secret)).await, not_found(&server).await);
    }
}
