//! A server on PostgreSQL that may not be the only one any more: it answers nothing until it is again.

use std::process::Command;

use keyward_proto::v1::Verdict;
use tonic::Code;

use crate::{client::Client, home::Home};

/// Ends the session that holds the lock, as a failover would.
const END_THE_HOLD: &str = "select count(pg_terminate_backend(pid))
    from pg_locks join pg_stat_activity using (pid)
    where locktype = 'advisory' and application_name = 'keyward' and datname = current_database()";

/// The process of that session.
const HOLDER: &str = "select pid from pg_locks join pg_stat_activity using (pid)
    where locktype = 'advisory' and application_name = 'keyward' and datname = current_database()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_waits_for_the_other_and_catches_up() {
    let home = Home::on_postgres();
    let operator_key = home.operator_key();
    let mut first = home.serve(&[]);
    // It sleeps while it loses the lock, so that it cannot take it again before the other comes.
    first.process.signal("STOP");
    assert_eq!(home.database().psql(END_THE_HOLD).unwrap(), "1");
    let second = home.serve(&[]);
    let made = Client::new(&second, &operator_key).create_key().await.unwrap();
    first.process.signal("CONT");
    first.process.wait_for_log("another server has the database now; this one waits");
    let client = Client::new(&first, &operator_key);
    assert_eq!(client.verdict(&made.secret).await.unwrap_err().code(), Code::Unavailable);

    second.stop();
    first.process.wait_for_log("the database is back");
    assert_eq!(client.verdict(&made.secret).await.unwrap(), Verdict::Valid);
    first.stop();
}

/// A session that only hangs must not go on holding the lock that its server waits for.
#[test]
fn on_postgres_takes_the_lock_again_after_its_session_hung() {
    let home = Home::on_postgres();
    let mut server = home.serve(&[]);
    let holder = home.database().psql(HOLDER).unwrap();
    signal(&holder, "STOP");
    server.process.wait_for_log("the database was lost");
    signal(&holder, "CONT");
    server.process.wait_for_log("the database is back");
    server.stop();
}

fn signal(pid: &str, name: &str) {
    let done = Command::new("kill").args(["-s", name, pid.trim()]).status().unwrap();
    assert!(done.success(), "{name} to {pid}");
}

/// As a restored database has it: no statement by hand can.
const SET_BACK: &str = "alter table change_counter disable trigger forward_only;
    update change_counter set rev = rev - 1;
    alter table change_counter enable trigger forward_only";

#[test]
fn on_postgres_ends_when_the_database_went_back_in_time() {
    let home = Home::on_postgres();
    home.operator_key();
    let server = home.serve(&[]);
    home.database().psql(SET_BACK).unwrap();
    assert_eq!(home.database().psql(END_THE_HOLD).unwrap(), "1");
    server.process.ended().failed(&["went back in time", "start again"]);
    home.serve(&[]);
}
