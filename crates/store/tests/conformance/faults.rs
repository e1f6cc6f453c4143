//! Faults say which kind they are: an outage, or a row that somebody wrote past the application.

use std::time::Duration;

use keyward_store::{
    PoolLimits, Store,
    error::{ChangeError, StoreError},
};
use tokio::{task::JoinSet, time::timeout};
use tokio_postgres::NoTls;

use crate::{database::Database, samples::*};

/// More than an engine ever takes.
const PATIENCE: Duration = Duration::from_secs(20);

on_each_engine![
    a_database_that_is_gone_is_unavailable,
    an_unmigrated_database_is_no_outage,
    a_row_that_breaks_the_rules_names_itself,
];

async fn a_database_that_is_gone_is_unavailable(db: Database) {
    let store = db.destroyed();
    let error = store.revision().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    let error =
        store.update_scope(&scope("read"), scope_edit(), true, act(at(0))).await.unwrap_err();
    assert!(matches!(error, ChangeError::Store(StoreError::Unavailable(_))), "{error}");
}

async fn an_unmigrated_database_is_no_outage(db: Database) {
    let error = db.unmigrated().store.revision().await.unwrap_err();
    assert!(matches!(error, StoreError::Query(_)), "{error}");
}

async fn a_row_that_breaks_the_rules_names_itself(db: Database) {
    let list = db.either(r#"'["a b"]'"#, r#"'{"a b"}'"#);
    for (column, value, number) in [
        ("display_name", "''", 1),
        ("scopes", list, 2),
        ("prefix", "'_'", 3),
        ("annotations", r#"'{"a b": "c"}'"#, 4),
        ("description", "'\u{2028}'", 5),
    ] {
        create(&db.store, new_key(number), at(0)).await;
        let row = format!("where obfuscated_secret = 'kw_…{number}'");
        db.execute(&format!("update keys set {column} = {value} {row}")).unwrap();
        let error = db.store.get_key(&acme(), key_id(number)).await.unwrap_err();
        let id = key_id(number).to_string();
        assert!(
            matches!(
                &error,
                StoreError::Corrupt { table: "keys", row, problem }
                    if *row == id && problem.starts_with(&format!("column {column}: "))
            ),
            "{error}"
        );
    }
}

#[test]
fn postgres_is_named_by_a_url() {
    let limits = PoolLimits { connections: 1, wait: Duration::from_secs(1) };
    let error = Store::postgres("postgres://host:port", limits).unwrap_err().to_string();
    assert!(error.contains("invalid"), "{error}");
}

/// Where every connection is busy, whoever wants one is told so, and is served once one is free.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_tells_when_no_connection_is_free() {
    let db = Database::postgres().await;
    let limits = PoolLimits { connections: 2, wait: Duration::from_millis(50) };
    let store = Store::postgres(&db.url(), limits).unwrap();
    let (session, connection) = tokio_postgres::connect(&db.url(), NoTls).await.unwrap();
    let mut sessions = JoinSet::new();
    sessions.spawn(connection);
    session.batch_execute("begin; lock table change_counter").await.unwrap();
    let mut busy: JoinSet<_> = (0..limits.connections)
        .map(|_| {
            let store = store.clone();
            async move { store.revision().await }
        })
        .collect();
    let waiting = "select count(*)::text as line from pg_stat_activity \
                   where wait_event_type = 'Lock' and datname = current_database()";
    let all_wait = async {
        while db.lines(waiting) != ["2"] {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, all_wait).await.unwrap();

    let error = store.revision().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    session.batch_execute("rollback").await.unwrap();
    while let Some(answer) = busy.join_next().await {
        answer.unwrap().unwrap();
    }
    store.revision().await.unwrap();
}
