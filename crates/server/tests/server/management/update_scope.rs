//! UpdateScope: the catalogue's words, and what they cover.

use std::time::Duration;

use keyward_proto::v1::{
    AssignableBy, Endpoint, EndpointTemplate, HttpEndpoint, Key, RetireScopeRequest, Scope,
    UpdateScopeRequest, Verdict, VerifyRequest, endpoint, endpoint_template,
};
use prost_types::FieldMask;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{any_method, named, texts},
    told::refused,
};

on_each_engine!(
    a_missing_scope_is_made_whole_if_allowed,
    each_field_changes_alone_if_the_mask_names_it,
    the_same_again_moves_no_update_time,
    endpoints_are_in_effect_when_the_call_returns,
    a_look_beforehand_tells_how_many_keys_it_concerns,
    what_is_missing_or_retired_does_not_change,
    everything_wrong_is_told_at_once,
    each_fault_alone_is_told,
);

fn request(scope: Scope) -> UpdateScopeRequest {
    UpdateScopeRequest { scope: Some(scope), ..UpdateScopeRequest::default() }
}

fn masked<const N: usize>(scope: Scope, paths: [&str; N]) -> UpdateScopeRequest {
    UpdateScopeRequest { update_mask: Some(FieldMask { paths: texts(paths) }), ..request(scope) }
}

fn scope(name: &str) -> Scope {
    Scope {
        name: name.to_owned(),
        assignable_by: AssignableBy::Operators.into(),
        ..Scope::default()
    }
}

fn grpc(method: &str) -> EndpointTemplate {
    let kind = Some(endpoint_template::Kind::GrpcMethod(method.to_owned()));
    EndpointTemplate { service: "shop".to_owned(), kind }
}

/// And so does the answer when it is done. What the narrower scope gains the wider one loses.
async fn a_look_beforehand_tells_how_many_keys_it_concerns(server: Server) {
    server.make_scope("all", vec![any_method("/**")]).await;
    server.make_scope("orders", Vec::new()).await;
    for (name, scopes) in
        [("a", texts(["orders"])), ("b", texts(["orders"])), ("c", texts(["all"]))]
    {
        server.make_key(Key { scopes, ..named(name) }).await;
    }
    let wider = Scope { endpoints: vec![any_method("/orders")], ..scope("orders") };
    let before = server.receipt().await;
    let look = UpdateScopeRequest { validate_only: true, ..masked(wider.clone(), ["endpoints"]) };
    let look = server.management().update_scope(look).await.unwrap().into_inner();
    assert_eq!((look.widened_key_count, look.narrowed_key_count, look.receipt), (2, 1, None));
    assert_eq!(server.receipt().await, before);
    let done = server.management().update_scope(masked(wider, ["endpoints"])).await.unwrap();
    let done = done.into_inner();
    assert_eq!((done.widened_key_count, done.narrowed_key_count), (2, 1));
    assert_eq!((done.scope, done.receipt), (look.scope, server.receipt().await));
}

/// The mask is ignored then, and so are output-only fields.
async fn a_missing_scope_is_made_whole_if_allowed(server: Server) {
    let asked = Scope {
        description: "Read orders".to_owned(),
        endpoints: vec![any_method("/v1/orders/**"), grpc("/acme.Orders/*")],
        retire_time: Some(server.time_in(0)),
        ..scope("orders.read")
    };
    let made = UpdateScopeRequest { allow_missing: true, ..masked(asked.clone(), ["description"]) };
    let answer = server.management().update_scope(made).await.unwrap().into_inner();
    let expected = Scope {
        retire_time: None,
        create_time: Some(server.time_in(0)),
        update_time: Some(server.time_in(0)),
        ..asked
    };
    assert_eq!(answer.scope, Some(expected));
    assert_eq!(answer.receipt, server.receipt().await);
    assert_eq!((answer.widened_key_count, answer.narrowed_key_count), (0, 0));
}

/// Without a mask all of them change.
async fn each_field_changes_alone_if_the_mask_names_it(server: Server) {
    server.make_scope("orders.read", vec![any_method("/v1/orders")]).await;
    let mut expected = Scope {
        assignable_by: AssignableBy::Users.into(),
        endpoints: vec![any_method("/v1/orders")],
        create_time: Some(server.time_in(0)),
        ..scope("orders.read")
    };
    let after = Scope {
        description: "after".to_owned(),
        endpoints: vec![any_method("/v2/orders")],
        ..scope("orders.read")
    };
    for path in ["description", "assignable_by", "endpoints"] {
        server.clock.advance(Duration::from_secs(1));
        let request = masked(after.clone(), [path]);
        let answer = server.management().update_scope(request).await.unwrap().into_inner();
        match path {
            "description" => expected.description.clone_from(&after.description),
            "assignable_by" => expected.assignable_by = after.assignable_by,
            _ => expected.endpoints.clone_from(&after.endpoints),
        }
        expected.update_time = Some(server.time_in(0));
        assert_eq!(answer.scope.as_ref(), Some(&expected), "{path}");
        assert_eq!(answer.receipt, server.receipt().await);
    }
    let bare = server.management().update_scope(request(scope("orders.read"))).await.unwrap();
    let bare = bare.into_inner().scope.unwrap();
    assert_eq!((bare.description.as_str(), bare.endpoints), ("", Vec::new()));
}

