//! Statements by hand: on PostgreSQL they take their place in the history as every change does, and
//! on SQLite they are refused.

use apikey::{
    lifecycle::State,
    settings::{ReasonText, RevokeReason},
    verdict::Generation,
};
use keyward_store::{
    access::Advisor,
    record::{Changes, NewKey, Revision},
};

use crate::{database::Database, samples::*};

/// A business of two keys, the first of them rotated once, an advisor, and a scope: five changes.
async fn some_of_everything(db: &Database) -> Revision {
    catalogue(&db.store, "read", scope_edit()).await;
    create(&db.store, new_key(1), at(0)).await;
    create(&db.store, new_key(2), at(0)).await;
    let advisor = Advisor { issuer: "issuer".to_owned(), subject: "dana".to_owned() };
    db.store.grant_access(&acme(), &advisor, act(at(0))).await.unwrap();
    change(&db.store, 1, rotate(11, None), at(1)).await.unwrap().revision
}

/// All that is held, in the database's own words.
fn rows(db: &Database) -> Vec<String> {
    let tables = [
        ("businesses", "business_id || ' ' || key_limit || ' ' || rev"),
        ("keys", "display_name || ' ' || obfuscated_secret || ' ' || rev"),
        ("secrets", "generation || ' ' || rev"),
        ("scopes", "name || ' ' || description || ' ' || rev"),
        ("audit_events", "rev || ' ' || action"),
        ("access_grants", "rev || ' ' || user_subject"),
    ];
    let lines = |(table, line)| db.lines(&format!("select {line} as line from {table} order by 1"));
    tables.into_iter().flat_map(lines).collect()
}

mod sqlite {
    //! As another program would, with every pragma that it likes.

    use super::*;

    /// Not even where the statement would change nothing.
    #[tokio::test(flavor = "multi_thread")]
    async fn foreign_statements_are_refused() {
        let db = Database::sqlite().await;
        some_of_everything(&db).await;
        let before = rows(&db);
        let copy = |table: &str| {
            format!("insert or replace into {table} select * from {table} where true")
        };
        let statements = [
            "update businesses set suspend_time = null".to_owned(),
            "update keys set revoke_time = null, revoke_reason = null".to_owned(),
            "update keys set rev = (select rev from change_counter)".to_owned(),
            "update secrets set rotate_time = 0".to_owned(),
            "update or replace secrets set digest = randomblob(32)".to_owned(),
            "update scopes set endpoints = '[]'".to_owned(),
            "insert into businesses (business_id, rev, key_limit, create_time, update_time)
             select 'another', rev, 1, 0, 0 from change_counter"
                .to_owned(),
            copy("businesses"),
            copy("keys"),
            copy("secrets"),
            copy("scopes"),
            copy("audit_events"),
            copy("access_grants"),
            "update access_grants set end_time = null".to_owned(),
        ];
        for statement in statements {
            let refused = db.run_script(&statement).unwrap_err();
            assert!(refused.contains("keyward_writes"), "{statement}: {refused}");
        }
        for table in ["businesses", "keys", "secrets", "scopes", "access_grants"] {
            for setting in ["", "pragma foreign_keys = off;"] {
                let refused = db.run_script(&format!("{setting} delete from {table}")).unwrap_err();
                assert!(refused.contains("never deleted"), "{table}: {refused}");
            }
        }
        assert_eq!(rows(&db), before);
    }
}

mod postgres {
    //! As an operator does with psql.

    use std::time::Duration;

    use tokio::{task::JoinSet, time::timeout};
    use tokio_postgres::NoTls;

    use super::*;

    /// More than the database waits for a forgotten transaction.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// What one transaction by hand has changed: it takes one place, whatever it does.
    async fn by_hand(db: &Database, sql: &str) -> Changes {
        let before = db.store.revision().await.unwrap();
        db.execute(sql).unwrap();
        let changes = db.store.changes_after(before).await.unwrap();
        assert_eq!(changes.through, Revision(before.0 + 1), "{sql}");
        changes
    }

