//! ListKeys by use.

use std::time::Duration;

use keyward_proto::v1::{KeyFilter, KeyOrder, ListKeysRequest, ListKeysResponse};

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, is_good, named, texts},
    told::refused,
};

on_each_engine!(
    keys_are_listed_by_their_last_use,
    keys_are_found_by_their_use,
    what_is_not_counted_yet_is_not_spoken_of,
);

/// Five keys: the first used last, the third never, the others in their order.
async fn used_keys(server: &Server) {
    let mut made = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        made.push(server.make_key(named(name)).await);
        server.clock.advance(Duration::from_secs(1));
    }
    for index in [1, 3, 4, 0] {
        server.clock.advance(Duration::from_secs(60));
        server.verify(is_good(&made[index].secret)).await;
    }
    server.clock.advance(Duration::from_secs(60));
    server.running.usage.flush().await.unwrap();
}

async fn list(server: &Server, request: ListKeysRequest) -> (Vec<String>, String) {
    let business_ids = texts([ACME]);
    let request = ListKeysRequest { business_ids, ..request };
    let page = server.management().list_keys(request).await.unwrap().into_inner();
    let ListKeysResponse { keys, next_page_token } = page;
    (keys.into_iter().map(|key| key.display_name).collect(), next_page_token)
}

async fn keys_are_listed_by_their_last_use(server: Server) {
    used_keys(&server).await;
    let order = KeyOrder::LastUseTime.into();
    for page_size in [1, 2, 3, 5, 1_000] {
        let mut request = ListKeysRequest { order, page_size, ..ListKeysRequest::default() };
        let mut all = Vec::new();
        loop {
            let (names, next) = list(&server, request.clone()).await;
            assert!(names.len() <= usize::try_from(page_size).unwrap());
            all.extend(names);
            request.page_token = next;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(all, ["c", "b", "d", "e", "a"], "in pages of {page_size}");
    }
    // A token continues its own order alone.
    let request = ListKeysRequest { order, page_size: 1, ..ListKeysRequest::default() };
    let (_, page_token) = list(&server, request).await;
    let business_ids = texts([ACME]);
    let other = ListKeysRequest { business_ids, page_token, ..ListKeysRequest::default() };
    assert_eq!(refused(server.management().list_keys(other).await).violations[0].0, "page_token");
}

async fn keys_are_found_by_their_use(server: Server) {
    used_keys(&server).await;
    let never_used = KeyFilter { never_used: true, ..KeyFilter::default() };
    let request = ListKeysRequest { filter: Some(never_used), ..ListKeysRequest::default() };
    assert_eq!(list(&server, request).await.0, ["c"]);
    // At the moment of the use of `e`, and just after it.
    for (seconds_ago, expected) in [(120, &["d", "c", "b"][..]), (119, &["e", "d", "c", "b"])] {
        let now = server.time_in(0);
        let since = prost_types::Timestamp { seconds: now.seconds - seconds_ago, ..now };
        let filter = KeyFilter { unused_since_time: Some(since), ..KeyFilter::default() };
        let request = ListKeysRequest { filter: Some(filter), ..ListKeysRequest::default() };
        assert_eq!(list(&server, request).await.0, expected, "{seconds_ago} s ago");
    }
}

async fn what_is_not_counted_yet_is_not_spoken_of(server: Server) {
    used_keys(&server).await;
    let unused_since = async |seconds| {
        let unused_since_time = Some(server.time_in(seconds));
        let filter = Some(KeyFilter { unused_since_time, ..KeyFilter::default() });
        let business_ids = texts([ACME]);
        let request = ListKeysRequest { business_ids, filter, ..ListKeysRequest::default() };
        server.management().list_keys(request).await
    };
    unused_since(0).await.unwrap();
    let told = refused(unused_since(1).await);
    assert_eq!(told.reason, "NOT_COUNTED_YET");
    assert_eq!(told.metadata["counted_until_time"], server_time(&server));
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(refused(unused_since(0).await).reason, "NOT_COUNTED_YET");
    server.running.usage.flush().await.unwrap();
    unused_since(0).await.unwrap();
}

fn server_time(server: &Server) -> String {
    apikey::clock::Clock::now(&*server.clock).to_string()
}
