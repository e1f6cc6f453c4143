//! Statements by hand that race with Keyward's own changes, on PostgreSQL: nobody deadlocks, and what
//! followers are told is what stands.

mod postgres {
    //! SQLite takes no statements by hand.

    use std::{
        collections::BTreeMap,
        sync::atomic::{AtomicBool, Ordering},
        time::Duration,
    };

    use apikey::catalogue::AssignableBy;
    use keyward_store::{Store, error::Refused, record::Revision};
    use tokio::{join, task::JoinSet, time::timeout};
    use tokio_postgres::{Client, NoTls};

    use crate::{database::Database, samples::*};

    /// More than all of it ever takes.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A session of an operator's; it lives as long as the set.
    async fn session(db: &Database, sessions: &mut JoinSet<()>) -> Client {
        let (session, connection) = tokio_postgres::connect(&db.url(), NoTls).await.unwrap();
        sessions.spawn(async { connection.await.unwrap() });
        session
    }

    /// Two operators and two servers touch two keys, their secrets and their business, each in an order
    /// of its own. The counter's row lines them up before any of these is locked.
    #[tokio::test(flavor = "multi_thread")]
    async fn opposite_orders_never_deadlock() {
        const ROUNDS: u64 = 60;
        let db = Database::postgres().await;
        for number in 1..=2 {
            create(&db.store, new_key(number), at(0)).await;
        }
        let mut sessions = JoinSet::new();
        let operators = [session(&db, &mut sessions).await, session(&db, &mut sessions).await];
        let servers = [db.other_store(), db.other_store()];
        let key = |table: &str, number: u64| {
            let column = if table == "keys" { "description" } else { "pepper_version" };
            format!("update {table} set {column} = {column} where key_id = '{number:032x}'; ")
        };
        let business = "update businesses set key_limit = key_limit; ".to_owned();
        let forth = [key("keys", 1), key("secrets", 2), business.clone(), key("keys", 2)].concat();
        let back = [key("keys", 2), business, key("secrets", 2), key("keys", 1)].concat();
        let by_hand = async |operator: &Client, statements: &str| {
            operator.batch_execute(&format!("begin; {statements} commit")).await.unwrap();
        };
        let by_server = async |server: &Store, keys: [u64; 2], secret: u64| {
            for number in keys {
                change(server, number, rotate(secret + number, None), at(1)).await.unwrap();
                change(server, number, rename("another"), at(1)).await.unwrap();
            }
        };
        let before = db.store.revision().await.unwrap();
        for round in 1..=ROUNDS {
            let secret = round * 10;
            let all = async {
                join!(
                    by_hand(&operators[0], &forth),
                    by_hand(&operators[1], &back),
                    by_server(&servers[0], [1, 2], secret),
                    by_server(&servers[1], [2, 1], secret + 5),
                )
            };
            timeout(PATIENCE, Box::pin(all)).await.unwrap();
        }
        let taken = i64::try_from(ROUNDS * 10).unwrap();
        assert_eq!(db.store.revision().await.unwrap(), Revision(before.0 + taken));
    }

    /// Of a transaction that touches a key, its secret, its business and a scope a follower is told all,
    /// whenever it looks: each time it bears the same number everywhere.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_transaction_over_several_tables_is_told_whole() {
        const TRANSACTIONS: u64 = 300;
        let db = Database::postgres().await;
        create(&db.store, new_key(1), at(0)).await;
        catalogue(&db.store, "read", scope_edit()).await;
        let mut sessions = JoinSet::new();
        let operator = session(&db, &mut sessions).await;
        let done = AtomicBool::new(false);
        let write = async {
            for number in 1..=TRANSACTIONS {
                let statements = format!(
                    "begin; update keys set scopes = array['n{number}']; update scopes set \
                     description = 'n{number}'; update businesses set suspend_time = \
                     case when {number} % 2 = 0 then now() end; commit"
                );
                operator.batch_execute(&statements).await.unwrap();
            }
            done.store(true, Ordering::Release);
        };
        let follow = async {
            let (mut applied, mut looks) = (db.store.revision().await.unwrap(), 0);
            while !done.load(Ordering::Acquire) {
                let told = db.store.changes_after(applied).await.unwrap();
                if told.through > applied {
                    let [secret] = &told.secrets[..] else { panic!("{told:?}") };
                    let [scope] = &told.scopes[..] else { panic!("{told:?}") };
                    let [business] = &told.businesses[..] else { panic!("{told:?}") };
                    let number = scope.description.as_str();
                    assert_eq!(
                        secret.scopes.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
                        [number]
                    );
                    let even = number.trim_start_matches('n').parse::<u64>().unwrap() % 2 == 0;
                    assert_eq!(business.suspended, even);
                    (applied, looks) = (told.through, looks + 1);
                }
            }
            looks
        };
        let ((), looks) =
            timeout(PATIENCE, Box::pin(async { join!(write, follow) })).await.unwrap();
        assert!(looks > 10, "{looks} looks saw something: the race was none");
    }

    /// All keys of a business are revoked at one blow, again and again, while others make, rotate and
    /// rename them, and one follows.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_bulk_change_is_told_whole() {
        const BLOWS: u64 = 15;
        const BLOW: &str = "update keys set revoke_time = now(), revoke_reason = 3
            where business_id = 'acme' and revoke_time is null";
        let db = Database::postgres().await;
        let mut sessions = JoinSet::new();
        let operator = session(&db, &mut sessions).await;
        let [blown, written] = [(); 2].map(|()| AtomicBool::new(false));
        let blows = async {
            for _ in 0..BLOWS {
                operator.execute(BLOW, &[]).await.unwrap();
            }
            blown.store(true, Ordering::Release);
        };
        let follow = async {
            let (mut map, mut applied) = (BTreeMap::new(), Revision(0));
            loop {
                // Asked first: whatever was written by then is in what is looked at.
                let last = written.load(Ordering::Acquire);
                let changes = db.store.changes_after(applied).await.unwrap();
                map.extend(changes.secrets.into_iter().map(|held| (held.digest, held)));
                applied = changes.through;
                if last {
                    return map;
                }
            }
        };
        let write = async |writer: u64| {
            let store = db.other_store();
            let mut number = writer * 1_000_000;
            while !blown.load(Ordering::Acquire) {
                number += 10;
                let new = new_key(number);
                store.create_key(new, AssignableBy::Users, None, act(at(0))).await.unwrap();
                for next in [rotate(number + 1, None), rename("another"), rotate(number + 2, None)]
                {
                    if let Err(refused) = change(&store, number, next, at(1)).await {
                        let refused = refusal::<()>(Err(refused));
                        assert!(matches!(refused, Refused::Transition(_)), "{refused}");
                        break;
                    }
                }
            }
        };
        let all_write = async {
            join!(blows, write(1), write(2), write(3));
            written.store(true, Ordering::Release);
        };
        let all = async { join!(all_write, follow) };
        let ((), map) = timeout(PATIENCE, Box::pin(all)).await.unwrap();
        assert!(map.values().eq(&held(&db.store).await));
    }
}
