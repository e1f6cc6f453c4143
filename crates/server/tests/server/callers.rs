//! Who is calling: exactly one live service key, from memory, on each request.

use std::time::Duration;

use keyward_proto::v1::{
    CreateKeyRequest, Key, ListScopesRequest, RevokeKeyRequest, RevokeReason, RotateKeyRequest,
    SuspendKeyRequest,
};
use tonic::{Code, Request};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::harness::{
    Bearer, Server, ServiceKey,
    keys::{named, texts},
    told::{Told, refused},
};

const LIST_SCOPES: &str = "/keyward.v1.KeyManagement/ListScopes";
const KEYWARD: &str = "@keyward";

/// An empty request with these `authorization` headers.
fn presenting(headers: &[&str]) -> Request<()> {
    let mut request = Request::new(());
    for header in headers {
        request.metadata_mut().append("authorization", header.parse().unwrap());
    }
    request
}

async fn refusal(server: &Server, headers: &[&str]) -> Told {
    refused(server.call(LIST_SCOPES, presenting(headers)).await)
}

async fn refusal_of(server: &Server, secret: &str) -> String {
    refused(server.call(LIST_SCOPES, Bearer::request(secret)).await).reason
}

/// Nothing, something else, too much, and what is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_needs_exactly_one_live_service_key() {
    let server = Server::on_sqlite().await;
    let good = format!("Bearer {}", server.operator.secret);
    let customer = server.make_key(named("a")).await;
    let customer = format!("Bearer {}", customer.secret);
    let basic = format!("Basic {}", server.operator.secret);
    let glued = good.replace(' ', "");
    let cut = good.get(..good.len() - 1).unwrap();
    let table: [(&[&str], &str); 11] = [
        (&[], "CREDENTIAL_MISSING"),
        (&[""], "CREDENTIAL_MISSING"),
        (&["Bearer"], "CREDENTIAL_MISSING"),
        (&[&server.operator.secret], "CREDENTIAL_MISSING"),
        (&[&basic], "CREDENTIAL_MISSING"),
        (&[&glued], "CREDENTIAL_MISSING"),
        (&[&good, &good], "CREDENTIAL_AMBIGUOUS"),
        (&[&basic, &good], "CREDENTIAL_AMBIGUOUS"),
        (&["Bearer kw_unknown"], "CREDENTIAL_INVALID"),
        (&[cut], "CREDENTIAL_INVALID"),
        (&[&customer], "CREDENTIAL_INVALID"),
    ];
    for (headers, reason) in table {
        let told = refusal(&server, headers).await;
        assert_eq!(told.reason, reason, "{}", told.message);
    }
}

/// RFC 7235: the scheme's case does not matter, the key's does.
#[tokio::test(flavor = "multi_thread")]
async fn the_scheme_may_be_written_in_any_case() {
    let server = Server::on_sqlite().await;
    let secret = &server.operator.secret;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR "] {
        let request = presenting(&[&format!("{scheme} {secret}")]);
        server.call(LIST_SCOPES, request).await.unwrap();
    }
    let shouted = format!("Bearer {}", secret.to_uppercase());
    assert_eq!(refusal(&server, &[&shouted]).await.reason, "CREDENTIAL_INVALID");
}

/// A dead service key is dead from the moment the call returns, with one text for all deaths.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_key_that_ends_is_refused_at_once() {
    let server = Server::on_sqlite().await;
    let mut management = server.management();
    let ServiceKey { key_id, secret } = server.service_key(&["keyward.audit"]).await;
    let revoke = RevokeKeyRequest {
        business_id: KEYWARD.to_owned(),
        key_id,
        reason: RevokeReason::Leaked.into(),
        reason_text: String::new(),
    };
    server.call(LIST_SCOPES, Bearer::request(&secret)).await.unwrap();
    management.revoke_key(revoke).await.unwrap();
    assert_eq!(refusal_of(&server, &secret).await, "CREDENTIAL_INVALID");

    let ServiceKey { key_id, secret } = server.service_key(&["keyward.audit"]).await;
    let suspend = SuspendKeyRequest { business_id: KEYWARD.to_owned(), key_id };
    management.suspend_key(suspend).await.unwrap();
    assert_eq!(refusal_of(&server, &secret).await, "CREDENTIAL_INVALID");

    let ServiceKey { key_id, secret } = server.service_key(&["keyward.audit"]).await;
    let rotate =
        RotateKeyRequest { business_id: KEYWARD.to_owned(), key_id, ..RotateKeyRequest::default() };
    management.rotate_key(rotate).await.unwrap();
    assert_eq!(refusal_of(&server, &secret).await, "CREDENTIAL_INVALID");

    let key = Key {
        scopes: texts(["keyward.audit"]),
        expire_time: Some(server.time_in(60)),
        ..named("expiring")
    };
    let create = CreateKeyRequest {
        business_id: KEYWARD.to_owned(),
        key: Some(key),
        ..CreateKeyRequest::default()
    };
    let secret = management.create_key(create).await.unwrap().into_inner().secret;
    server.clock.advance(Duration::from_secs(60) - Duration::from_micros(1));
    server.call(LIST_SCOPES, Bearer::request(&secret)).await.unwrap();
    server.clock.advance(Duration::from_micros(1));
    assert_eq!(refusal_of(&server, &secret).await, "CREDENTIAL_INVALID");
}

