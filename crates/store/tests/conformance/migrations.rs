//! Migrations: run once by whoever comes first, told of, and undone.

use std::{
    fs,
    path::{Path, PathBuf},
};

use keyward_store::migrations::MigrationStatus;
use tokio::task::JoinSet;

use crate::{database::Database, schema};

on_each_engine![
    status_tells_what_lacks_and_what_is_newer,
    a_migrated_database_is_left_alone,
    each_migration_is_undone_and_done_again,
];

async fn status_tells_what_lacks_and_what_is_newer(db: Database) {
    let db = db.unmigrated();
    let known: Vec<String> = folders(&db).iter().map(|folder| version(folder)).collect();
    let none = Vec::new;
    let unmigrated =
        MigrationStatus { known: known.clone(), pending: known.clone(), unknown: none() };
    assert_eq!(db.store.migration_status().await.unwrap(), unmigrated);
    assert_eq!(db.store.migrate().await.unwrap(), known);
    let migrated = MigrationStatus { known: known.clone(), pending: none(), unknown: none() };
    assert_eq!(db.store.migration_status().await.unwrap(), migrated);

    let newer = "99991231000000".to_owned();
    let from_the_future = "insert into __diesel_schema_migrations (version)";
    db.execute(&format!("{from_the_future} values ('{newer}')")).unwrap();
    let newer = MigrationStatus { known, pending: none(), unknown: vec![newer] };
    assert_eq!(db.store.migration_status().await.unwrap(), newer);
}

async fn a_migrated_database_is_left_alone(db: Database) {
    let before = schema::of(&db);
    db.execute("update change_counter set rev = 7").unwrap();
    assert_eq!(db.store.migrate().await.unwrap(), [""; 0]);
    assert_eq!(db.store.revision().await.unwrap().0, 7);
    assert_eq!(schema::of(&db), before);
}

async fn each_migration_is_undone_and_done_again(db: Database) {
    let after = schema::of(&db);
    assert_ne!(after, schema::Schema::default());
    for folder in folders(&db).iter().rev() {
        db.run_script(&fs::read_to_string(folder.join("down.sql")).unwrap()).unwrap();
    }
    assert_eq!(schema::of(&db), schema::Schema::default());
    for folder in folders(&db) {
        db.run_script(&fs::read_to_string(folder.join("up.sql")).unwrap()).unwrap();
    }
    assert_eq!(schema::of(&db), after);
}

/// Ten processes start at once on an empty database: one migrates it, and nobody fails.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_migrated_once_by_many() {
    let db = Database::postgres().await.unmigrated();
    let mut processes = JoinSet::new();
    for _ in 0..10 {
        let store = db.other_store();
        processes.spawn(async move { store.migrate().await.unwrap() });
    }
    let mut run = processes.join_all().await;
    run.retain(|versions| !versions.is_empty());
    let all: Vec<String> = folders(&db).iter().map(|folder| version(folder)).collect();
    assert_eq!(run, [all]);
}

/// A role that may only read may ask, so that asking must not make diesel's own table.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_status_writes_nothing() {
    let db = Database::postgres().await.unmigrated();
    db.store.migration_status().await.unwrap();
    let tables = "select tablename as line from pg_tables where schemaname = 'public'";
    assert_eq!(db.lines(tables), [""; 0]);
}

/// The engine's migrations, oldest first.
fn folders(db: &Database) -> Vec<PathBuf> {
    let entries = fs::read_dir(db.migrations()).unwrap();
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// `2026-01-31-000000_name` is version `20260131000000`.
fn version(folder: &Path) -> String {
    let name = folder.file_name().unwrap().to_str().unwrap();
    name.split('_').next().unwrap().replace('-', "")
}
