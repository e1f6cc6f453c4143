//! What others change is noticed at once where PostgreSQL says so, and a moment later where it cannot.

mod postgres {
    //! SQLite has no others.

    use std::{sync::Arc, time::Duration};

    use apikey::{clock::ManualClock, verdict::RECOGNITION_DEFAULT};
    use keyward_proto::v1::Verdict;
    use keyward_server::resident::{follower::Follower, gate::Gate};
    use keyward_store::{PoolLimits, Store, record::Revision};
    use test_postgres::Database;
    use tokio::time::timeout;

    use crate::harness::{
        START, Server,
        keys::{is_good, named},
    };

    const BOUND: Duration = Duration::from_secs(30);
    const LIMITS: PoolLimits = PoolLimits { connections: 2, wait: Duration::from_secs(10) };

    /// How many sessions listen to this database, or what else is asked of them.
    fn listening(database: &Database, what: &str) -> String {
        let sessions = "from pg_stat_activity where query like '%listen keyward_changes' \
                        and datname = current_database() and pid <> pg_backend_pid()";
        database.psql(&format!("select {what} {sessions}")).unwrap()
    }

    /// As in psql.
    fn change(database: &Database) -> Revision {
        let rev = database.psql("select keyward_next_revision()").unwrap();
        Revision(rev.parse().unwrap())
    }

    async fn until(is_true: impl Fn() -> bool) {
        let met = async {
            while !is_true() {
                tokio::task::yield_now().await;
            }
        };
        timeout(BOUND, met).await.unwrap();
    }

    /// What only listens, and never polls, has each change in memory, also the one that nobody heard
    /// because the session that listened was ended before it.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_change_is_heard_and_one_that_was_missed_is_found() {
        let database = test_postgres::shared().create_database().unwrap();
        let store = Store::postgres(&database.url(), LIMITS).unwrap();
        store.migrate().await.unwrap();
        let (gate, clock) = (Arc::new(Gate::default()), Arc::new(ManualClock::new(START)));
        let follower = Follower::start(store, gate, clock, RECOGNITION_DEFAULT).await.unwrap();
        let index = Arc::clone(follower.index());
        let changes = async {
            until(|| listening(&database, "count(*)") == "1").await;
            for _ in 0..3 {
                let heard = change(&database);
                until(|| index.applied() == heard).await;
            }
            assert_eq!(listening(&database, "count(pg_terminate_backend(pid, 10000))"), "1");
            let missed = change(&database);
            until(|| index.applied() == missed).await;
            let heard = change(&database);
            until(|| index.applied() == heard).await;
        };
        tokio::select! {
            () = changes => {}
            () = follower.listen() => panic!("it listens for ever"),
        }
    }

    /// Where nobody can listen, polling alone brings changes in.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_change_that_nobody_can_hear_is_found_by_polling() {
        let database = test_postgres::shared().create_database().unwrap();
        let role = format!("poller_{}", database.name());
        database.psql(&format!("create role {role} login")).unwrap();
        database.psql(&format!("grant create on schema public to {role}")).unwrap();
        let url = database.url().replace("postgres@", &format!("{role}@"));
        let server = Server::reaching_postgres_by(&url, database).await;
        let database = server.database();
        let made = server.make_key(named("a")).await;
        until(|| listening(database, "count(*)") == "1").await;
        // The pool keeps what it has, and nothing can come beside it.
        database.psql(&format!("alter role {role} connection limit 1")).unwrap();
        assert_eq!(listening(database, "count(pg_terminate_backend(pid, 10000))"), "1");

        change(database);
        database.psql("update keys set suspended_by = 2 where business_id = 'acme'").unwrap();
        let revision = server.store.revision().await.unwrap();
        until(|| server.running.follower.index().applied() == revision).await;
        assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::Suspended);
        assert_eq!(listening(database, "count(*)"), "0");
    }
}
