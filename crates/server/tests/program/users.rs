//! People as the operator of the real program meets them: the development issuer, `keyward user-token`,
//! and an issuer of the platform's own, whose keys come from a file or over HTTPS.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    sync::Arc,
    thread,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_proto::v1::{CreateKeyRequest, Key, ListScopesRequest};
use keyward_server::callers::{
    development_issuer::DevelopmentIssuer, token::keys::VerificationKey,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use ring::rand::SystemRandom;
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivatePkcs8KeyDer};
use serde_json::json;
use tonic_types::StatusExt as _;

use crate::{
    client::{BUSINESS, Client},
    home::Home,
    server::Server,
};

const ISSUER: &str = "https://id.example";
/// What makes the program take that issuer for the one of its users.
pub(crate) const ISSUED: [&str; 4] = ["--user-issuer", ISSUER, "--user-jwks", "users.json"];
/// Reachable from elsewhere, as far as the program can tell.
const BEYOND: [&str; 3] = ["--listen", "0.0.0.0:0", "--insecure"];
const ADMIN: [&str; 7] =
    ["user-token", "--sub", "ada", "--role", "business_admin", "--business", BUSINESS];

/// The platform's issuer of these tests, whose one key is called `a`.
pub(crate) struct Platform(DevelopmentIssuer);

impl Platform {
    #[expect(clippy::disallowed_methods, reason = "a test's own randomness")]
    pub(crate) fn new() -> Self {
        let text = DevelopmentIssuer::generate(&SystemRandom::new()).unwrap();
        Self(DevelopmentIssuer::parse(&text).unwrap())
    }

    pub(crate) fn jwks(&self) -> String {
        let key = self.0.keys().get("development").unwrap();
        let VerificationKey::Ed25519(public) = &*key else { panic!("{key:?}") };
        let x = URL_SAFE_NO_PAD.encode(public);
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x}]}).to_string()
    }

    /// A token for an admin that this caller may present, good for a minute.
    #[expect(clippy::disallowed_methods, reason = "a real server goes by the system's clock")]
    pub(crate) fn token(&self, caller_id: &str) -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let claims = json!({
            "iss": ISSUER, "aud": "keyward", "sub": "ada", "azp": caller_id,
            "iat": now.as_secs(), "exp": now.as_secs() + 60,
            "role": "business_admin", "business": BUSINESS,
        });
        self.0.sign(&json!({"alg": "EdDSA", "kid": "a", "typ": "keyward-user+jwt"}), &claims)
    }
}

/// The reason for which ListScopes is refused with this token; none: it is answered.
pub(crate) async fn refusal(server: &Server, service_key: &str, token: &str) -> Option<String> {
    let client = Client::new(server, service_key);
    let mut request = client.request(ListScopesRequest::default());
    request.metadata_mut().insert("keyward-user-token", token.parse().unwrap());
    let answer = client.management().list_scopes(request).await;
    answer.err().map(|status| status.get_error_details().error_info().unwrap().reason.clone())
}

/// A service key that presents users: its id and its secret.
pub(crate) async fn backend(server: &Server, operator_key: &str) -> (String, String) {
    let operator = Client::new(server, operator_key);
    let key = Key {
        display_name: "backend".to_owned(),
        scopes: vec!["keyward.manage".to_owned()],
        ..Key::default()
    };
    let request = CreateKeyRequest {
        business_id: "@keyward".to_owned(),
        key: Some(key),
        ..CreateKeyRequest::default()
    };
    let made = operator.management().create_key(operator.request(request)).await;
    let made = made.unwrap().into_inner();
    (made.key.unwrap().key_id, made.secret)
}

/// What `keyward user-token` prints for an admin.
pub(crate) fn token(home: &Home) -> String {
    let printed = home.run(&ADMIN).succeeded();
    let token = printed.strip_suffix('\n').unwrap();
    assert!(!token.contains(char::is_whitespace), "a token alone: {printed:?}");
    token.to_owned()
}

/// Beside a running server, and again after a restart: the issuer is made once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_development_issuer_is_made_once_and_signs_beside_the_server() {
    let home = Home::on_sqlite();
    let server = home.serve(&[]);
    let file = home.data("development-issuer");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let made = fs::read(&file).unwrap();
    let admin = token(&home);
    let operator_key = home.operator_key();
    assert_eq!(refusal(&server, &operator_key, &admin).await, None);
    server.stop();

    let server = home.serve(&[]);
    assert_eq!(fs::read(&file).unwrap(), made);
    assert_eq!(refusal(&server, &operator_key, &admin).await, None);
    let advisor = home.run(&["user-token", "--sub", "dana", "--role", "advisor"]).succeeded();
    assert_eq!(refusal(&server, &operator_key, advisor.trim_end()).await, None);
    let other = home.run(&["user-token", "--sub", "eve", "--role", "owner"]).succeeded();
    let refused = refusal(&server, &operator_key, other.trim_end()).await;
    assert_eq!(refused.as_deref(), Some("PERMISSION_DENIED"));
}

