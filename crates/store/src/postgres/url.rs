//! A database's URL, taken apart: what is said about TLS is ours, since the driver does not know
//! `verify-full`; all the rest is the driver's.

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;

use crate::error::{BadDatabaseUrl, chain};

/// What a URL says about TLS.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TlsWords {
    /// `sslmode`.
    pub(super) mode: Option<String>,
    /// `sslrootcert`: a file, or `system`.
    pub(super) roots: Option<String>,
    /// `sslcert`: a file.
    pub(super) certificate: Option<String>,
    /// `sslkey`: a file.
    pub(super) key: Option<String>,
}

/// Takes a `postgres://` URL apart. No error repeats any of it: it may hold a password.
pub(super) fn parse(url: &str) -> Result<(Config, TlsWords), BadDatabaseUrl> {
    let (rest, words) = without_tls(url)?;
    let config = rest.parse().map_err(|error| BadDatabaseUrl(chain(&error)))?;
    Ok((config, words))
}

fn without_tls(url: &str) -> Result<(String, TlsWords), BadDatabaseUrl> {
    // As the driver reads it: user and password end at the first `@`, and may have a `?` in them.
    let place = url.find('@').unwrap_or_default();
    let Some((place, query)) = url
        .get(place..)
        .and_then(|rest| rest.find('?'))
        .and_then(|question| url.split_at_checked(place + question))
    else {
        return Ok((url.to_owned(), TlsWords::default()));
    };
    let mut words = TlsWords::default();
    let mut others = Vec::new();
    for parameter in query.trim_start_matches('?').split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let word = match decoded(name)?.as_str() {
            "sslmode" => &mut words.mode,
            "sslrootcert" => &mut words.roots,
            "sslcert" => &mut words.certificate,
            "sslkey" => &mut words.key,
            _ => {
                others.push(parameter);
                continue;
            }
        };
        *word = Some(decoded(value)?);
    }
    Ok((format!("{place}?{}", others.join("&")), words))
}

fn decoded(text: &str) -> Result<String, BadDatabaseUrl> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|error| BadDatabaseUrl(format!("a parameter is not UTF-8: {error}")))
}

#[cfg(test)]
mod tests {
    //! What is said about TLS is found, and nothing else is lost.

    use std::path::Path;

    use tokio_postgres::config::Host;

    use super::*;

    #[test]
    fn words_about_tls_are_decoded_and_taken_out() {
        let url = "postgres://me@db.example/keys?connect_timeout=3&ssl%6Dode=verify%2Dfull\
                   &sslrootcert=%2Fetc%2Fmy%20ca.pem&sslcert=a.pem&sslkey=b.pem&options=-c%20a%3Db";
        let (config, words) = parse(url).unwrap();
        let word = |text: &str| Some(text.to_owned());
        let expected = TlsWords {
            mode: word("verify-full"),
            roots: word("/etc/my ca.pem"),
            certificate: word("a.pem"),
            key: word("b.pem"),
        };
        assert_eq!(words, expected);
        assert_eq!(config.get_options(), Some("-c a=b"));
        assert_eq!(config.get_connect_timeout().unwrap().as_secs(), 3);
    }

    #[test]
    fn a_question_mark_in_the_password_begins_nothing() {
        let url = "postgres://me:a?sslmode=disable&b@db.example/keys?sslmode=verify-full";
        let (config, words) = parse(url).unwrap();
        assert_eq!(words.mode.as_deref(), Some("verify-full"));
        assert_eq!(config.get_password(), Some("a?sslmode=disable&b".as_bytes()));
    }

    #[test]
    fn several_hosts_and_sockets_stay() {
        let url =
            "postgres://me@a:1,[::1]:2,c/keys?sslmode=disable&target_session_attrs=read-write";
        let (config, _) = parse(url).unwrap();
        let hosts = ["a", "::1", "c"].map(|host| Host::Tcp(host.to_owned()));
        assert_eq!(config.get_hosts(), hosts);
        assert_eq!(config.get_ports(), [1, 2, 5432]);
        let (config, _) = parse("postgres://me@%2Frun%2Fpg:5433/keys?sslmode=disable").unwrap();
        assert_eq!(config.get_hosts(), [Host::Unix(Path::new("/run/pg").to_owned())]);
        let (config, _) = parse("postgres:///keys?sslmode=disable&host=/run/pg").unwrap();
        assert_eq!(config.get_hosts(), [Host::Unix(Path::new("/run/pg").to_owned())]);
    }

    #[test]
    fn no_error_repeats_the_password() {
        for url in ["postgres://me:hunter2@host:port", "postgres://me:hunter2@host?ssl=hunter2"] {
            let error = parse(url).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
