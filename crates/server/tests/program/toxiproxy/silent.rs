//! A silent link: connections stay open, and nothing comes through.

use keyward_proto::v1::{GetKeyRequest, ListKeysRequest, Verdict};

use super::{Site, create, is_outage, revoke, rotate};
use crate::client::{BUSINESS, Client};

/// Calls that wait for the database when it falls silent end all the same, as an outage; once it speaks
/// again everything is as before, by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_calls_end_and_the_pool_recovers() {
    let site = Site::new();
    let operator_key = site.home.operator_key();
    let mut server = site.home.serve(&[]);
    let client = Client::new(&server, &operator_key);
    let good = create(&client, "00000000-0000-4000-8000-000000000001").await.unwrap();
    let other = create(&client, "00000000-0000-4000-8000-000000000002").await.unwrap();
    let (good_secret, other_secret) = (good.secret.unwrap(), other.secret.unwrap());

    site.proxy.silence();
    let key_id = good.key_id.clone();
    let get = GetKeyRequest { business_id: BUSINESS.to_owned(), key_id: key_id.clone() };
    let list =
        ListKeysRequest { business_ids: vec![BUSINESS.to_owned()], ..ListKeysRequest::default() };
    let (mut reader, mut lister) = (client.management(), client.management());
    // The right to answer has not run out yet: each is let in, and asks the database.
    let (created, rotated, revoked, got, listed, verdict) = tokio::join!(
        create(&client, "00000000-0000-4000-8000-000000000003"),
        rotate(&client, &key_id, "00000000-0000-4000-8000-000000000004"),
        revoke(&client, &other.key_id),
        reader.get_key(client.request(get.clone())),
        lister.list_keys(client.request(list)),
        client.verdict(&good_secret),
    );
    assert_eq!(verdict.unwrap(), Verdict::Valid);
    is_outage(&created.map(drop).unwrap_err());
    is_outage(&rotated.map(drop).unwrap_err());
    is_outage(&revoked.unwrap_err());
    is_outage(&got.map(drop).unwrap_err());
    is_outage(&listed.map(drop).unwrap_err());
    server.process.wait_for_log("the database was lost");
    is_outage(&client.verdict(&good_secret).await.map(drop).unwrap_err());

    site.proxy.restore();
    server.process.wait_for_log("the database is back");
    reader.get_key(client.request(get)).await.unwrap();
    // Nothing that was swallowed was done, and all of it can be done now.
    assert_eq!(client.verdict(&good_secret).await.unwrap(), Verdict::Valid);
    assert_eq!(client.verdict(&other_secret).await.unwrap(), Verdict::Valid);
    let made = create(&client, "00000000-0000-4000-8000-000000000003").await.unwrap();
    assert_eq!(client.verdict(&made.secret.unwrap()).await.unwrap(), Verdict::Valid);
    revoke(&client, &other.key_id).await.unwrap();
    assert_eq!(client.verdict(&other_secret).await.unwrap(), Verdict::Revoked);
    assert_eq!(site.found("select count(*) from keys where business_id = 'acme'"), "3");
    server.stop();
}
