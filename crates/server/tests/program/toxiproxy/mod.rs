//! Toxiproxy between a server and its PostgreSQL: the link is cut, slowed and silenced. An outage is
//! never a denial, nothing is half done, and the server recovers by itself.

mod cut;
mod lost_answer;
mod proxy;
mod silent;
mod slow;

use keyward_proto::v1::{
    CreateKeyRequest, ErrorReason, Key, RevokeKeyRequest, RevokeReason, RotateKeyRequest,
};
use test_postgres::{Cluster, Options};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    client::{BUSINESS, Client},
    home::Home,
    toxiproxy::proxy::Proxy,
};

/// A home whose program reaches its PostgreSQL through the proxy. psql takes the direct way.
struct Site {
    home: Home,
    proxy: Proxy,
    #[expect(dead_code, reason = "held, not read; gone after its database")]
    cluster: Cluster,
}

/// A key, as the answer to CreateKey or RotateKey tells of it.
struct Issued {
    key_id: String,
    /// `None`: it was shown in an answer that never came.
    secret: Option<String>,
}

impl Site {
    fn new() -> Self {
        let cluster = Cluster::start_with(&Options { tcp: true, ..Options::default() }).unwrap();
        let proxy = Proxy::before(cluster.port().unwrap());
        let home = Home::on_cluster(&cluster);
        let url = format!("postgres://postgres@{}/{}", proxy.address, home.database().name());
        Self { home: home.reached_by(url), proxy, cluster }
    }

    /// What a query finds in the database.
    fn found(&self, sql: &str) -> String {
        self.home.database().psql(sql).unwrap()
    }
}

async fn create(client: &Client, request_id: &str) -> Result<Issued, Status> {
    let create = CreateKeyRequest {
        business_id: BUSINESS.to_owned(),
        key: Some(Key { display_name: request_id.to_owned(), ..Key::default() }),
        request_id: request_id.to_owned(),
        ..CreateKeyRequest::default()
    };
    let made = client.management().create_key(client.request(create)).await?.into_inner();
    Ok(Issued::new(made.key, made.secret, made.secret_already_shown))
}

async fn rotate(client: &Client, key_id: &str, request_id: &str) -> Result<Issued, Status> {
    let rotate = RotateKeyRequest {
        business_id: BUSINESS.to_owned(),
        key_id: key_id.to_owned(),
        request_id: request_id.to_owned(),
        ..RotateKeyRequest::default()
    };
    let made = client.management().rotate_key(client.request(rotate)).await?.into_inner();
    Ok(Issued::new(made.key, made.secret, made.secret_already_shown))
}

async fn revoke(client: &Client, key_id: &str) -> Result<(), Status> {
    let revoke = RevokeKeyRequest {
        business_id: BUSINESS.to_owned(),
        key_id: key_id.to_owned(),
        reason: RevokeReason::Unused.into(),
        reason_text: String::new(),
    };
    client.management().revoke_key(client.request(revoke)).await.map(drop)
}

impl Issued {
    fn new(key: Option<Key>, secret: String, already_shown: bool) -> Self {
        assert_eq!(already_shown, secret.is_empty());
        Self { key_id: key.unwrap().key_id, secret: (!already_shown).then_some(secret) }
    }
}

/// Checks that an error says nothing about the key, and says when to try again.
#[track_caller]
fn is_outage(status: &Status) {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    match ErrorReason::from_str_name(&format!("ERROR_REASON_{reason}")) {
        Some(ErrorReason::DatabaseUnavailable | ErrorReason::NotServing) => {
            assert_eq!(status.code(), Code::Unavailable);
            assert!(details.retry_info().is_some(), "{status:?}");
        }
        Some(ErrorReason::CommittedNotYetEffective) => {}
        _ => panic!("an outage was told as {status:?}"),
    }
}
