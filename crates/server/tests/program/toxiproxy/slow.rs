//! A slow link.

use keyward_proto::v1::Verdict;

use super::{Site, create, revoke, rotate};
use crate::{client::Client, process::BOUND};

/// What passes the link takes so long, each way.
const DELAY_MS: u32 = 100;

/// Everything is as right as ever, only slower; a slow link is no lost one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_everything_goes_on() {
    let site = Site::new();
    let operator_key = site.home.operator_key();
    let server = site.home.serve(&[]);
    let client = Client::new(&server, &operator_key);
    site.proxy.slow(DELAY_MS);

    let work = async {
        let made = create(&client, "00000000-0000-4000-8000-000000000001").await.unwrap();
        let first = made.secret.unwrap();
        assert_eq!(client.verdict(&first).await.unwrap(), Verdict::Valid);
        let rotated =
            rotate(&client, &made.key_id, "00000000-0000-4000-8000-000000000002").await.unwrap();
        let second = rotated.secret.unwrap();
        assert_eq!(client.verdict(&first).await.unwrap(), Verdict::SecretRotated);
        assert_eq!(client.verdict(&second).await.unwrap(), Verdict::Valid);
        revoke(&client, &made.key_id).await.unwrap();
        assert_eq!(client.verdict(&second).await.unwrap(), Verdict::Revoked);
    };
    tokio::time::timeout(BOUND, work).await.unwrap();

    site.proxy.restore();
    assert!(!server.stop().err.contains("the database was lost"));
}
