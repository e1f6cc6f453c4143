//! Statements by hand reach the memory that verdicts are given from.

mod postgres {
    //! SQLite refuses them.

    use std::time::Duration;

    use keyward_proto::v1::{CreateKeyRequest, Verdict};
    use tokio::{
        task::{JoinSet, block_in_place},
        time::timeout,
    };

    use crate::harness::{
        Server,
        keys::{ACME, is_good, named},
    };

    /// As in psql: no revision is taken, nobody is told, and it counts all the same.
    async fn by_hand(server: &Server, sql: &str) {
        server.database().psql(sql).unwrap();
        server.running.follower.catch_up().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_update_and_a_delete_change_verdicts() {
        let database = test_postgres::shared().create_database().unwrap();
        let server = Server::on_postgres(database).await;
        let made = server.make_key(named("a")).await;
        let other = server.make_key_of("other", named("b")).await;
        let verdict = async || server.verify(is_good(&made.secret)).await.verdict();

        by_hand(&server, "update keys set display_name = 'c' where business_id = 'acme'").await;
        assert_eq!(server.verify(is_good(&made.secret)).await.display_name, "c");
        by_hand(&server, "update keys set suspended_by = 2 where business_id = 'acme'").await;
        assert_eq!(verdict().await, Verdict::Suspended);
        by_hand(&server, "delete from businesses where business_id = 'acme'").await;
        assert_eq!(verdict().await, Verdict::BusinessSuspended);
        by_hand(&server, "update businesses set suspend_time = null").await;
        assert_eq!(verdict().await, Verdict::Suspended);
        by_hand(&server, "delete from keys where business_id = 'acme'").await;
        assert_eq!(verdict().await, Verdict::Revoked);
        assert!(server.verify(is_good(&other.secret)).await.valid);
    }

    /// Each blow revokes what stands while others make keys. Memory then says of every secret what the
    /// table says of its key.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_bulk_revocation_among_creations_is_what_memory_holds() {
        const WRITERS: usize = 3;
        const KEYS: usize = 12;
        const BLOWS: usize = 8;
        let database = test_postgres::shared().create_database().unwrap();
        let server = Server::on_postgres(database).await;
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let mut management = server.management();
            writers.spawn(async move {
                let mut made = Vec::new();
                for _ in 0..KEYS {
                    let create = CreateKeyRequest {
                        business_id: ACME.to_owned(),
                        key: Some(named("a")),
                        ..CreateKeyRequest::default()
                    };
                    let key = management.create_key(create).await.unwrap().into_inner();
                    made.push((key.key.unwrap().key_id, key.secret));
                }
                made
            });
        }
        for _ in 0..BLOWS {
            block_in_place(|| {
                server.by_hand(
                    "update keys set revoke_time = now(), revoke_reason = 3
                     where business_id = 'acme' and revoke_time is null",
                );
            });
        }
        let made = timeout(Duration::from_secs(60), writers.join_all()).await.unwrap().concat();
        server.running.follower.catch_up().await.unwrap();
        for (key_id, secret) in made {
            let revoked = server.get_key(&key_id).await.revoke_time.is_some();
            let verdict = if revoked { Verdict::Revoked } else { Verdict::Valid };
            assert_eq!(server.verify(is_good(&secret)).await.verdict(), verdict, "{key_id}");
        }
    }
}
