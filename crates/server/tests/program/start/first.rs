//! The first start in an empty folder, whole or interrupted.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use crate::{client::Client, grpcurl, home::Home};

#[test]
fn makes_private_files() {
    let home = Home::on_sqlite();
    let _server = home.serve(&[]);
    assert_eq!(mode(&home.path("keyward-data")), 0o700);
    assert_eq!(mode(&home.data("peppers")), 0o600);
    assert_eq!(mode(&home.data("operator-key")), 0o600);
}

/// Also in a folder that was there before, and that others may look into.
#[test]
fn makes_private_files_in_an_open_folder() {
    let home = Home::on_sqlite();
    let folder = home.path("keyward-data");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let _server = home.serve(&[]);
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn prints_a_line_for_grpcurl_that_works_as_it_stands() {
    let home = Home::on_sqlite();
    let mut server = home.serve(&[]);
    let line = server.process.wait_for_output("try: ");
    let pasted = Command::new("bash")
        .args(["-c", line.strip_prefix("try: ").unwrap()])
        .current_dir(home.path(""))
        .env("PATH", grpcurl::path())
        .output()
        .unwrap();
    let (answer, complaint) = (pasted.stdout, pasted.stderr);
    assert!(pasted.status.success(), "{line}: {}", String::from_utf8_lossy(&complaint));
    let scopes: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(scopes, serde_json::json!({}));
}

/// Looking after the schema first is a first start too: it makes the peppers that the database needs.
#[test]
fn may_follow_a_look_at_the_migrations() {
    for first in ["status", "up"] {
        let home = Home::on_sqlite();
        home.run(&["migrate", first]).succeeded();
        home.serve(&[]).stop();
    }
}

#[tokio::test]
async fn may_die_before_the_database_is_written() {
    let home = Home::on_sqlite();
    home.serve(&[]).stop();
    let orphan = home.operator_key();
    for file in ["keyward.db", "keyward.db-wal", "keyward.db-shm"] {
        drop(fs::remove_file(home.data(file)));
    }

    let server = home.serve(&[]);
    let operator_key = home.operator_key();
    assert_ne!(operator_key, orphan);
    Client::new(&server, &operator_key).create_key().await.unwrap();
}
