//! What becomes of counts when the store fails, or when this server is taken for dead.

use std::time::Duration;

use keyward_proto::v1::Key;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{Made, is_good, named},
};

on_each_engine!(a_server_that_was_taken_for_dead_begins_anew, a_stop_stores_everything_and_leaves,);

async fn verify(server: &Server, made: &Made, times: usize) {
    for _ in 0..times {
        server.verify(is_good(&made.secret)).await;
    }
}

/// What it had not stored is refused, and said to be missing; what comes after counts.
async fn a_server_that_was_taken_for_dead_begins_anew(server: Server) {
    let made = server.make_key(named("a")).await;
    verify(&server, &made, 2).await;
    assert_eq!(server.counted_key(&made.key_id).await.request_count, 2);
    server.clock.advance(Duration::from_secs(10));
    verify(&server, &made, 4).await;
    let seen = server.store.flushers().await.unwrap();
    let now = apikey::clock::Clock::now(&*server.clock);
    assert!(server.store.close_flusher(seen[0], now).await.unwrap());
    server.clock.advance(Duration::from_secs(10));

    let key = server.counted_key(&made.key_id).await;
    assert_eq!((key.request_count, key.usage_incomplete), (2, true));
    server.clock.advance(Duration::from_secs(10));
    verify(&server, &made, 8).await;
    let Key { request_count, counted_until_time, .. } = server.counted_key(&made.key_id).await;
    assert_eq!((request_count, counted_until_time), (10, Some(server.time_in(0))));
    assert_ne!(server.store.flushers().await.unwrap()[0].id, seen[0].id);
}

async fn a_stop_stores_everything_and_leaves(server: Server) {
    let made = server.make_key(named("a")).await;
    verify(&server, &made, 3).await;
    // The connection would hold the stop up.
    drop(server.channel);
    server.running.stop().await.unwrap();
    assert_eq!(server.store.flushers().await.unwrap(), []);
    let key_id = apikey::id::KeyId::parse(&made.key_id).unwrap();
    let usages = server.store.usage_of_keys(vec![key_id], crate::harness::START).await.unwrap();
    assert_eq!((usages[&key_id].request_count, usages[&key_id].incomplete), (3, false));
}

/// Nothing is lost while the database is away, and nothing counts twice.
#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_counts_gather_while_backends_are_killed() {
    let database = test_postgres::shared().create_database().unwrap();
    let server = Server::on_postgres(database).await;
    let made = server.make_key(named("a")).await;
    let end_all = "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where application_name = 'keyward' and datname = current_database()";
    let mut expected = 0;
    for _ in 0..20 {
        verify(&server, &made, 5).await;
        expected += 5;
        let (flushed, _) =
            tokio::join!(server.running.usage.flush(), async { server.database().psql(end_all) });
        drop(flushed);
    }
    // A dead session in the pool fails once, and is then replaced.
    while server.running.usage.flush().await.is_err() {}
    let usages = loop {
        let key_id = apikey::id::KeyId::parse(&made.key_id).unwrap();
        let usages = server.store.usage_of_keys(vec![key_id], crate::harness::START).await;
        if let Ok(usages) = usages {
            break usages.into_values().next().unwrap();
        }
    };
    assert_eq!((usages.request_count, usages.incomplete), (expected, false));
}
