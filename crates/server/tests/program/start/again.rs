//! Later starts: after a stop, after `kill -9`, and beside a process that is still there.

use std::net::TcpListener;

use keyward_proto::v1::Verdict;

use crate::{client::Client, home::Home};

#[test]
fn makes_no_second_operator_key() {
    let home = Home::on_sqlite();
    let first = home.serve(&[]);
    let (key, secrets) = (home.operator_key(), first.secrets);
    assert!(first.stop().out.contains("an operator key was made for you"));

    let second = home.serve(&[]);
    assert_eq!((home.operator_key(), second.secrets), (key, secrets));
    assert!(!second.stop().out.contains("an operator key was made for you"));
}

#[tokio::test]
async fn works_at_once_after_a_kill_on_sqlite() {
    start_after_kills(&Home::on_sqlite()).await;
}

#[tokio::test]
async fn works_at_once_after_a_kill_on_postgres() {
    start_after_kills(&Home::on_postgres()).await;
}

async fn start_after_kills(home: &Home) {
    let mut server = home.serve(&[]);
    let operator_key = home.operator_key();
    server.stop();
    server = home.serve(&[]);
    let secret = Client::new(&server, &operator_key).create_key().await.unwrap().secret;
    for _ in 0..5 {
        server.kill();
        server = home.serve(&[]);
        let client = Client::new(&server, &operator_key);
        assert_eq!(client.verdict(&secret).await.unwrap(), Verdict::Valid);
    }
}

#[test]
fn no_second_process_opens_the_folder() {
    let home = Home::on_sqlite();
    let _server = home.serve(&[]);
    for command in [&[][..], &["migrate", "up"], &["operator-key"]] {
        let refused = home.run(command);
        refused.failed(&["keyward-data", "stop the server first"]);
        assert_eq!(refused.out, "");
    }
}

#[test]
fn a_taken_port_is_said_and_a_later_start_serves() {
    let home = Home::on_sqlite();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    home.run(&["--listen", &address]).failed(&["cannot listen on", &address, "in use"]);
    assert_eq!(home.serve(&[]).secrets, 1);
}
