//! Statements by hand reach the memory that verdicts are given from.

mod postgres {
    //! SQLite refuses them.

    use keyward_proto::v1::Verdict;

    use crate::harness::{
        Server,
        keys::{is_good, named},
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
}
