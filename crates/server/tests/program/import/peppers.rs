//! `keyward peppers`: a pepper is added, secrets move to it by their use, and the old one is retired.

use std::fs;

use keyward_proto::v1::{RevokeKeyRequest, RevokeReason, Verdict};

use crate::{
    client::{BUSINESS, Client},
    home::Home,
    process::BOUND,
};

/// From the first pepper to the second, as the runbook goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pepper_is_replaced_by_another() {
    let home = Home::on_sqlite();
    let server = home.serve(&[]);
    let service_key = home.operator_key();
    let client = Client::new(&server, &service_key);
    let used = client.create_key().await.unwrap();
    let unused = client.create_key().await.unwrap();
    let revoked = client.create_key().await.unwrap();
    let revoke = RevokeKeyRequest {
        business_id: BUSINESS.to_owned(),
        key_id: revoked.key_id,
        reason: RevokeReason::Leaked.into(),
        reason_text: String::new(),
    };
    client.management().revoke_key(client.request(revoke)).await.unwrap();
    home.run(&["peppers", "status"]).failed(&["stop the server first"]);
    assert!(home.run(&["peppers", "add"]).succeeded().starts_with("pepper 2 was added to"));
    server.stop();
    let status = || home.run(&["peppers", "status"]).succeeded();
    let before =
        "pepper 1: 3 live keys, 1 dead secrets\npepper 2: no server has started with it yet\n";
    assert_eq!(status(), before);

    let server = home.serve(&[]);
    let client = Client::new(&server, &service_key);
    // The operator's key moves as well, by its use.
    let moved = async {
        loop {
            assert_eq!(client.verdict(&used.secret).await.unwrap(), Verdict::Valid);
            if moved_digests(&home) == ["2"] {
                return;
            }
        }
    };
    tokio::time::timeout(BOUND, moved).await.unwrap();
    server.stop();
    assert_eq!(
        status(),
        "pepper 1: 1 live keys, 1 dead secrets\npepper 2: 2 live keys, 0 dead secrets\n"
    );

    let retire = |more: &[&str]| {
        let mut arguments = vec!["peppers", "retire"];
        arguments.extend(more);
        home.run(&arguments)
    };
    retire(&["2"]).failed(&["pepper 2 is the newest", "keyward peppers add"]);
    let told = ["1 live keys die", "keyward peppers retire 1 --live-keys 1 --dead-secrets 1"];
    retire(&["1"]).failed(&told);
    retire(&["1", "--live-keys", "1", "--dead-secrets", "1"]).succeeded();
    assert!(!fs::read_to_string(home.data("peppers")).unwrap().contains("\n1 "));
    assert_eq!(status(), "pepper 2: 2 live keys, 0 dead secrets\n");

    let server = home.serve(&[]);
    let client = Client::new(&server, &service_key);
    assert_eq!(client.verdict(&used.secret).await.unwrap(), Verdict::Valid);
    assert_eq!(client.verdict(&unused.secret).await.unwrap(), Verdict::NotFound);
    server.stop();
}

/// Past the program.
fn moved_digests(home: &Home) -> Vec<String> {
    let count = "select cast(count(*) as text) as line from secrets where move_time is not null";
    test_sqlite::lines(&home.data("keyward.db"), count).unwrap()
}
