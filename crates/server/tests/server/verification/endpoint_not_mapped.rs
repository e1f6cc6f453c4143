//! ENDPOINT_NOT_MAPPED: the platform's mistake, not the customer's.

use keyward_proto::v1::{Endpoint, Key, Verdict, VerifyRequest, endpoint};

use super::{denial, reaches};
use crate::harness::{
    Server,
    keys::{any_method, named, texts},
};

/// No scope covers these, whatever the key holds and whatever else is asked.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_key_is_told() {
    let server = Server::on_sqlite().await;
    server.make_scope("orders.read", vec![any_method("/orders/**")]).await;
    let made = server.make_key(Key { scopes: texts(["orders.read"]), ..named("a") }).await;
    let expected = denial(&server, &made, Verdict::EndpointNotMapped).await;
    for path in ["/", "/stock", "/Orders", "/orders/%2F", "/orders/../stock", "/orders//1", "", "*"]
    {
        assert_eq!(server.verify(reaches(&made.secret, "GET", path)).await, expected, "{path}");
    }
    let orders = reaches(&made.secret, "GET", "/orders/1");
    assert_eq!(server.verify(orders.clone()).await.verdict(), Verdict::Valid);

    let kind = orders.endpoint.clone().unwrap().kind;
    let of_another_service = Endpoint { service: "Shop".to_owned(), kind };
    let kind = Some(endpoint::Kind::GrpcMethod("/orders/1".to_owned()));
    let over_grpc = Endpoint { service: "shop".to_owned(), kind };
    for endpoint in [of_another_service, over_grpc] {
        let question = VerifyRequest {
            endpoint: Some(endpoint),
            required_scopes: texts(["unknown"]),
            ..orders.clone()
        };
        assert_eq!(server.verify(question).await, expected);
    }
}
