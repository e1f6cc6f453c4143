//! What PostgreSQL can have against a start. Each is said at once, and no password with it.

use std::{net::TcpListener, time::Instant};

use crate::{
    home::Home,
    process::{Ended, Process},
};

const PASSWORD: &str = "hunter2hunter2";

#[test]
fn a_second_server_refuses() {
    let home = Home::on_postgres();
    let _server = home.serve(&[]);
    home.run(&[]).failed(&["another Keyward server is running on this database"]);
}

#[test]
fn pending_migrations_refuse() {
    let home = Home::on_empty_database(test_postgres::shared());
    for command in [&[][..], &["operator-key"]] {
        home.run(command).failed(&["run `keyward migrate up` first"]);
    }
    let left = "select count(*) from pg_tables where schemaname = 'public'";
    assert_eq!(home.database().psql(left).unwrap(), "0");
}

#[test]
fn a_newer_database_refuses() {
    let home = Home::on_postgres();
    let newer = "insert into __diesel_schema_migrations (version) values ('99990101000000')";
    home.database().psql(newer).unwrap();
    for command in [&[][..], &["operator-key"]] {
        home.run(command).failed(&["migration 99990101000000, which a newer Keyward made"]);
    }
}

#[test]
fn a_missing_database_is_said() {
    let home = Home::on_postgres();
    let url = home
        .database()
        .url()
        .replace("/test_", "/missing_")
        .replace("postgres@", &user("postgres"));
    start_on(&home, &url).failed(&["missing_", "does not exist"]);
}

#[test]
fn a_wrong_password_is_said() {
    let home = Home::on_postgres();
    let cluster = test_postgres::shared();
    let rules = cluster.folder().join("data/pg_hba.conf");
    let ask = format!(
        "create role locked login password 'right';
         copy (values ('local all locked scram-sha-256'), ('local all all trust')) to '{}';",
        rules.display()
    );
    home.database().psql(&ask).unwrap();
    home.database().psql("select pg_reload_conf()").unwrap();
    let url = home.database().url().replace("postgres@", &user("locked"));
    start_on(&home, &url).failed(&["password authentication failed", "locked"]);
}

#[test]
fn nobody_there_is_said() {
    let home = Home::on_postgres();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    start_on(&home, &at(free)).failed(&["the database cannot be reached", "refused"]);
}

#[test]
fn somebody_silent_is_given_up() {
    let home = Home::on_postgres();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = at(silent.local_addr().unwrap());
    start_on(&home, &url).failed(&["the database cannot be reached"]);
}

fn at(address: std::net::SocketAddr) -> String {
    format!("postgres://{}{address}/keys", user("keyward"))
}

fn user(name: &str) -> String {
    format!("{name}:{PASSWORD}@")
}

/// A start on another database than the home's own.
fn start_on(home: &Home, url: &str) -> Ended {
    let started = Instant::now();
    let ended = Process::spawn(home.command(&[]).env("KEYWARD_DATABASE_URL", url)).ended();
    assert!(started.elapsed().as_secs() < 15, "given up late");
    assert_eq!(ended.out, "");
    assert!(!ended.err.contains(PASSWORD), "{}", ended.err);
    ended
}