/// A token that does not hold is refused, whoever presents it: ignored, it would widen what is allowed.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_token_is_not_ignored() {
    let server = Server::on_sqlite().await;
    let manage = server.service_key(&["keyward.manage"]).await;
    for secret in [&server.operator.secret, &manage.secret] {
        for path in [LIST_SCOPES, "/keyward.v1.KeyManagement/CreateKey"] {
            let mut request = Bearer::request(secret);
            request.metadata_mut().insert("keyward-user-token", "e30.e30.".parse().unwrap());
            let told = refused(server.call(path, request).await);
            assert_eq!(told.reason, "USER_TOKEN_MALFORMED");
        }
    }
    let mut nobody = Request::new(());
    nobody.metadata_mut().insert("keyward-user-token", "e30.e30.".parse().unwrap());
    let told = refused(server.call(LIST_SCOPES, nobody).await);
    assert_eq!(told.reason, "CREDENTIAL_MISSING");
}

/// What does not exist is told to callers only, and in the form of every other error.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_method_needs_a_caller_too() {
    let server = Server::on_sqlite().await;
    for path in ["/keyward.v1.KeyManagement/Unknown", "/unknown.v1.Service/Method"] {
        let told = refused(server.call(path, Request::new(())).await);
        assert_eq!(told.reason, "CREDENTIAL_MISSING");
        let told = refused(server.call(path, Bearer::request(&server.operator.secret)).await);
        assert_eq!(told.reason, "UNKNOWN_METHOD");
    }
}

/// Load balancers have no key. Each service has an entry, and the whole has one.
#[tokio::test(flavor = "multi_thread")]
async fn health_is_open_to_all() {
    let server = Server::on_sqlite().await;
    let names =
        ["", "keyward.v1.KeyManagement", "keyward.v1.KeyVerification", "keyward.v1.AdvisorAccess"];
    let mut health = HealthClient::new(server.channel.clone());
    let mut check = async |name: &str| {
        let answer = health.check(HealthCheckRequest { service: name.to_owned() }).await;
        answer.map(|answer| answer.into_inner().status())
    };
    for name in names {
        assert_eq!(check(name).await.unwrap(), ServingStatus::Serving, "{name}");
    }
    server.running.pause().await;
    for name in names {
        assert_eq!(check(name).await.unwrap(), ServingStatus::NotServing, "{name}");
    }
    assert_eq!(check("unknown").await.unwrap_err().code(), Code::NotFound);
}

/// grpcurl asks without a key, and finds the services and what it needs to print their errors.
#[tokio::test(flavor = "multi_thread")]
async fn reflection_is_open_to_all() {
    let server = Server::on_sqlite().await;
    let ask = |message_request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message_request),
    };
    let symbols = ["keyward.v1.KeyVerification", "google.rpc.ErrorInfo", "google.rpc.BadRequest"];
    let mut questions = vec![ask(MessageRequest::ListServices(String::new()))];
    questions
        .extend(symbols.map(|name| ask(MessageRequest::FileContainingSymbol(name.to_owned()))));
    let mut reflection = ServerReflectionClient::new(server.channel.clone());
    let answers = reflection.server_reflection_info(tokio_stream::iter(questions)).await;
    let mut answers = answers.unwrap().into_inner();
    let mut next = async || answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = next().await else { panic!("no list") };
    let services: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    for name in ["keyward.v1.KeyManagement", "keyward.v1.KeyVerification", "grpc.health.v1.Health"]
    {
        assert!(services.iter().any(|service| service == name), "{services:?}");
    }
    for symbol in symbols {
        let answer = next().await;
        assert!(
            matches!(answer, MessageResponse::FileDescriptorResponse(_)),
            "{symbol}: {answer:?}"
        );
    }
}

/// The fault of a caller comes before those of its request.
#[tokio::test(flavor = "multi_thread")]
async fn authorization_comes_before_validation() {
    let server = Server::on_sqlite().await;
    let verifier = server.service_key(&["keyward.verify"]).await;
    let wrong = ListScopesRequest { page_size: -1, ..ListScopesRequest::default() };
    let told = refused(server.management_as(&verifier.secret).list_scopes(wrong).await);
    assert_eq!(told.reason, "PERMISSION_DENIED");
    assert_eq!(told.message, "the caller may not do this here, or what it names does not exist");
}
