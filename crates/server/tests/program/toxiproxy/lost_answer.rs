//! A commit that the database carried out, and whose answer nobody ever got.

use keyward_proto::v1::Verdict;
use tokio::task::JoinSet;
use tonic::Status;

use super::{Site, create, is_outage, rotate};
use crate::{client::Client, process::until};

/// The session that made a key and committed waits for a standby that does not exist. So do those that
/// store usage; they touch no secret.
const WAITS: &str = "select count(*) from pg_stat_activity join pg_locks using (pid)
    where wait_event = 'SyncRep' and relation = 'secrets'::regclass and mode = 'RowExclusiveLock'";

/// The caller is told of an outage, and nothing of the key; the same request again gives the one key that
/// was made, without its secret, which rotating it then replaces.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_is_done_once() {
    let site = Site::new();
    let operator_key = site.home.operator_key();
    let mut server = site.home.serve(&[]);
    let client = Client::new(&server, &operator_key);
    site.found("alter system set synchronous_standby_names = 'nobody'");
    site.found("select pg_reload_conf()");
    // Until the setting is in force a commit is simply answered.
    let mut creating = JoinSet::new();
    creating.spawn(create_until_it_fails(client.clone()));
    until("a commit is held up", || site.found(WAITS) == "1");
    site.proxy.cut();
    let (answered, status) = creating.join_next().await.unwrap().unwrap();
    is_outage(&status);
    site.found("alter system reset synchronous_standby_names");
    site.found("select pg_reload_conf()");
    let keys = "select count(*) from keys where business_id = 'acme'";
    until("it is done", || site.found(keys) == (answered + 1).to_string());
    server.process.wait_for_log("the database was lost");
    site.proxy.restore();
    server.process.wait_for_log("the database is back");

    let again = create(&client, &request_id(answered)).await.unwrap();
    assert_eq!(again.secret, None, "the secret was shown to nobody, and is not kept");
    let rotated = rotate(&client, &again.key_id, &request_id(answered + 1)).await.unwrap();
    assert_eq!(client.verdict(&rotated.secret.unwrap()).await.unwrap(), Verdict::Valid);
    assert_eq!(site.found(keys), (answered + 1).to_string());
    server.stop();
}

/// How many keys were made, and why no more.
async fn create_until_it_fails(client: Client) -> (usize, Status) {
    let mut answered = 0;
    loop {
        match create(&client, &request_id(answered)).await {
            Ok(_) => answered += 1,
            Err(status) => return (answered, status),
        }
    }
}

fn request_id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}
