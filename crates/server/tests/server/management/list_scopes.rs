//! ListScopes: the catalogue by name.

use keyward_proto::v1::{
    AssignableBy, ListScopesRequest, RetireScopeRequest, Scope, UpdateScopeRequest,
};
use prost::Message as _;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{any_method, texts},
    told::refused,
};

on_each_engine!(
    scopes_are_listed_by_name_and_retired_ones_on_demand,
    pages_are_complete,
    who_only_presents_users_sees_what_users_may_assign,
    everything_wrong_is_told_at_once,
    a_page_token_is_bound_to_its_query,
);

async fn names(server: &Server, request: ListScopesRequest) -> Vec<String> {
    let answer = server.management().list_scopes(request).await.unwrap().into_inner();
    answer.scopes.into_iter().map(|scope| scope.name).collect()
}

async fn retire(server: &Server, name: &str) {
    let request = RetireScopeRequest { name: name.to_owned(), ..RetireScopeRequest::default() };
    server.management().retire_scope(request).await.unwrap();
}

/// In the order of bytes; built-in scopes are not of the catalogue.
async fn scopes_are_listed_by_name_and_retired_ones_on_demand(server: Server) {
    for name in ["b", "_", "a", "B", "old"] {
        server.make_scope(name, vec![any_method("/a")]).await;
    }
    retire(&server, "old").await;
    assert_eq!(names(&server, ListScopesRequest::default()).await, ["B", "_", "a", "b"]);
    let all = ListScopesRequest { include_retired: true, ..ListScopesRequest::default() };
    let scopes = server.management().list_scopes(all).await.unwrap().into_inner().scopes;
    let old = scopes.into_iter().next_back();
    let expected = Scope {
        name: "old".to_owned(),
        description: String::new(),
        assignable_by: AssignableBy::Users.into(),
        endpoints: vec![any_method("/a")],
        retire_time: Some(server.time_in(0)),
        create_time: Some(server.time_in(0)),
        update_time: Some(server.time_in(0)),
    };
    assert_eq!(old, Some(expected));
}

/// Pages of two, the last of them full.
async fn pages_are_complete(server: Server) {
    let all = texts(["a", "b", "c", "d"]);
    for name in &all {
        server.make_scope(name, Vec::new()).await;
    }
    let first = ListScopesRequest { page_size: 2, ..ListScopesRequest::default() };
    let page = server.management().list_scopes(first.clone()).await.unwrap().into_inner();
    assert_eq!(page.scopes.len(), 2);
    let second = ListScopesRequest { page_token: page.next_page_token, ..first };
    let rest = server.management().list_scopes(second).await.unwrap().into_inner();
    assert_eq!(rest.next_page_token, "");
    let listed = [page.scopes, rest.scopes].concat();
    assert_eq!(listed.into_iter().map(|scope| scope.name).collect::<Vec<_>>(), all);
}

/// `keyward.manage` alone is narrower than what comes with it.
async fn who_only_presents_users_sees_what_users_may_assign(server: Server) {
    server.make_scope("for.users", Vec::new()).await;
    let scope = Scope {
        name: "for.operators".to_owned(),
        assignable_by: AssignableBy::Operators.into(),
        ..Scope::default()
    };
    let request = UpdateScopeRequest {
        scope: Some(scope),
        allow_missing: true,
        ..UpdateScopeRequest::default()
    };
    server.management().update_scope(request).await.unwrap();
    let table: [(&[&str], &[&str]); 3] = [
        (&["keyward.manage"], &["for.users"]),
        (&["keyward.audit"], &["for.operators", "for.users"]),
        (&["keyward.manage", "keyward.audit"], &["for.operators", "for.users"]),
    ];
    for (scopes, expected) in table {
        let caller = server.service_key(scopes).await;
        let mut management = server.management_as(&caller.secret);
        let answer = management.list_scopes(ListScopesRequest::default()).await.unwrap();
        let seen: Vec<String> =
            answer.into_inner().scopes.into_iter().map(|scope| scope.name).collect();
        assert_eq!(seen, expected, "{scopes:?}");
    }
}

/// Both fields that have rules.
async fn everything_wrong_is_told_at_once(server: Server) {
    let wrong = ListScopesRequest {
        include_retired: false,
        page_size: i32::MIN,
        page_token: "AAAA".to_owned(),
    };
    refused(server.management().list_scopes(wrong).await).violates(&[
        ("page_size", "must not be negative; 0 means 50, and 1000 is the most"),
        ("page_token", "must be next_page_token of the page before"),
    ]);
}

/// A list without retired scopes is another list.
async fn a_page_token_is_bound_to_its_query(server: Server) {
    server.make_scope("a", Vec::new()).await;
    server.make_scope("b", Vec::new()).await;
    let first = ListScopesRequest { page_size: 1, ..ListScopesRequest::default() };
    let page = server.management().list_scopes(first.clone()).await.unwrap().into_inner();
    let next = ListScopesRequest { page_token: page.next_page_token, ..first };
    assert_eq!(names(&server, next.clone()).await, ["b"]);
    let other = ListScopesRequest { include_retired: true, ..next };
    refused(server.management().list_scopes(other).await)
        .violates(&[("page_token", "must be next_page_token of the page before")]);
}

/// Scopes as large as can be: a page ends before the 4 MiB that generated clients accept.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_at_3_mib() {
    const BYTES_MAX: usize = 3 * 1024 * 1024;
    let server = Server::on_sqlite().await;
    let mut bytes = 0;
    let mut count = 0;
    while bytes <= BYTES_MAX {
        let endpoints = (0..200).map(|i| any_method(&format!("/{count}/{i:0500}"))).collect();
        let scope = Scope {
            name: format!("s{count:03}"),
            assignable_by: AssignableBy::Users.into(),
            endpoints,
            ..Scope::default()
        };
        let request = UpdateScopeRequest {
            scope: Some(scope),
            allow_missing: true,
            ..UpdateScopeRequest::default()
        };
        let made = server.management().update_scope(request).await.unwrap().into_inner();
        bytes += made.scope.unwrap().encoded_len();
        count += 1;
    }
    let list = ListScopesRequest { page_size: 1_000, ..ListScopesRequest::default() };
    let page = server.management().list_scopes(list.clone()).await.unwrap().into_inner();
    assert_eq!(page.scopes.len(), count - 1);
    let next = ListScopesRequest { page_token: page.next_page_token, ..list };
    assert_eq!(names(&server, next).await.len(), 1);
}
