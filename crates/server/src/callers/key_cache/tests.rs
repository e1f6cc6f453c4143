//! Keys come, are followed when they change, and stay when their source is away; whatever a source
//! sends, it costs no more than it may.

use std::{path::Path, time::Duration};

use apikey::clock::ManualClock;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Uri;
use ring::rand::SystemRandom;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
    time::timeout,
};

use super::*;
use crate::callers::{development_issuer::DevelopmentIssuer, token::keys::SET_BYTES_MAX};

const BOUND: Duration = Duration::from_secs(20);

/// A set of one key, which goes by this name.
fn set(kid: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test's own randomness")]
    let text = DevelopmentIssuer::generate(&SystemRandom::new()).unwrap();
    let key = DevelopmentIssuer::parse(&text).unwrap().keys().get("development").unwrap();
    let VerificationKey::Ed25519(public) = &*key else { panic!("{key:?}") };
    let x = URL_SAFE_NO_PAD.encode(public);
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}]}}"#)
}

fn write(file: &Path, kid: &str) {
    let aside = file.with_extension("new");
    std::fs::write(&aside, set(kid)).unwrap();
    std::fs::rename(aside, file).unwrap();
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_micros(0)))
}

/// Nobody knows at first; then the key is there, and one that is not is certainly not.
#[tokio::test]
async fn a_file_is_read_and_followed() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    let clock = clock();
    let cache = Arc::new(KeyCache::fetched(KeySource::File(file.clone()), clock.clone()));
    assert_eq!(cache.find("a", clock.now()), Err(TokenFault::KeysUnavailable));

    write(&file, "a");
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    let mut states = cache.state.subscribe();
    running.spawn(Arc::clone(&cache).run(stop.clone()));
    timeout(BOUND, states.changed()).await.unwrap().unwrap();
    assert!(cache.find("a", clock.now()).is_ok());
    assert_eq!(cache.find("b", clock.now()), Err(TokenFault::KeyUnknown));

    // A new key is fetched as soon as it is asked for and a fetch is due, and the old one is gone.
    write(&file, "b");
    clock.advance(REFETCH_AFTER);
    assert_eq!(cache.find("b", clock.now()), Err(TokenFault::KeysUnavailable));
    timeout(BOUND, states.changed()).await.unwrap().unwrap();
    assert!(cache.find("b", clock.now()).is_ok());
    assert_eq!(cache.find("a", clock.now()), Err(TokenFault::KeyUnknown));

    // The last one is withdrawn like any other.
    std::fs::write(&file, r#"{"keys":[]}"#).unwrap();
    clock.advance(REFETCH_AFTER);
    assert_eq!(cache.find("c", clock.now()), Err(TokenFault::KeysUnavailable));
    timeout(BOUND, states.changed()).await.unwrap().unwrap();
    assert_eq!(cache.find("b", clock.now()), Err(TokenFault::KeyUnknown));
    write(&file, "b");
    clock.advance(REFETCH_AFTER);
    assert_eq!(cache.find("b", clock.now()), Err(TokenFault::KeysUnavailable));
    timeout(BOUND, states.changed()).await.unwrap().unwrap();

    // What is there stays, however long its source is away.
    std::fs::remove_file(&file).unwrap();
    clock.advance(REFETCH_AFTER);
    assert_eq!(cache.find("c", clock.now()), Err(TokenFault::KeysUnavailable));
    timeout(BOUND, states.changed()).await.unwrap().unwrap();
    assert!(cache.find("b", clock.now()).is_ok());
    assert_eq!(cache.find("c", clock.now()), Err(TokenFault::KeysUnavailable));

    stop.cancel();
    timeout(BOUND, running.join_all()).await.unwrap();
}

/// However many ask for a key that is not there, the source is asked once until the next is due.
#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    write(&file, "a");
    let clock = clock();
    let cache = Arc::new(KeyCache::fetched(KeySource::File(file), clock.clone()));
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    let mut states = cache.state.subscribe();
    running.spawn(Arc::clone(&cache).run(stop.clone()));
    timeout(BOUND, states.changed()).await.unwrap().unwrap();
    clock.advance(REFETCH_AFTER);
    for _ in 0..1_000 {
        assert!(cache.find("b", clock.now()).is_err());
    }
    timeout(BOUND, states.changed()).await.unwrap().unwrap();
    for _ in 0..1_000 {
        assert_eq!(cache.find("b", clock.now()), Err(TokenFault::KeyUnknown));
    }
    assert!(!states.has_changed().unwrap());
    stop.cancel();
    timeout(BOUND, running.join_all()).await.unwrap();
}

/// Answers one request with these bytes, whatever it asks for.
async fn source(answer: Vec<u8>, serving: &mut JoinSet<()>) -> KeySource {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    serving.spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert_ne!(socket.read(&mut request).await.unwrap(), 0);
        // The other side may have heard enough.
        drop(socket.write_all(&answer).await);
        drop(socket.shutdown().await);
    });
    let url: Uri = format!("http://{address}/jwks.json").parse().unwrap();
    KeySource::url(url).unwrap()
}

async fn fetched(head: &str, body: &str) -> Result<KeySet, LoadError> {
    let mut serving = JoinSet::new();
    let answer = format!("{head}\r\nconnection: close\r\n\r\n{body}").into_bytes();
    let source = source(answer, &mut serving).await;
    timeout(BOUND, source.load()).await.unwrap()
}

/// An HTTP server's answer counts when it is a set, and nothing else does.
#[tokio::test]
async fn a_url_is_fetched_within_its_limits() {
    const OK: &str = "HTTP/1.1 200 OK";
    assert!(fetched(OK, &set("a")).await.unwrap().get("a").is_some());
    let refused = |answer: Result<KeySet, LoadError>| answer.unwrap_err().to_string();
    assert_eq!(
        refused(fetched("HTTP/1.1 500 Internal Server Error", &set("a")).await),
        "the server answers 500 Internal Server Error"
    );
    let elsewhere = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/";
    assert_eq!(refused(fetched(elsewhere, "").await), "the server answers 302 Found");
    assert_eq!(refused(fetched(OK, "<html>").await), "it is not a JWK set, `{\"keys\": [...]}`");
    assert_eq!(fetched(OK, "{\"keys\":[]}").await.unwrap(), KeySet::default());
    let endless = " ".repeat(SET_BYTES_MAX + 1);
    assert_eq!(refused(fetched(OK, &endless).await), "it is larger than 1 MiB");
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let source = KeySource::url(format!("http://{nobody}/").parse().unwrap()).unwrap();
    assert!(refused(source.load().await).starts_with("the server cannot be asked: "));
}