    /// Names of businesses, names of scopes, and digests' generations with the keys' numbers.
    fn told(changes: &Changes) -> (Vec<&str>, Vec<&str>, Vec<apikey::id::KeyId>) {
        let businesses = changes.businesses.iter().map(|held| held.business_id.as_str());
        let scopes = changes.scopes.iter().map(|scope| scope.name.as_str());
        let mut keys: Vec<_> = changes.secrets.iter().map(|held| held.key_id).collect();
        keys.sort();
        (businesses.collect(), scopes.collect(), keys)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_update_of_each_held_table_is_told() {
        let db = Database::postgres().await;
        some_of_everything(&db).await;
        let [one, two] = [1, 2].map(key_id);

        let changes = by_hand(&db, "update businesses set suspend_time = now()").await;
        assert_eq!(told(&changes), (vec!["acme"], vec![], vec![]));
        assert!(changes.businesses[0].suspended);

        let rename =
            format!("update keys set display_name = 'by hand' where key_id = '{}'", uuid(2));
        let changes = by_hand(&db, &rename).await;
        assert_eq!(told(&changes), (vec![], vec![], vec![two]));
        assert_eq!(changes.secrets[0].display_name.as_str(), "by hand");
        assert_eq!(get(&db.store, 2).await.revision, changes.through);

        let changes = by_hand(&db, "update scopes set description = 'by hand'").await;
        assert_eq!(told(&changes), (vec![], vec!["read"], vec![]));
        assert_eq!(changes.scopes[0].revision, changes.through);

        let rotate = "update secrets set rotate_time = now() where rotate_time is null";
        let changes = by_hand(&db, rotate).await;
        assert_eq!(told(&changes), (vec![], vec![], vec![one, two]));
        let rotated = |held: &_| matches!(held, Generation::Superseded { .. });
        assert!(changes.secrets.iter().all(|held| rotated(&held.generation)));
    }

    /// A row's own revision is the trigger's to say.
    #[tokio::test(flavor = "multi_thread")]
    async fn an_insert_is_told_and_no_statement_chooses_its_place() {
        let db = Database::postgres().await;
        some_of_everything(&db).await;
        let insert =
            "insert into businesses (business_id, rev, key_limit, create_time, update_time)
             values ('other', 1, 5, now(), now())";
        let changes = by_hand(&db, insert).await;
        assert_eq!(told(&changes), (vec!["other"], vec![], vec![]));
        let changes = by_hand(&db, "update scopes set rev = 1").await;
        assert_eq!(told(&changes), (vec![], vec!["read"], vec![]));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_delete_becomes_the_final_state() {
        let db = Database::postgres().await;
        some_of_everything(&db).await;
        let [one, two] = [1, 2].map(key_id);

        let changes = by_hand(&db, &format!("delete from keys where key_id = '{}'", uuid(1))).await;
        assert_eq!(told(&changes), (vec![], vec![], vec![one, one]));
        let key = get(&db.store, 1).await;
        assert_eq!(key.lifecycle.state(at(0)), State::Revoked);
        let text = ReasonText::parse(RevokeReason::Other, "deleted in the database").unwrap();
        assert_eq!(key.revocation, Some((RevokeReason::Other, text)));

        let changes = by_hand(&db, "delete from scopes").await;
        assert_eq!(told(&changes), (vec![], vec!["read"], vec![]));
        assert!(changes.scopes[0].retire_time.is_some());

        // The one that was rotated before stays as it was.
        let changes = by_hand(&db, "delete from secrets").await;
        assert_eq!(told(&changes), (vec![], vec![], vec![one, two]));
        assert_eq!(held(&db.store).await.len(), 3);

        let changes = by_hand(&db, "delete from businesses").await;
        assert_eq!(told(&changes), (vec!["acme"], vec![], vec![]));
        assert!(changes.businesses[0].suspended);
        // A key of which the secret is gone can be given another.
        change(&db.store, 2, rotate(12, None), at(2)).await.unwrap();
    }

    /// The first end stands, as in Keyward's own calls.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_second_delete_changes_nothing() {
        let db = Database::postgres().await;
        some_of_everything(&db).await;
        let revoked = change(&db.store, 1, revoke(), at(2)).await.unwrap().value;
        let changes = by_hand(&db, &format!("delete from keys where key_id = '{}'", uuid(1))).await;
        assert_eq!(told(&changes), (vec![], vec![], vec![]));
        assert_eq!(get(&db.store, 1).await, revoked);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_transaction_has_one_place_for_all_its_rows() {
        let db = Database::postgres().await;
        some_of_everything(&db).await;
        let other = NewKey { business_id: business("other"), ..new_key(3) };
        create(&db.store, other, at(0)).await;
        let sql = "begin; update keys set description = 'x'; update scopes set description = 'x';
             savepoint a; update businesses set key_limit = 1; rollback to a;
             update businesses set key_limit = 2; delete from secrets; commit";
        let changes = by_hand(&db, sql).await;
        let keys = vec![key_id(1), key_id(1), key_id(2), key_id(3)];
        assert_eq!(told(&changes), (vec!["acme", "other"], vec!["read"], keys));
        // The next one has the next, whatever its session was told before.
        by_hand(&db, "update keys set description = 'y'").await;
        by_hand(&db, "set keyward.revision = '1'; update keys set description = 'z'").await;
    }

    /// Not even in the part of a transaction that is taken back.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_rolled_back_leaves_no_gap() {
        let db = Database::postgres().await;
        let before = some_of_everything(&db).await;
        db.execute("begin; update keys set description = 'x'; rollback").unwrap();
        assert_eq!(db.store.revision().await.unwrap(), before);
        let sql = "begin; savepoint a; update keys set description = 'x'; rollback to a;
             update scopes set description = 'x'; commit";
        let changes = by_hand(&db, sql).await;
        assert_eq!(told(&changes), (vec![], vec!["read"], vec![]));
    }

    /// A memory finds by these, and would go on finding what has another name now.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_rows_are_found_by_stays() {
        let db = Database::postgres().await;
        some_of_everything(&db).await;
        db.store
            .update_business(&business("b"), Default::default(), None, act(at(2)))
            .await
            .unwrap();
        let before = rows(&db);
        for statement in [
            "update secrets set digest = sha256(digest)",
            "update scopes set name = 'write'",
            "update businesses set business_id = 'c' where business_id = 'b'",
            "update keys set key_id = gen_random_uuid()",
        ] {
            let refused = db.execute(statement).unwrap_err();
            assert!(refused.contains("is refused"), "{statement}: {refused}");
        }
        assert_eq!(rows(&db), before);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn truncate_is_refused() {
        let db = Database::postgres().await;
        some_of_everything(&db).await;
        let before = rows(&db);
        for table in ["businesses", "keys", "secrets", "scopes", "audit_events"] {
            let refused = db.execute(&format!("truncate {table} cascade")).unwrap_err();
            assert!(refused.contains("TRUNCATE of"), "{table}: {refused}");
        }
        assert_eq!(rows(&db), before);
    }

    /// A change that a memory has seen must survive a crash of the database.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_sessions_settings_do_not_weaken_a_change() {
        let db = Database::postgres().await;
        some_of_everything(&db).await;
        for (set, holds) in [
            ("off", "on"),
            ("local", "on"),
            ("remote_write", "on"),
            ("on", "on"),
            ("remote_apply", "remote_apply"),
        ] {
            let sql = format!(
                "begin; set synchronous_commit = {set}; update keys set description = '{set}';
                 select current_setting('synchronous_commit'); commit"
            );
            assert_eq!(db.lines(&sql), [holds], "{set}");
        }
    }