/// What no server would take is not printed, with the sentence that the server would say.
#[test]
fn user_token_prints_no_token_that_would_be_refused() {
    let home = Home::on_sqlite();
    home.run(&ADMIN).failed(&["development-issuer", "the embedded store's first start makes it"]);
    home.serve(&[]).stop();
    for (flags, claim) in [
        (["--sub", "ada", "--role", "business_admin", "--business", "@keyward"], "`business`"),
        (["--sub", "ada", "--role", "business_admin", "--business", "a/b"], "`business`"),
        (["--sub", "", "--role", "business_admin", "--business", "acme"], "`sub`"),
    ] {
        let ended = home.run(&[&["user-token"], &flags[..]].concat());
        ended.failed(&[claim]);
        assert_eq!(ended.out, "");
    }
    let without = home.run(&["user-token", "--sub", "ada", "--role", "business_admin"]);
    assert_eq!(without.status.code(), Some(2));
    assert!(without.err.contains("--business"), "{}", without.err);
    fs::write(home.data("development-issuer"), "nonsense").unwrap();
    home.run(&ADMIN).failed(&["development-issuer", "is not one"]);
}

/// Where others reach it, the server does not start with the issuer, and makes none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_server_that_others_reach_has_the_development_issuer() {
    let home = Home::on_sqlite();
    home.serve(&[]).stop();
    let file = home.data("development-issuer");
    let admin = token(&home);
    home.run(&BEYOND).failed(&["development-issuer", "--user-issuer", "delete the file"]);

    // With an issuer of the platform's the file is not looked at, and its tokens are worth nothing.
    fs::write(home.path("users.json"), Platform::new().jwks()).unwrap();
    let server = home.serve(&[&BEYOND[..], &ISSUED].concat());
    let refused = refusal(&server, &home.operator_key(), &admin).await.unwrap();
    assert!(["USER_TOKEN_KEY_UNKNOWN", "USER_KEYS_UNAVAILABLE"].contains(&refused.as_str()));
    server.stop();

    fs::remove_file(&file).unwrap();
    let server = home.serve(&BEYOND);
    let refused = refusal(&server, &home.operator_key(), &admin).await;
    assert_eq!(refused.as_deref(), Some("USERS_NOT_CONFIGURED"));
    server.stop();
    assert!(!file.exists());
}

/// Nor does one on PostgreSQL, wherever it listens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_server_on_postgres_has_the_development_issuer() {
    let elsewhere = Home::on_sqlite();
    elsewhere.serve(&[]).stop();
    let admin = token(&elsewhere);

    let home = Home::on_postgres();
    let operator_key = home.operator_key();
    let server = home.serve(&[]);
    let refused = refusal(&server, &operator_key, &admin).await;
    assert_eq!(refused.as_deref(), Some("USERS_NOT_CONFIGURED"));
    server.stop();
    assert!(!home.data("development-issuer").exists());

    fs::create_dir(home.path("keyward-data")).unwrap();
    let file = "development-issuer";
    fs::copy(elsewhere.data(file), home.data(file)).unwrap();
    home.run(&[]).failed(&[file, "--user-issuer", "delete the file"]);
    home.run(&ADMIN).failed(&["PostgreSQL", "--user-issuer"]);
}

/// A token of the platform's own issuer, through the one caller that it names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_by_a_file() {
    let home = Home::on_sqlite();
    let platform = Platform::new();
    let mut server = home.serve(&ISSUED);
    // Not there yet: that keeps nobody from verifying keys.
    server.process.wait_for_log("the users' keys cannot be fetched");
    let operator_key = home.operator_key();
    let (caller_id, secret) = backend(&server, &operator_key).await;
    let token = platform.token(&caller_id);
    let refused = refusal(&server, &secret, &token).await;
    assert_eq!(refused.as_deref(), Some("USER_KEYS_UNAVAILABLE"));
    server.stop();

    fs::write(home.path("users.json"), platform.jwks()).unwrap();
    let mut server = home.serve(&ISSUED);
    server.process.wait_for_log("the users' keys have changed");
    assert_eq!(refusal(&server, &secret, &token).await, None);
    let refused = refusal(&server, &operator_key, &token).await;
    assert_eq!(refused.as_deref(), Some("USER_TOKEN_PRESENTER"));
    assert!(!home.data("development-issuer").exists());
}

/// Over HTTPS, from a server whose certificate the machine trusts; from another one never.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_by_a_url() {
    let platform = Platform::new();
    let (port, certificate) = serve_https(platform.jwks());
    let url = format!("https://localhost:{port}/jwks.json");
    let flags = ["--user-issuer", ISSUER, "--user-jwks", &url];
    for (roots, log) in [
        (certificate, "the users' keys have changed"),
        (serve_https(String::new()).1, "invalid peer certificate"),
    ] {
        let home = Home::on_sqlite();
        fs::write(home.path("roots.pem"), roots).unwrap();
        let mut command = home.command(&flags);
        command.env("SSL_CERT_FILE", home.path("roots.pem"));
        let mut server = Server::greeted(crate::process::Process::spawn(&mut command));
        server.process.wait_for_log(log);
        let (caller_id, secret) = backend(&server, &home.operator_key()).await;
        let refused = refusal(&server, &secret, &platform.token(&caller_id)).await;
        let expected = log.contains("invalid").then_some("USER_KEYS_UNAVAILABLE");
        assert_eq!(refused.as_deref(), expected);
    }
}

/// Answers every request with this body, until the test ends; the port, and the certificate to trust.
fn serve_https(body: String) -> (u16, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into());
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, socket.unwrap());
            // Whoever does not trust the certificate hangs up.
            if stream.read(&mut [0; 4096]).is_err() {
                continue;
            }
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close");
            write!(stream, "{head}\r\n\r\n{body}").unwrap();
            stream.conn.send_close_notify();
            drop(stream.flush());
        }
    });
    (port, cert.pem())
}
