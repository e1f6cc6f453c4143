//! RetireScope: a scope that counts as not held, for ever.

use std::time::Duration;

use keyward_proto::v1::{
    AssignableBy, Endpoint, HttpEndpoint, Key, RetireScopeRequest, Scope, Verdict, VerifyRequest,
    endpoint,
};

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{any_method, is_good, named, texts},
    told::refused,
};

on_each_engine!(
    a_scope_that_nobody_holds_is_retired,
    live_keys_protect_a_scope_unless_forced,
    a_retired_scope_is_not_held_and_nobody_inherits_its_endpoints,
    again_changes_nothing,
    an_unknown_scope_is_not_found,
    a_wrong_name_is_told,
);

fn request(name: &str) -> RetireScopeRequest {
    RetireScopeRequest { name: name.to_owned(), ..RetireScopeRequest::default() }
}

fn forced(name: &str) -> RetireScopeRequest {
    RetireScopeRequest { force: true, ..request(name) }
}

/// All of the answer; dead keys do not count.
async fn a_scope_that_nobody_holds_is_retired(server: Server) {
    server.make_scope("orders.read", vec![any_method("/orders")]).await;
    let key = || Key { scopes: texts(["orders.read"]), ..named("a") };
    let made = server.make_key(key()).await;
    server.revoke_key(&made.key_id).await;
    server.make_key(Key { expire_time: Some(server.time_in(1)), ..key() }).await;
    server.clock.advance(Duration::from_secs(1));
    let answer =
        server.management().retire_scope(request("orders.read")).await.unwrap().into_inner();
    let scope = answer.scope.unwrap();
    let expected = Scope {
        name: "orders.read".to_owned(),
        description: String::new(),
        assignable_by: AssignableBy::Users.into(),
        endpoints: vec![any_method("/orders")],
        retire_time: Some(server.time_in(0)),
        create_time: scope.create_time,
        update_time: Some(server.time_in(0)),
    };
    assert_eq!(scope, expected);
    assert_eq!(answer.receipt, server.receipt().await);
    assert_eq!(answer.narrowed_key_count, 0);
}

/// How many there are is told either way.
async fn live_keys_protect_a_scope_unless_forced(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    for name in ["a", "b"] {
        server.make_key(Key { scopes: texts(["orders.read"]), ..named(name) }).await;
    }
    for validate_only in [true, false] {
        let request = RetireScopeRequest { validate_only, ..request("orders.read") };
        let told = refused(server.management().retire_scope(request).await);
        let live_keys = told.metadata["live_keys"].as_str();
        assert_eq!((told.reason.as_str(), live_keys), ("SCOPE_IN_USE", "2"));
    }
    let look = RetireScopeRequest { validate_only: true, ..forced("orders.read") };
    let look = server.management().retire_scope(look).await.unwrap().into_inner();
    assert_eq!((look.narrowed_key_count, look.receipt), (2, None));
    assert_eq!(look.scope.unwrap().retire_time, Some(server.time_in(0)));
    let answer = server.management().retire_scope(forced("orders.read")).await.unwrap();
    assert_eq!(answer.into_inner().narrowed_key_count, 2);
}

/// The wider scope `all` covers `/orders` too, but the narrower template still decides.
async fn a_retired_scope_is_not_held_and_nobody_inherits_its_endpoints(server: Server) {
    server.make_scope("orders.read", vec![any_method("/orders")]).await;
    server.make_scope("all", vec![any_method("/**")]).await;
    let made = server.make_key(Key { scopes: texts(["all", "orders.read"]), ..named("a") }).await;
    server.management().retire_scope(forced("orders.read")).await.unwrap();

    let key = server.get_key(&made.key_id).await;
    assert_eq!(key.scopes, ["all", "orders.read"]);
    assert_eq!(key.retired_scopes, ["orders.read"]);
    assert_eq!(key.etag, made.key.etag);
    assert_eq!(server.verify(is_good(&made.secret)).await.scopes, ["all"]);

    let http = HttpEndpoint { method: "GET".to_owned(), raw_path: "/orders".to_owned() };
    let endpoint = Endpoint { service: "shop".to_owned(), kind: Some(endpoint::Kind::Http(http)) };
    let presented_secret = made.secret;
    let question =
        VerifyRequest { presented_secret, endpoint: Some(endpoint), ..Default::default() };
    let answer = server.verify(question).await;
    assert_eq!(answer.verdict(), Verdict::InsufficientScope);
    assert_eq!(answer.missing_scopes, ["orders.read"]);
}

/// Idempotent: the first time stands.
async fn again_changes_nothing(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    let first = server.management().retire_scope(request("orders.read")).await.unwrap();
    server.clock.advance(Duration::from_secs(1));
    let again =
        server.management().retire_scope(request("orders.read")).await.unwrap().into_inner();
    assert_eq!(again.scope, first.into_inner().scope);
    assert_eq!(again.receipt, server.receipt().await);
}

/// There is nothing to retire.
async fn an_unknown_scope_is_not_found(server: Server) {
    let told = refused(server.management().retire_scope(forced("unknown")).await);
    assert_eq!(told.reason, "SCOPE_NOT_FOUND");
}

/// The one field with rules.
async fn a_wrong_name_is_told(server: Server) {
    for (name, description) in [
        ("", "it is empty; a scope is 1 to 64 printable ASCII characters"),
        ("a\\b", "character 2 is '\\\\'"),
        ("keyward.verify", "names that begin with keyward. are built in"),
    ] {
        refused(server.management().retire_scope(forced(name)).await)
            .violates(&[("name", description)]);
    }
}
