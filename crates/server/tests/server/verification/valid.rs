//! VALID: the one verdict that lets a request through, and that tells everything.

use std::collections::BTreeMap;

use keyward_proto::v1::{
    Endpoint, EndpointTemplate, Key, Verdict, VerifyRequest, VerifyResponse, endpoint,
    endpoint_template,
};

use super::reaches;
use crate::harness::{
    Server,
    keys::{ACME, any_method, is_good, named, texts},
};

/// All of the answer.
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_told() {
    let server = Server::on_sqlite().await;
    server.make_scope("orders.read", Vec::new()).await;
    server.make_scope("orders.write", Vec::new()).await;
    let key = Key {
        description: "not told".to_owned(),
        scopes: texts(["orders.write", "orders.read"]),
        expire_time: Some(server.time_in(60)),
        annotations: BTreeMap::from([("tier".to_owned(), "gold".to_owned())]),
        ..named("Läden")
    };
    let made = server.make_key(key.clone()).await;
    let expected = VerifyResponse {
        valid: true,
        verdict: Verdict::Valid.into(),
        key_id: made.key_id,
        business_id: ACME.to_owned(),
        display_name: key.display_name,
        scopes: texts(["orders.read", "orders.write"]),
        annotations: key.annotations,
        expire_time: key.expire_time,
        missing_scopes: Vec::new(),
        revision: server.store.revision().await.unwrap().0,
    };
    assert_eq!(server.verify(is_good(&made.secret)).await, expected);
}

/// All of the required, one of the sufficient, one that covers the endpoint: each way, and all at once.
#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_requirement_can_be_met() {
    let server = Server::on_sqlite().await;
    let method = "/acme.Orders/Get".to_owned();
    let grpc = EndpointTemplate {
        service: "shop".to_owned(),
        kind: Some(endpoint_template::Kind::GrpcMethod(method.clone())),
    };
    server.make_scope("orders.read", vec![any_method("/orders/*"), grpc]).await;
    server.make_scope("orders.write", Vec::new()).await;
    let scopes = texts(["orders.read", "orders.write"]);
    let made = server.make_key(Key { scopes: scopes.clone(), ..named("a") }).await;

    let presented_secret = made.secret.clone();
    let base = VerifyRequest { presented_secret, ..VerifyRequest::default() };
    let required = VerifyRequest { required_scopes: scopes, ..base.clone() };
    let sufficient_scopes = texts(["unknown", "orders.write"]);
    let sufficient = VerifyRequest { sufficient_scopes, ..base.clone() };
    let http = reaches(&made.secret, "GET", "/orders/1?page=2");
    let kind = Some(endpoint::Kind::GrpcMethod(method));
    let grpc = Endpoint { service: "shop".to_owned(), kind };
    let grpc = VerifyRequest { endpoint: Some(grpc), ..base };
    let all = VerifyRequest {
        required_scopes: required.required_scopes.clone(),
        sufficient_scopes: sufficient.sufficient_scopes.clone(),
        business_id: ACME.to_owned(),
        ..http.clone()
    };
    for question in [required, sufficient, http, grpc, all] {
        assert_eq!(server.verify(question).await.verdict(), Verdict::Valid);
    }
}

/// No scopes reach nothing, but the key itself is good.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_scopes_is_good_for_authentication_alone() {
    let server = Server::on_sqlite().await;
    server.make_scope("orders.read", Vec::new()).await;
    let made = server.make_key(named("a")).await;
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::Valid);
    let question = VerifyRequest {
        sufficient_scopes: texts(["orders.read"]),
        authenticate_only: false,
        ..is_good(&made.secret)
    };
    assert_eq!(server.verify(question).await.verdict(), Verdict::InsufficientScope);
}