/// Idempotent.
async fn the_same_again_moves_no_update_time(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    let request = request(scope("orders.read"));
    let first = server.management().update_scope(request.clone()).await.unwrap().into_inner();
    server.clock.advance(Duration::from_secs(1));
    let again = server.management().update_scope(request).await.unwrap().into_inner();
    assert_eq!(again.scope, first.scope);
    assert_eq!(again.receipt, server.receipt().await);
}

/// Verify goes by the new endpoints at once.
async fn endpoints_are_in_effect_when_the_call_returns(server: Server) {
    server.make_scope("orders.read", vec![any_method("/old")]).await;
    let key = Key { scopes: texts(["orders.read"]), ..named("a") };
    let made = server.make_key(key).await;
    let new = Scope { endpoints: vec![any_method("/new")], ..scope("orders.read") };
    server.management().update_scope(masked(new, ["endpoints"])).await.unwrap();
    for (path, verdict) in [("/old", Verdict::EndpointNotMapped), ("/new", Verdict::Valid)] {
        let http = HttpEndpoint { method: "GET".to_owned(), raw_path: path.to_owned() };
        let endpoint =
            Endpoint { service: "shop".to_owned(), kind: Some(endpoint::Kind::Http(http)) };
        let question = VerifyRequest {
            presented_secret: made.secret.clone(),
            endpoint: Some(endpoint),
            ..VerifyRequest::default()
        };
        assert_eq!(server.verify(question).await.verdict(), verdict, "{path}");
    }
}

/// A retired scope stays as it was.
async fn what_is_missing_or_retired_does_not_change(server: Server) {
    let told = refused(server.management().update_scope(request(scope("orders.read"))).await);
    assert_eq!(told.reason, "SCOPE_NOT_FOUND");
    server.make_scope("orders.read", Vec::new()).await;
    let name = "orders.read".to_owned();
    let retire = RetireScopeRequest { name, ..Default::default() };
    server.management().retire_scope(retire).await.unwrap();
    for allow_missing in [false, true] {
        let request = UpdateScopeRequest { allow_missing, ..request(scope("orders.read")) };
        let told = refused(server.management().update_scope(request).await);
        assert_eq!(told.reason, "SCOPE_RETIRED");
    }
}

/// A request that breaks every rule hears of each, in one error.
async fn everything_wrong_is_told_at_once(server: Server) {
    let no_kind = EndpointTemplate { service: "shop".to_owned(), kind: None };
    let wrong = Scope {
        name: "a b".to_owned(),
        description: "x".repeat(1_025),
        assignable_by: 0,
        endpoints: vec![any_method("/ok"), any_method("no/slash"), grpc("nothing"), no_kind],
        ..Scope::default()
    };
    let wrong =
        UpdateScopeRequest { allow_missing: true, ..masked(wrong, ["description", "name"]) };
    refused(server.management().update_scope(wrong).await).violates(&[
        ("update_mask", "\"name\" cannot be changed here; name any of description"),
        ("scope.name", "character 2 is ' '"),
        ("scope.description", "it has 1025 characters"),
        ("scope.assignable_by", "must be ASSIGNABLE_BY_USERS"),
        ("scope.endpoints[1]", "the path does not start with `/`"),
        ("scope.endpoints[2]", "a gRPC method is `/package.Service/Method`"),
        ("scope.endpoints[3]", "must have http or grpc_method set"),
    ]);
    let no_scope = UpdateScopeRequest { scope: None, ..masked(Scope::default(), ["name"]) };
    refused(server.management().update_scope(no_scope).await).violates(&[
        ("update_mask", "\"name\" cannot be changed here"),
        ("scope", "must be set: a scope needs at least a name and assignable_by"),
    ]);
}

/// Built-in names are out of reach, and a scope covers only so much.
async fn each_fault_alone_is_told(server: Server) {
    let endpoints = (0..201).map(|i| any_method(&format!("/{i}"))).collect();
    let faults = [
        (scope("keyward.operate"), "scope.name", "names that begin with keyward. are built in"),
        (scope("keyward.new"), "scope.name", "names that begin with keyward. are built in"),
        (scope(&"x".repeat(65)), "scope.name", "it has 65 characters"),
        (Scope { assignable_by: 99, ..scope("a") }, "scope.assignable_by", "must be"),
        (Scope { endpoints, ..scope("a") }, "scope.endpoints", "has 201 entries, and 200 is"),
        (
            Scope { endpoints: vec![any_method("/**/x")], ..scope("a") },
            "scope.endpoints[0]",
            "`*` stands for a whole segment",
        ),
    ];
    for (scope, field, description) in faults {
        refused(server.management().update_scope(request(scope)).await)
            .violates(&[(field, description)]);
    }
}
