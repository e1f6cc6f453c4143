//! A business holds only so many live keys. The limit is set where it lies: no RPC sets it yet.

mod postgres {
    //! Needs SQL.

    use std::time::Duration;

    use keyward_proto::v1::{CreateKeyRequest, Key, RotateKeyRequest};

    use crate::harness::{
        Server,
        keys::{ACME, named},
        told::refused,
    };

    /// Neither a revoked nor an expired key counts, but one that a rotation would revive does.
    #[tokio::test(flavor = "multi_thread")]
    async fn only_live_keys_count() {
        let database = test_postgres::shared().create_database().unwrap();
        let server = Server::on_postgres(database).await;
        let expiring = Key { expire_time: Some(server.time_in(60)), ..named("a") };
        let first = server.make_key(expiring).await;
        server
            .database()
            .psql("update businesses set key_limit = 2 where business_id = 'acme'")
            .unwrap();
        let second = server.make_key(named("b")).await;

        let request = |validate_only| CreateKeyRequest {
            business_id: ACME.to_owned(),
            key: Some(named("c")),
            validate_only,
            ..CreateKeyRequest::default()
        };
        for validate_only in [true, false] {
            let told = refused(server.management().create_key(request(validate_only)).await);
            assert_eq!(told.reason, "KEY_LIMIT_REACHED");
            assert_eq!(told.metadata["key_limit"], "2");
        }
        server.make_key_of("other", named("another business's")).await;

        server.revoke_key(&second.key_id).await;
        server.make_key(named("c")).await;
        server.clock.advance(Duration::from_secs(60));
        server.make_key(named("d")).await;

        let revive = RotateKeyRequest {
            business_id: ACME.to_owned(),
            key_id: first.key_id,
            expire_time: Some(server.time_in(60)),
            ..RotateKeyRequest::default()
        };
        let told = refused(server.management().rotate_key(revive).await);
        assert_eq!(told.reason, "KEY_LIMIT_REACHED");
    }
}
