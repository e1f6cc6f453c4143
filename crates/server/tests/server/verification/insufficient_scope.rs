//! INSUFFICIENT_SCOPE: the key is good, but not for this.

use keyward_proto::v1::{Key, Verdict, VerifyRequest, VerifyResponse};

use super::{denial, reaches};
use crate::harness::{
    Server,
    keys::{any_method, named, texts},
};

/// What is lacking is told, each once and in order; a name that the catalogue does not know is lacking.
#[tokio::test(flavor = "multi_thread")]
async fn the_missing_scopes_are_told() {
    let server = Server::on_sqlite().await;
    server.make_scope("a", Vec::new()).await;
    server.make_scope("b", Vec::new()).await;
    server.make_scope("c", vec![any_method("/c")]).await;
    server.make_scope("d", vec![any_method("/c")]).await;
    let made = server.make_key(Key { scopes: texts(["a"]), ..named("a") }).await;
    let asks = |required: &[&str], sufficient: &[&str]| VerifyRequest {
        presented_secret: made.secret.clone(),
        required_scopes: required.iter().copied().map(str::to_owned).collect(),
        sufficient_scopes: sufficient.iter().copied().map(str::to_owned).collect(),
        ..VerifyRequest::default()
    };
    let all = VerifyRequest {
        endpoint: reaches("", "GET", "/c").endpoint,
        ..asks(&["unknown", "b"], &["b", "a b"])
    };
    let table: [(VerifyRequest, &[&str]); 6] = [
        (asks(&["b"], &[]), &["b"]),
        (asks(&["unknown", "a", "b", "b"], &[]), &["b", "unknown"]),
        (asks(&[], &["unknown", "b"]), &["b", "unknown"]),
        (asks(&["b"], &["b", "a"]), &["b"]),
        (reaches(&made.secret, "GET", "/c"), &["c", "d"]),
        (all, &["a b", "b", "c", "d", "unknown"]),
    ];
    let denial = denial(&server, &made, Verdict::InsufficientScope).await;
    for (question, missing) in table {
        let missing_scopes = missing.iter().copied().map(str::to_owned).collect();
        let expected = VerifyResponse { missing_scopes, ..denial.clone() };
        assert_eq!(server.verify(question).await, expected, "{missing:?}");
    }
}

/// A service key's power is none of a customer's, whatever the name.
#[tokio::test(flavor = "multi_thread")]
async fn a_built_in_scope_is_never_held() {
    let server = Server::on_sqlite().await;
    let made = server.make_key(named("a")).await;
    let question = VerifyRequest {
        presented_secret: made.secret.clone(),
        required_scopes: texts(["keyward.operate"]),
        ..VerifyRequest::default()
    };
    let answer = server.verify(question).await;
    assert_eq!(answer.verdict(), Verdict::InsufficientScope);
    assert_eq!(answer.missing_scopes, ["keyward.operate"]);
}
