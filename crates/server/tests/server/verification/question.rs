//! What the calling service can get wrong: errors, all of them at once. And who may not count.

use keyward_proto::v1::{Endpoint, Verdict, VerifyRequest};

use crate::harness::{
    Server,
    keys::{is_good, named, texts},
    told::refused,
};

/// Nobody forgets scopes by accident, and nobody asks for two things that exclude each other.
#[tokio::test(flavor = "multi_thread")]
async fn each_fault_alone_is_told() {
    const NOTHING: &str =
        "must be true where none of required_scopes, sufficient_scopes and endpoint is set";
    const BOTH: &str =
        "must not be set together with required_scopes, sufficient_scopes or endpoint";
    let server = Server::on_sqlite().await;
    let made = server.make_key(named("a")).await;
    let good = is_good(&made.secret);
    let bare = VerifyRequest { authenticate_only: false, ..good.clone() };
    let no_kind = Endpoint { service: "shop".to_owned(), kind: None };
    let many = || (0..101).map(|i| format!("s{i}")).collect();
    let faults = [
        (bare.clone(), "authenticate_only", NOTHING),
        (
            VerifyRequest { required_scopes: texts(["a"]), ..good.clone() },
            "authenticate_only",
            BOTH,
        ),
        (
            VerifyRequest { sufficient_scopes: texts(["a"]), ..good.clone() },
            "authenticate_only",
            BOTH,
        ),
        (
            VerifyRequest { endpoint: Some(no_kind), ..bare.clone() },
            "endpoint",
            "must have http or",
        ),
        (
            VerifyRequest { required_scopes: many(), ..bare.clone() },
            "required_scopes",
            "has 101 names, and 100 is the most",
        ),
        (
            VerifyRequest { sufficient_scopes: many(), ..bare },
            "sufficient_scopes",
            "has 101 names, and 100 is the most",
        ),
        (VerifyRequest { business_id: "a b".to_owned(), ..good }, "business_id", "character 2 is"),
    ];
    for (question, field, description) in faults {
        refused(server.verification().verify(question).await).violates(&[(field, description)]);
    }
}

/// A question that breaks every rule hears of each, in one error; the secret is no part of it.
#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_is_told_at_once() {
    let server = Server::on_sqlite().await;
    let wrong = VerifyRequest {
        presented_secret: "kw_presented".to_owned(),
        required_scopes: (0..101).map(|i| i.to_string()).collect(),
        sufficient_scopes: (0..102).map(|i| i.to_string()).collect(),
        endpoint: Some(Endpoint::default()),
        authenticate_only: true,
        business_id: "x".repeat(65),
        ..VerifyRequest::default()
    };
    let told = refused(server.verification().verify(wrong).await);
    told.violates(&[
        ("authenticate_only", "must not be set together with"),
        ("required_scopes", "has 101 names, and 100 is the most"),
        ("sufficient_scopes", "has 102 names, and 100 is the most"),
        ("endpoint", "must have http or grpc_method set"),
        ("business_id", "it has 65 characters"),
    ]);
    assert!(!format!("{told:?}").contains("kw_presented"));
}

/// Verifying without a trace in the usage is a right of its own.
#[tokio::test(flavor = "multi_thread")]
async fn skip_usage_needs_its_own_right() {
    let server = Server::on_sqlite().await;
    let made = server.make_key(named("a")).await;
    let question = VerifyRequest { skip_usage: true, ..is_good(&made.secret) };
    let plain = server.service_key(&["keyward.verify"]).await;
    let told = refused(server.verification_as(&plain.secret).verify(question.clone()).await);
    assert_eq!(told.reason, "PERMISSION_DENIED");
    let skipping = server.service_key(&["keyward.verify", "keyward.verify.skip_usage"]).await;
    let answer = server.verification_as(&skipping.secret).verify(question).await.unwrap();
    assert_eq!(answer.into_inner().verdict(), Verdict::Valid);
}