    /// The database ends it after five seconds, sooner than a writer gives up. Until then changes
    /// wait, for the place that it holds, and reading does not.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_forgotten_transaction_holds_nobody_up() {
        let db = Database::postgres().await;
        let before = some_of_everything(&db).await;
        let (session, connection) = tokio_postgres::connect(&db.url(), NoTls).await.unwrap();
        let mut sessions = JoinSet::new();
        sessions.spawn(connection);
        session.batch_execute("set idle_in_transaction_session_timeout = 0").await.unwrap();
        session.batch_execute("begin; update keys set description = 'forgotten'").await.unwrap();

        assert_eq!(get(&db.store, 1).await.settings.description.as_str(), "");
        let renamed = timeout(PATIENCE, change(&db.store, 1, rename("another"), at(2))).await;
        let renamed = renamed.unwrap().unwrap();
        assert_eq!(renamed.revision, Revision(before.0 + 1));
        assert_eq!(get(&db.store, 1).await.settings.description.as_str(), "");
        // The session was told, and is gone.
        let ended =
            timeout(PATIENCE, sessions.join_next()).await.unwrap().unwrap().unwrap().unwrap_err();
        let code = ended.code().map(tokio_postgres::error::SqlState::code);
        assert_eq!(code, Some("25P03"), "{ended}");
    }

    /// A key's id as PostgreSQL writes it.
    fn uuid(number: u64) -> String {
        format!("{:032x}", u128::from(number))
    }
}

/// What was forced all the same shows: the history does not tell it, but this number does.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_tells_of_a_forced_write() {
    let db = Database::sqlite().await;
    create(&db.store, new_key(1), at(0)).await;
    let before = db.store.foreign_writes().await.unwrap();
    change(&db.store, 1, rename("another"), at(1)).await.unwrap();
    assert_eq!(db.store.foreign_writes().await.unwrap(), before);
    db.execute("update keys set display_name = 'forced'").unwrap();
    assert_ne!(db.store.foreign_writes().await.unwrap(), before);
}
