//! ListKeys: filters, and pages that end where the next one begins.

use std::time::Duration;

use keyward_proto::v1::{Key, KeyFilter, KeyState, ListKeysRequest, ListScopesRequest};
use prost::Message as _;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, named, texts, without_use},
    told::refused,
};

on_each_engine!(
    pages_are_complete_newest_first_and_without_doubles,
    a_page_without_a_size_holds_50,
    businesses_are_listed_together_and_no_others,
    each_filter_narrows_and_all_are_anded,
    everything_wrong_is_told_at_once,
    each_fault_alone_is_told,
    a_page_token_is_bound_to_its_query,
);

fn of_acme(filter: KeyFilter) -> ListKeysRequest {
    ListKeysRequest {
        business_ids: texts([ACME]),
        filter: Some(filter),
        ..ListKeysRequest::default()
    }
}

async fn names(server: &Server, request: ListKeysRequest) -> Vec<String> {
    let answer = server.management().list_keys(request).await.unwrap().into_inner();
    answer.keys.into_iter().map(|key| key.display_name).collect()
}

/// Keys of one moment are told apart by their ids, so that a page may end between them.
async fn pages_are_complete_newest_first_and_without_doubles(server: Server) {
    let mut made = Vec::new();
    for moment in 0..3 {
        for _ in 0..2 {
            let key = without_use(server.make_key(named("a")).await.key);
            made.push((moment, key.key_id.clone(), key));
        }
        server.clock.advance(Duration::from_micros(1));
    }
    made.sort_by(|a, b| (b.0, &b.1).cmp(&(a.0, &a.1)));
    let made: Vec<Key> = made.into_iter().map(|(_, _, key)| key).collect();

    for page_size in [1, 3, 4, 6, 7] {
        let mut request = ListKeysRequest { page_size, ..of_acme(KeyFilter::default()) };
        let mut pages = Vec::new();
        loop {
            let page = server.management().list_keys(request.clone()).await.unwrap().into_inner();
            pages.push(page.keys.into_iter().map(without_use).collect::<Vec<_>>());
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        let size = usize::try_from(page_size).unwrap();
        assert_eq!(pages.len(), made.len().div_ceil(size), "pages of {page_size}");
        assert!(pages.iter().all(|page| page.len() <= size));
        assert_eq!(pages.concat(), made, "pages of {page_size}");
    }
}

/// 0 stands for the default.
async fn a_page_without_a_size_holds_50(server: Server) {
    for _ in 0..51 {
        server.make_key(named("a")).await;
    }
    let list = of_acme(KeyFilter::default());
    let page = server.management().list_keys(list.clone()).await.unwrap().into_inner();
    assert_eq!(page.keys.len(), 50);
    let next = ListKeysRequest { page_token: page.next_page_token, ..list };
    let rest = server.management().list_keys(next).await.unwrap().into_inner();
    assert_eq!((rest.keys.len(), rest.next_page_token.as_str()), (1, ""));
}

/// An advisor's view: up to 100 businesses, known or not.
async fn businesses_are_listed_together_and_no_others(server: Server) {
    for business in ["one", "two", "three"] {
        server.make_key_of(business, named(business)).await;
        server.clock.advance(Duration::from_micros(1));
    }
    let mut business_ids: Vec<String> = (0..98).map(|i| format!("nobody-{i}")).collect();
    business_ids.extend(texts(["one", "three"]));
    let list = ListKeysRequest { business_ids, ..ListKeysRequest::default() };
    assert_eq!(names(&server, list).await, ["three", "one"]);
    let service_keys =
        ListKeysRequest { business_ids: texts(["@keyward"]), ..ListKeysRequest::default() };
    assert_eq!(names(&server, service_keys).await, ["operator"]);
}

/// One key for each state, and a filter for each field.
async fn each_filter_narrows_and_all_are_anded(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    let scoped = |name| Key { scopes: texts(["orders.read"]), ..named(name) };
    let active = server.make_key(scoped("Active 100%")).await;
    server.clock.advance(Duration::from_micros(1));
    let soon = Some(server.time_in(10));
    server.make_key(Key { expire_time: soon, ..scoped("expired") }).await;
    server.clock.advance(Duration::from_micros(1));
    let later = Some(server.time_in(100));
    let made = server.make_key(Key { expire_time: later, ..named("suspended") }).await;
    server.suspend_key(&made.key_id).await;
    server.clock.advance(Duration::from_micros(1));
    let made = server.make_key(Key { expire_time: soon, ..named("revoked") }).await;
    server.revoke_key(&made.key_id).await;
    server.clock.advance(Duration::from_secs(10));

    let states = |states: &[KeyState]| KeyFilter {
        states: states.iter().map(|state| i32::from(*state)).collect(),
        ..KeyFilter::default()
    };
    let (scope, expire_before_time) = ("orders.read".to_owned(), Some(server.time_in(1)));
    let part =
        |part: &str| KeyFilter { display_name_part: part.to_owned(), ..KeyFilter::default() };
    let obfuscated_secret = active.key.obfuscated_secret;
    let table: [(KeyFilter, &[&str]); 13] = [
        (KeyFilter::default(), &["revoked", "suspended", "expired", "Active 100%"]),
        (states(&[KeyState::Active]), &["Active 100%"]),
        (states(&[KeyState::Suspended]), &["suspended"]),
        (states(&[KeyState::Expired]), &["expired"]),
        (states(&[KeyState::Revoked]), &["revoked"]),
        (states(&[KeyState::Revoked, KeyState::Expired]), &["revoked", "expired"]),
        (KeyFilter { scope: scope.clone(), ..KeyFilter::default() }, &["expired", "Active 100%"]),
        (KeyFilter { scope: "orders".to_owned(), ..KeyFilter::default() }, &[]),
        (KeyFilter { expire_before_time, ..KeyFilter::default() }, &["revoked", "expired"]),
        (KeyFilter { obfuscated_secret, ..KeyFilter::default() }, &["Active 100%"]),
        (part("e 100%"), &["Active 100%"]),
        (part("active"), &[]),
        (KeyFilter { scope, expire_before_time, ..states(&[KeyState::Expired]) }, &["expired"]),
    ];
    for (filter, expected) in table {
        assert_eq!(names(&server, of_acme(filter.clone())).await, expected, "{filter:?}");
    }
}

/// A request that breaks every rule hears of each, in one error.
async fn everything_wrong_is_told_at_once(server: Server) {
    let filter = KeyFilter {
        states: vec![0, KeyState::Active.into(), 99],
        scope: "a b".to_owned(),
        expire_before_time: Some(prost_types::Timestamp { seconds: 0, nanos: -1 }),
        obfuscated_secret: "kw_…\0".to_owned(),
        display_name_part: "x".repeat(64),
        ..KeyFilter::default()
    };
    let request = ListKeysRequest {
        business_ids: texts(["ok", "", "@nobody"]),
        filter: Some(filter),
        order: 99,
        page_size: -1,
        page_token: "no token".to_owned(),
    };
    refused(server.management().list_keys(request).await).violates(&[
        ("business_ids[1]", "it is empty"),
        ("business_ids[2]", "character 1 is '@'"),
        ("filter.states", "must be ACTIVE, SUSPENDED, EXPIRED or REVOKED"),
        ("filter.states", "must be ACTIVE, SUSPENDED, EXPIRED or REVOKED"),
        ("filter.scope", "character 2 is ' '"),
        ("filter.expire_before_time", "must be a time from"),
        ("filter.obfuscated_secret", "must have no control characters"),
        ("filter.display_name_part", "it has 64 characters"),
        ("order", "must be KEY_ORDER_CREATE_TIME or KEY_ORDER_LAST_USE_TIME"),
        ("page_size", "must not be negative; 0 means 50, and 1000 is the most"),
        ("page_token", "must be next_page_token of the page before"),
    ]);
}

/// No business, and one too many.
async fn each_fault_alone_is_told(server: Server) {
    for (count, description) in [
        (0, "must name 1 to 100 businesses, not 0"),
        (101, "must name 1 to 100 businesses, not 101"),
    ] {
        let business_ids = (0..count).map(|i| format!("b{i}")).collect();
        let request = ListKeysRequest { business_ids, ..ListKeysRequest::default() };
        refused(server.management().list_keys(request).await)
            .violates(&[("business_ids", description)]);
    }
}

/// A token goes on with the list that it came from, in pages of any size, and with no other.
async fn a_page_token_is_bound_to_its_query(server: Server) {
    for _ in 0..3 {
        server.make_key(named("a")).await;
    }
    let list = ListKeysRequest { page_size: 1, ..of_acme(KeyFilter::default()) };
    let page = server.management().list_keys(list.clone()).await.unwrap().into_inner();
    let token = page.next_page_token;
    let next = ListKeysRequest { page_token: token.clone(), ..list };
    let resized = ListKeysRequest { page_size: 2, ..next.clone() };
    assert_eq!(names(&server, resized).await.len(), 2);

    let filter = Some(KeyFilter { scope: "orders.read".to_owned(), ..KeyFilter::default() });
    let mut tampered = token.clone().into_bytes();
    let last = tampered.last_mut().unwrap();
    *last = if *last == b'A' { b'E' } else { b'A' };
    let tampered = String::from_utf8(tampered).unwrap();
    let others = [
        ListKeysRequest { business_ids: texts(["other"]), ..next.clone() },
        ListKeysRequest { filter, ..next.clone() },
        ListKeysRequest { order: 1, ..next.clone() },
        ListKeysRequest { page_token: tampered, ..next.clone() },
        ListKeysRequest { page_token: token.get(1..).unwrap().to_owned(), ..next },
    ];
    for other in others {
        refused(server.management().list_keys(other).await)
            .violates(&[("page_token", "must be next_page_token of the page before")]);
    }
    let elsewhere = ListScopesRequest { page_token: token, ..ListScopesRequest::default() };
    refused(server.management().list_scopes(elsewhere).await)
        .violates(&[("page_token", "must be next_page_token of the page before")]);
}

/// Keys as large as can be: a page ends before the 4 MiB that generated clients accept, and the next
/// goes on from there.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_at_3_mib() {
    const BYTES_MAX: usize = 3 * 1024 * 1024;
    let server = Server::on_sqlite().await;
    let scopes: Vec<String> = (0..100).map(|i| format!("{i:064}")).collect();
    for scope in &scopes {
        server.make_scope(scope, Vec::new()).await;
    }
    let large = Key { scopes, description: "🔑".repeat(1_024), ..named(&"🔑".repeat(63)) };
    let mut bytes = 0;
    let mut count = 0;
    while bytes <= BYTES_MAX {
        bytes += server.make_key(large.clone()).await.key.encoded_len();
        count += 1;
    }
    let list = ListKeysRequest { page_size: 1_000, ..of_acme(KeyFilter::default()) };
    let page = server.management().list_keys(list.clone()).await.unwrap().into_inner();
    assert_eq!(page.keys.len(), count - 1);
    let next = ListKeysRequest { page_token: page.next_page_token, ..list };
    let rest = server.management().list_keys(next).await.unwrap().into_inner();
    assert_eq!((rest.keys.len(), rest.next_page_token.as_str()), (1, ""));
}
