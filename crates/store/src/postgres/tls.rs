//! Whom the database's connections trust. TLS here means that the server's certificate and name are
//! verified; there is nothing between that and plain text, and never a way from one to the other.

use std::{net::IpAddr, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    client::WantsClientCert,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::TlsWords;
use crate::error::{BadDatabaseUrl, chain};

type Builder = rustls::ConfigBuilder<ClientConfig, WantsClientCert>;

/// Tells the driver whether it speaks TLS, and makes what it does so with.
pub(super) fn set_up(
    words: &TlsWords,
    config: &mut Config,
) -> Result<MakeRustlsConnect, BadDatabaseUrl> {
    if is_asked_for(words, config)? {
        config.ssl_mode(SslMode::Require);
        let builder = trusting(roots(words.roots.as_deref())?)?;
        return Ok(MakeRustlsConnect::new(presenting(builder, words)?));
    }
    config.ssl_mode(SslMode::Disable);
    if !stays_here(config) {
        tracing::warn!("plain text to a database on another machine, as sslmode=disable says");
    }
    // Never used; if it were, it would trust nobody.
    let nobody = trusting(RootCertStore::empty())?.with_no_client_auth();
    Ok(MakeRustlsConnect::new(nobody))
}

/// Whether the URL asks for TLS; what it must not ask for is an error.
fn is_asked_for(words: &TlsWords, config: &Config) -> Result<bool, BadDatabaseUrl> {
    const RIGHT: &str = "say sslmode=verify-full, with sslrootcert=<file> unless the system trusts \
                         the server's certificate, or sslmode=disable for plain text";
    let TlsWords { mode, roots, certificate, key } = words;
    let wrong = |why: &str| Err(BadDatabaseUrl(format!("{why}; {RIGHT}")));
    let asked = match mode.as_deref() {
        Some("verify-full") => true,
        Some("disable") => false,
        Some("allow") => return wrong("sslmode=allow may end in plain text"),
        Some("prefer") => return wrong("sslmode=prefer may end in plain text"),
        Some("require") => return wrong("sslmode=require does not check whom it talks to"),
        Some("verify-ca") => return wrong("sslmode=verify-ca does not check the server's name"),
        // Not repeated: where a URL was written wrongly, this may be anything.
        Some(_) => return wrong("there is no such sslmode"),
        None => roots.is_some() || certificate.is_some() || key.is_some() || !stays_here(config),
    };
    let unnamed = |host: &Host| matches!(host, Host::Unix(_));
    let hosts = config.get_hosts();
    if asked && (hosts.is_empty() || hosts.iter().any(unnamed)) {
        return Err(BadDatabaseUrl(
            "TLS needs a host with a name to verify, which a Unix socket is not, nor a hostaddr \
             alone; name the host, or say sslmode=disable"
                .to_owned(),
        ));
    }
    Ok(asked)
}

/// Whether no connection can leave this machine.
fn stays_here(config: &Config) -> bool {
    // Where both are given, it is the address that is connected to.
    let addresses = config.get_hostaddrs();
    if !addresses.is_empty() {
        return addresses.iter().all(IpAddr::is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
        Host::Unix(_) => true,
    })
}

/// The authorities to trust: those in a file, or the system's.
fn roots(file: Option<&str>) -> Result<RootCertStore, BadDatabaseUrl> {
    let mut roots = RootCertStore::empty();
    let file = match file {
        None | Some("system") => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err(BadDatabaseUrl(format!(
                    "the system has no certificates to trust ({:?}); name a file in sslrootcert",
                    found.errors
                )));
            }
            return Ok(roots);
        }
        Some(file) => file,
    };
    for certificate in certificates("sslrootcert", file)? {
        roots.add(certificate).map_err(|error| unusable("sslrootcert", file, &error))?;
    }
    Ok(roots)
}

fn trusting(roots: RootCertStore) -> Result<Builder, BadDatabaseUrl> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| BadDatabaseUrl(chain(&error)))?;
    Ok(builder.with_root_certificates(roots))
}

