//! Customers' secrets and service keys are given out once and then nowhere: not in the database, not in
//! its files, not in a dump, not in the most talkative log. Nor are user tokens, nor peppers and the
//! development issuer's key, outside their files. What
//! stands for secrets in the database, their digests, is found there and nowhere else.

use std::{fs, process::Command};

use keyward_proto::v1::{
    BatchVerifyRequest, CreateKeyRequest, Endpoint, GetKeyRequest, HttpEndpoint, Key, KeyFilter,
    ListKeysRequest, LookupKeyRequest, RotateKeyRequest, VerifyRequest, endpoint,
};
use test_postgres::Cluster;

use crate::{
    client::{BUSINESS, Client},
    home::{Home, PEPPERS},
    needles::Needles,
    process::Ended,
    server::Server,
    users::{ISSUED, Platform, backend, refusal, token},
};

const NOWHERE: Vec<String> = Vec::new();

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn are_nowhere_on_sqlite() {
    let home = Home::on_sqlite();
    let found = |needles: Needles| needles.found_under(&home.path(""));
    let (mut issued, mut peppers) = (Vec::new(), String::new());
    let mut tokens = Vec::new();
    for format in ["text", "json"] {
        let server = home.serve(&["--log", "trace", "--log-format", format]);
        live(&server, &home.operator_key(), &mut issued).await;
        tokens.push(token(&home));
        assert_eq!(refusal(&server, &home.operator_key(), tokens.last().unwrap()).await, None);
        misplace(&server, &Client::new(&server, &home.operator_key()), tokens.last().unwrap())
            .await;
        peppers = fs::read_to_string(home.data("peppers")).unwrap();
        let write_ahead = "keyward-data/keyward.db-wal".to_owned();
        assert!(found(Needles::digests(&peppers, &issued)).contains(&write_ahead));
        assert_eq!(found(Needles::secrets(&issued)), NOWHERE);
        keep(&home, format, &server.stop());
    }

    fs::write(home.path("user-token-output"), tokens.concat()).unwrap();
    assert_eq!(found(Needles::user_tokens(&tokens)), ["user-token-output"]);
    let issuer = fs::read_to_string(home.data("development-issuer")).unwrap();
    let issuers = found(Needles::development_issuer(&issuer));
    assert_eq!(issuers, ["keyward-data/development-issuer"]);
    let operator_key = [home.operator_key()];
    assert_eq!(found(Needles::secrets(&issued)), NOWHERE);
    assert_eq!(found(Needles::digests(&peppers, &issued)), ["keyward-data/keyward.db"]);
    assert_eq!(found(Needles::secrets(&operator_key)), ["keyward-data/operator-key"]);
    assert_eq!(found(Needles::peppers(&peppers)), ["keyward-data/peppers"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn are_nowhere_on_postgres() {
    let cluster = Cluster::start().unwrap();
    let home = Home::on_cluster(&cluster);
    let made = home.run(&["operator-key", "--log", "trace"]);
    let operator_key = made.out.trim_end().to_owned();
    fs::write(home.path("operator-key-output"), made.err).unwrap();
    let mut issued = vec![operator_key.clone()];
    let (platform, mut tokens) = (Platform::new(), Vec::new());
    fs::write(home.path(ISSUED[3]), platform.jwks()).unwrap();
    for format in ["text", "json"] {
        let flags = ["--log", "trace", "--log-format", format];
        let mut server = home.serve(&[&flags[..], &ISSUED].concat());
        server.process.wait_for_log("the users' keys have changed");
        live(&server, &operator_key, &mut issued).await;
        let (caller_id, secret) = backend(&server, &operator_key).await;
        tokens.push(platform.token(&caller_id));
        assert_eq!(refusal(&server, &secret, tokens.last().unwrap()).await, None);
        misplace(&server, &Client::new(&server, &operator_key), tokens.last().unwrap()).await;
        issued.push(secret);
        keep(&home, format, &server.stop());
    }
    let dump = Command::new(test_postgres::find_binaries().unwrap().join("pg_dump"))
        .args(["--dbname", &home.database().url(), "--file"])
        .arg(home.path("dump"))
        .status();
    assert!(dump.unwrap().success());
    home.database().psql("checkpoint").unwrap();
    cluster.stop_immediate().unwrap();

    let found = |needles: Needles| {
        [home.path("").as_path(), cluster.folder()].map(|folder| needles.found_under(folder))
    };
    assert_eq!(found(Needles::secrets(&issued)), [NOWHERE, NOWHERE]);
    assert_eq!(found(Needles::user_tokens(&tokens)), [NOWHERE, NOWHERE]);
    assert_eq!(found(Needles::peppers(PEPPERS)), [vec!["peppers".to_owned()], NOWHERE]);
    let [here, there] = found(Needles::digests(PEPPERS, &issued));
    assert_eq!(here, ["dump"]);
    for part in ["data/base/", "data/pg_wal/"] {
        assert!(there.iter().any(|file| file.starts_with(part)), "{there:?}");
    }
}

/// Keeps what a server printed where it will be searched, and checks that it was talkative.
fn keep(home: &Home, name: &str, Ended { out, err, .. }: &Ended) {
    assert!(err.contains("TRACE"), "{err}");
    fs::write(home.path(&format!("{name}-output")), format!("{out}{err}")).unwrap();
}

/// Has keys and service keys issued, rotated and verified, and presents them where they do not belong.
async fn live(server: &Server, operator_key: &str, issued: &mut Vec<String>) {
    let operator = Client::new(server, operator_key);
    let customer = operator.create_key().await.unwrap();
    issued.push(customer.secret.clone());
    issued.push(create(&operator, BUSINESS, "nightly job", &[]).await);
    issued.push(create(&operator, "@keyward", "gateway", &["keyward.verify"]).await);

    let which = RotateKeyRequest {
        business_id: BUSINESS.to_owned(),
        key_id: customer.key_id,
        ..RotateKeyRequest::default()
    };
    let rotated = operator.management().rotate_key(operator.request(which)).await.unwrap();
    issued.push(rotated.into_inner().secret);
    let secrets = issued.iter().map(String::as_str);
    let mangled: Vec<String> = secrets.clone().map(|secret| format!("{secret}x")).collect();
    for secret in secrets.chain(mangled.iter().map(String::as_str)) {
        operator.verdict(secret).await.unwrap();
        misplace(server, &operator, secret).await;
    }
}

async fn create(operator: &Client, business_id: &str, name: &str, scopes: &[&str]) -> String {
    let key = Key {
        display_name: name.to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..Key::default()
    };
    let create = CreateKeyRequest {
        business_id: business_id.to_owned(),
        key: Some(key),
        ..CreateKeyRequest::default()
    };
    operator.management().create_key(operator.request(create)).await.unwrap().into_inner().secret
}

/// Presents a secret in every place where somebody may put it by mistake. What comes of it is the
/// business of other tests.
async fn misplace(server: &Server, operator: &Client, secret: &str) {
    let (mut management, mut verification) = (operator.management(), operator.verification());
    let text = || secret.to_owned();
    let business_id = || BUSINESS.to_owned();
    drop(Client::new(server, secret).create_key().await);
    let mut with_user = operator.request(ListKeysRequest::default());
    with_user.metadata_mut().insert("keyward-user-token", secret.parse().unwrap());
    drop(management.list_keys(with_user).await);
    drop(
        management
            .lookup_key(operator.request(LookupKeyRequest { presented_secret: text() }))
            .await,
    );

    for get in [
        GetKeyRequest { business_id: business_id(), key_id: text() },
        GetKeyRequest { business_id: text(), key_id: text() },
    ] {
        drop(management.get_key(operator.request(get)).await);
    }
    let filter = KeyFilter {
        scope: text(),
        obfuscated_secret: text(),
        display_name_part: text(),
        ..KeyFilter::default()
    };
    for list in [
        ListKeysRequest { business_ids: vec![text()], ..ListKeysRequest::default() },
        ListKeysRequest {
            business_ids: vec![business_id()],
            filter: Some(filter),
            ..ListKeysRequest::default()
        },
        ListKeysRequest {
            business_ids: vec![business_id()],
            page_token: text(),
            ..ListKeysRequest::default()
        },
    ] {
        drop(management.list_keys(operator.request(list)).await);
    }
    let key = Key { display_name: "x".to_owned(), scopes: vec![text()], ..Key::default() };
    for create in [
        CreateKeyRequest {
            business_id: business_id(),
            key: Some(key),
            ..CreateKeyRequest::default()
        },
        CreateKeyRequest { business_id: text(), prefix: text(), ..CreateKeyRequest::default() },
        CreateKeyRequest { request_id: text(), ..CreateKeyRequest::default() },
    ] {
        drop(management.create_key(operator.request(create)).await);
    }

    let path = HttpEndpoint { method: "GET".to_owned(), raw_path: format!("/v1/{secret}") };
    let question = VerifyRequest {
        presented_secret: text(),
        required_scopes: vec![text()],
        sufficient_scopes: vec![text()],
        endpoint: Some(Endpoint {
            service: "orders".to_owned(),
            kind: Some(endpoint::Kind::Http(path)),
        }),
        business_id: text(),
        ..VerifyRequest::default()
    };
    let no_question = VerifyRequest { presented_secret: text(), ..VerifyRequest::default() };
    let batch = BatchVerifyRequest { requests: vec![question, no_question] };
    drop(verification.batch_verify(operator.request(batch)).await);
}
