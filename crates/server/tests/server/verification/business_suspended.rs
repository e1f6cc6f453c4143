//! BUSINESS_SUSPENDED: all keys of a business at once. It is set where it lies: no RPC sets it yet.

mod postgres {
    //! Needs SQL.

    use keyward_proto::v1::{RotateKeyRequest, Verdict};

    use super::super::{denial, not_found};
    use crate::harness::{
        Server,
        keys::{ACME, is_good, named},
    };

    /// As UpdateBusiness will: with a place in the history of changes.
    async fn set_suspend_time(server: &Server, suspend_time: &str) {
        let sql = format!(
            "begin; update change_counter set rev = rev + 1; update businesses set \
             suspend_time = {suspend_time}, rev = (select rev from change_counter) \
             where business_id = '{ACME}'; commit"
        );
        server.database().psql(&sql).unwrap();
        server.running.follower.catch_up().await.unwrap();
    }

    /// Only which key it is is told; a graver fault is not; and other businesses' keys stay good.
    #[tokio::test(flavor = "multi_thread")]
    async fn it_comes_before_all_but_not_found_and_it_ends() {
        let database = test_postgres::shared().create_database().unwrap();
        let server = Server::on_postgres(database).await;
        let (good, revoked) =
            (server.make_key(named("a")).await, server.make_key(named("b")).await);
        let rotated = server.make_key(named("c")).await;
        let other = server.make_key_of("other", named("d")).await;
        server.revoke_key(&revoked.key_id).await;
        let rotate = RotateKeyRequest {
            business_id: ACME.to_owned(),
            key_id: rotated.key_id.clone(),
            ..RotateKeyRequest::default()
        };
        server.management().rotate_key(rotate).await.unwrap();

        set_suspend_time(&server, "now()").await;
        for made in [&good, &revoked, &rotated] {
            let expected = denial(&server, made, Verdict::BusinessSuspended).await;
            assert_eq!(server.verify(is_good(&made.secret)).await, expected);
        }
        assert_eq!(server.verify(is_good("unknown")).await, not_found(&server).await);
        assert!(server.verify(is_good(&other.secret)).await.valid);
        let late = server.make_key(named("made meanwhile")).await;
        let verdict = server.verify(is_good(&late.secret)).await.verdict();
        assert_eq!(verdict, Verdict::BusinessSuspended);

        set_suspend_time(&server, "null").await;
        for (made, verdict) in [
            (good, Verdict::Valid),
            (late, Verdict::Valid),
            (revoked, Verdict::Revoked),
            (rotated, Verdict::SecretRotated),
        ] {
            assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), verdict);
        }
    }
}