/// With the certificate that the server is shown, if there is one.
fn presenting(builder: Builder, words: &TlsWords) -> Result<ClientConfig, BadDatabaseUrl> {
    match (&words.certificate, &words.key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(certificate), Some(key)) => {
            let chain = certificates("sslcert", certificate)?;
            let secret = PrivateKeyDer::from_pem_file(key);
            let secret = secret.map_err(|error| unusable("sslkey", key, &error))?;
            builder
                .with_client_auth_cert(chain, secret)
                .map_err(|error| unusable("sslcert", certificate, &error))
        }
        (Some(_), None) | (None, Some(_)) => {
            Err(BadDatabaseUrl("sslcert and sslkey go together: give both or neither".to_owned()))
        }
    }
}

/// The certificates in a file, of which there is at least one.
fn certificates(
    parameter: &str,
    file: &str,
) -> Result<Vec<CertificateDer<'static>>, BadDatabaseUrl> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| unusable(parameter, file, &error))?;
    if read.is_empty() {
        return Err(unusable(parameter, file, &pem::Error::NoItemsFound));
    }
    Ok(read)
}

fn unusable(parameter: &str, file: &str, error: &dyn std::error::Error) -> BadDatabaseUrl {
    BadDatabaseUrl(format!("{parameter}={file} cannot be used: {}", chain(error)))
}

#[cfg(test)]
mod tests {
    //! The policy, URL by URL.

    use super::{super::url, *};

    /// Whether TLS is spoken, or why nothing is.
    fn asked(rest: &str) -> Result<bool, String> {
        let (config, words) = url::parse(&format!("postgres://me@{rest}")).unwrap();
        is_asked_for(&words, &config).map_err(|error| error.to_string())
    }

    #[test]
    fn another_machine_is_verified_unless_plain_text_is_asked_for() {
        for host in ["db.example", "10.0.0.1", "[fd00::1]", "localhost,db.example"] {
            assert_eq!(asked(host), Ok(true), "{host}");
            assert_eq!(asked(&format!("{host}/k?sslmode=verify-full")), Ok(true), "{host}");
            assert_eq!(asked(&format!("{host}/k?sslmode=disable")), Ok(false), "{host}");
        }
        assert_eq!(asked("localhost/k?hostaddr=10.0.0.1"), Ok(true));
    }

    #[test]
    fn this_machine_is_plain_unless_tls_is_asked_for() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert_eq!(asked(host), Ok(false), "{host}");
            for word in ["sslmode=verify-full", "sslrootcert=a", "sslcert=a", "sslkey=a"] {
                assert_eq!(asked(&format!("{host}/k?{word}")), Ok(true), "{host} {word}");
            }
        }
        assert_eq!(asked("%2Frun%2Fpg/k"), Ok(false));
        assert_eq!(asked("db.example/k?hostaddr=127.0.0.1"), Ok(false));
    }

    #[test]
    fn whatever_verifies_less_is_refused_on_every_host() {
        for (mode, why) in [
            ("allow", "plain text"),
            ("prefer", "plain text"),
            ("require", "does not check whom it talks to"),
            ("verify-ca", "does not check the server's name"),
            ("verify_full", "no such sslmode"),
            ("", "no such sslmode"),
        ] {
            for host in ["db.example", "localhost", "%2Frun%2Fpg"] {
                let refused = asked(&format!("{host}/k?sslmode={mode}")).unwrap_err();
                assert!(refused.contains(why) && refused.contains("say sslmode=verify-full"));
            }
        }
    }

    #[test]
    fn what_has_no_name_cannot_be_verified() {
        for url in [
            "%2Frun%2Fpg/k?sslmode=verify-full",
            "%2Frun%2Fpg,db.example/k",
            "/k?hostaddr=10.0.0.1",
        ] {
            assert!(asked(url).unwrap_err().contains("a name to verify"), "{url}");
        }
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let [missing, empty, garbage] = ["missing", "empty", "garbage"]
            .map(|name| folder.path().join(name).to_str().unwrap().to_owned());
        std::fs::write(&empty, "").unwrap();
        let begin = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        std::fs::write(&garbage, begin).unwrap();
        for file in [&missing, &empty, &garbage] {
            let refused = roots(Some(file)).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("sslrootcert={file} cannot be used: ")));
        }
        let (mut config, words) = url::parse("postgres://me@db.example/k?sslcert=a").unwrap();
        let refused = set_up(&words, &mut config).map(drop).unwrap_err().to_string();
        assert!(refused.contains("go together"), "{refused}");
    }
}
