//! The database is gone: verification answers from memory, changes are errors, and nothing is a denial.

use keyward_proto::v1::Verdict;

use crate::harness::{
    Bearer, Server,
    keys::{is_good, named},
    told::refused,
};

/// Without the right to answer from memory nobody is told anything, not even who they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_server_is_unavailable_and_a_resumed_one_answers() {
    let server = Server::on_sqlite().await;
    let made = server.make_key(named("a")).await;
    server.running.pause().await;
    let told = refused(server.verification().verify(is_good(&made.secret)).await);
    assert_eq!((told.reason.as_str(), told.retry_hint), ("NOT_SERVING", true));
    let unknown = server.call("/keyward.v1.KeyManagement/GetKey", Bearer::request("unknown")).await;
    assert_eq!(refused(unknown).reason, "NOT_SERVING");
    server.running.reload().await.unwrap();
    server.running.resume(None).await;
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::Valid);
}

mod postgres {
    //! Stops a server of its own.

    use keyward_proto::v1::{
        CreateKeyRequest, CreateKeyResponse, GetKeyRequest, ListKeysRequest, Verdict,
    };
    use test_postgres::Cluster;
    use tonic::{Code, Response, Status};

    use crate::harness::{
        Server,
        keys::{ACME, is_good, named, texts},
        told::{Told, refused},
    };

    async fn create(server: &Server) -> Result<Response<CreateKeyResponse>, Status> {
        let request = CreateKeyRequest {
            business_id: ACME.to_owned(),
            key: Some(named("a")),
            ..CreateKeyRequest::default()
        };
        server.management().create_key(request).await
    }

    fn is_outage(told: &Told) {
        assert_eq!((told.reason.as_str(), told.retry_hint), ("DATABASE_UNAVAILABLE", true));
        assert!(!told.message.contains("postgres"), "{}", told.message);
    }

    /// Callers are known, secrets get their verdicts, and what needs the database says so. When it is
    /// back, so are changes, and what was promised before still holds.
    #[tokio::test(flavor = "multi_thread")]
    async fn verification_goes_on_and_management_says_why_it_does_not() {
        let cluster = Cluster::start().unwrap();
        let server = Server::on_postgres(cluster.create_database().unwrap()).await;
        let (good, revoked) =
            (server.make_key(named("a")).await, server.make_key(named("b")).await);
        server.revoke_key(&revoked.key_id).await;

        cluster.stop_immediate().unwrap();
        is_outage(&refused(create(&server).await));
        let get = GetKeyRequest { business_id: ACME.to_owned(), key_id: good.key_id.clone() };
        is_outage(&refused(server.management().get_key(get).await));
        let list = ListKeysRequest { business_ids: texts([ACME]), ..ListKeysRequest::default() };
        is_outage(&refused(server.management().list_keys(list).await));
        for _ in 0..2 {
            let verdict = async |secret: &str| server.verify(is_good(secret)).await.verdict();
            assert_eq!(verdict(&good.secret).await, Verdict::Valid);
            assert_eq!(verdict(&revoked.secret).await, Verdict::Revoked);
            assert_eq!(verdict("unknown").await, Verdict::NotFound);
        }

        cluster.restart().unwrap();
        let made = settled(&server).await;
        assert!(server.verify(is_good(&made.secret)).await.valid);
        assert_eq!(server.verify(is_good(&revoked.secret)).await.verdict(), Verdict::Revoked);
    }

    /// The first key that can be made again. Connections that broke may each cost one attempt.
    async fn settled(server: &Server) -> CreateKeyResponse {
        for _ in 0..10 {
            match create(server).await {
                Ok(made) => return made.into_inner(),
                Err(status) => assert_eq!(status.code(), Code::Unavailable),
            }
        }
        panic!("the pool does not recover");
    }
}
