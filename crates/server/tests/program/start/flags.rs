//! Nonsense on the command line or in the environment: refused before anything is opened, with the
//! flag's name and what would be right, and never with a secret.

use std::fs;

use crate::home::Home;

const PASSWORD: &str = "hunter2hunter2";

/// Refused by the parser of the command line.
const USAGE: i32 = 2;
/// Refused by what the values say together.
const SENSE: i32 = 1;

#[test]
fn an_open_address_without_encryption() {
    refuses(&["--listen", "0.0.0.0:0"], SENSE, &["--listen 0.0.0.0:0", "127.0.0.1", "--insecure"]);
    refuses(&["--listen", "[::]:0"], SENSE, &["--listen [::]:0", "127.0.0.1", "--insecure"]);
}

#[test]
fn no_address() {
    refuses(&["--listen", "here"], USAGE, &["--listen", "'here'"]);
}

#[test]
fn no_prefix() {
    refuses(&["--secret-prefixes", "ok,No"], USAGE, &["--secret-prefixes", "'No'", "a-z"]);
}

#[test]
fn no_connections() {
    refuses(&["--database-connections", "0"], USAGE, &["--database-connections", "'0'", "1.."]);
}

#[test]
fn no_filter_of_logs() {
    refuses(&["--log", "keyward=loud"], SENSE, &["--log"]);
}

#[test]
fn another_kind_of_database() {
    let url = format!("mysql://root:{PASSWORD}@db/keys");
    refuses(&["--database-url", &url], SENSE, &["--database-url", "postgres://", "--data-dir"]);
}

#[test]
fn no_url_of_a_database() {
    let url = format!("postgres://root:{PASSWORD}@db:port/keys");
    refuses(&["--database-url", &url, "--pepper-file", "p"], SENSE, &["--database-url"]);
}

#[test]
fn a_database_without_a_pepper_file() {
    let url = format!("postgres://root:{PASSWORD}@db/keys");
    refuses(&["--database-url", &url], SENSE, &["--pepper-file", "openssl rand -hex 32"]);
}

#[test]
fn half_an_issuer_of_users() {
    refuses(&["--user-issuer", "https://id.example"], USAGE, &["--user-jwks"]);
    refuses(&["--user-jwks", "keys.json"], USAGE, &["--user-issuer"]);
}

#[test]
fn an_empty_or_endless_issuer_of_users() {
    for issuer in ["", &"a".repeat(513)] {
        let flags = ["--user-issuer", issuer, "--user-jwks", "keys.json"];
        refuses(&flags, USAGE, &["--user-issuer", "1 to 512 characters"]);
    }
    refuses(&["--user-audience", ""], USAGE, &["--user-audience", "1 to 512 characters"]);
    refuses(&["--user-token-type", ""], USAGE, &["--user-token-type", "1 to 512 characters"]);
}

#[test]
fn keys_of_users_that_somebody_could_change_on_their_way() {
    let from = |url| ["--user-issuer", "https://id.example", "--user-jwks", url];
    for url in [
        "http://id.example/jwks",
        "ftp://id.example/jwks",
        "http://127.0.0.1.evil.example/",
        "file:///etc/keys.json",
    ] {
        refuses(&from(url), USAGE, &["--user-jwks", "https://"]);
    }
    refuses(&from("https://"), USAGE, &["--user-jwks", "is not a URL"]);
}

fn refuses(flags: &[&str], code: i32, parts: &[&str]) {
    let home = Home::on_sqlite();
    let refused = home.run(flags);
    assert_eq!(refused.status.code(), Some(code), "{refused:?}");
    for part in parts {
        assert!(refused.err.contains(part), "{part:?} is not in {}", refused.err);
    }
    assert!(!refused.err.contains(PASSWORD), "{}", refused.err);
    assert_eq!(refused.out, "");
    assert_eq!(fs::read_dir(home.path("")).unwrap().count(), 0, "something was opened");
}
