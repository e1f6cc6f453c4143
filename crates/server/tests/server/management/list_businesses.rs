//! ListBusinesses: all of them, by id, page by page.

use keyward_proto::v1::{BusinessState, ListBusinessesRequest};

use crate::harness::{Server, engines::on_each_engine, keys::named, told::refused};

on_each_engine!(
    they_come_by_id_in_pages,
    states_narrow,
    a_page_token_is_bound_to_its_query,
    everything_wrong_is_told_at_once,
);

/// Three of them; `b` is suspended. The service keys' own is none.
async fn three(server: &Server) {
    for business_id in ["c", "a", "b"] {
        server.make_key_of(business_id, named("a key")).await;
    }
    server.set_business_state("b", BusinessState::Suspended).await;
}

/// Names, and the token of the next page.
async fn page(server: &Server, request: ListBusinessesRequest) -> (Vec<String>, String) {
    let page = server.management().list_businesses(request).await.unwrap().into_inner();
    let names = page.businesses.into_iter().map(|business| business.business_id);
    (names.collect(), page.next_page_token)
}

fn states<const N: usize>(states: [BusinessState; N]) -> ListBusinessesRequest {
    let states = states.map(i32::from).to_vec();
    ListBusinessesRequest { states, ..ListBusinessesRequest::default() }
}

/// Each as it is shown alone.
async fn they_come_by_id_in_pages(server: Server) {
    assert_eq!(page(&server, states([])).await, (vec![], String::new()));
    three(&server).await;
    let all = server.management().list_businesses(states([])).await.unwrap().into_inner();
    assert_eq!(all.next_page_token, "");
    let mut alone = Vec::new();
    for business_id in ["a", "b", "c"] {
        alone.push(server.get_business(business_id).await);
    }
    assert_eq!(all.businesses, alone);

    for page_size in [1, 2, 3] {
        let mut request = ListBusinessesRequest { page_size, ..states([]) };
        let mut told = Vec::new();
        loop {
            let (names, page_token) = page(&server, request.clone()).await;
            assert!(names.len() <= usize::try_from(page_size).unwrap());
            told.extend(names);
            if page_token.is_empty() {
                break;
            }
            request.page_token = page_token;
        }
        assert_eq!(told, ["a", "b", "c"], "{page_size}");
    }
}

async fn states_narrow(server: Server) {
    use BusinessState::{Active, Suspended};
    three(&server).await;
    assert_eq!(page(&server, states([Active])).await.0, ["a", "c"]);
    assert_eq!(page(&server, states([Suspended])).await.0, ["b"]);
    assert_eq!(page(&server, states([Suspended, Suspended])).await.0, ["b"]);
    assert_eq!(page(&server, states([Suspended, Active])).await.0, ["a", "b", "c"]);
    let first = ListBusinessesRequest { page_size: 1, ..states([Active]) };
    let (names, page_token) = page(&server, first.clone()).await;
    assert_eq!(names, ["a"]);
    let next = ListBusinessesRequest { page_token, ..first };
    assert_eq!(page(&server, next).await, (vec!["c".to_owned()], String::new()));
}

/// A token goes on with the list that it came from, in pages of any size, and with no other.
async fn a_page_token_is_bound_to_its_query(server: Server) {
    three(&server).await;
    let first = ListBusinessesRequest { page_size: 1, ..states([]) };
    let (_, page_token) = page(&server, first).await;
    let next = |states, page_token| ListBusinessesRequest { page_token, ..states };
    assert_eq!(page(&server, next(states([]), page_token.clone())).await.0, ["b", "c"]);
    let other = next(states([BusinessState::Active]), page_token.clone());
    let tampered = next(states([]), format!("{page_token}AA"));
    for request in [other, tampered] {
        refused(server.management().list_businesses(request).await)
            .violates(&[("page_token", "must be next_page_token of the page before")]);
    }
}

/// A request that breaks every rule hears of each, in one error.
async fn everything_wrong_is_told_at_once(server: Server) {
    for state in [0, 99] {
        let request = ListBusinessesRequest {
            states: vec![BusinessState::Active.into(), state],
            page_size: -1,
            page_token: "no token".to_owned(),
        };
        refused(server.management().list_businesses(request).await).violates(&[
            ("states", "must be ACTIVE or SUSPENDED"),
            ("page_size", "must not be negative"),
            ("page_token", "must be next_page_token of the page before"),
        ]);
    }
}
