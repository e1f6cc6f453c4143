//! PostgreSQL over TLS: every connection is verified, and whatever cannot be is refused by name.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use test_postgres::{Certificates, Cluster, Options};

use crate::{client::Client, home::Home, process};

/// No other name is in the server's certificate.
const NAME: &str = "localhost";

/// An authority of the test's own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its key, as PEM.
struct Signed {
    certificate: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn signed(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Signed { certificate, key: key.serialize_pem() }
    }
}

/// A cluster on a loopback port, an authority, and a folder with what a client may be given.
struct Site {
    cluster: Cluster,
    authority: Authority,
    folder: TempDir,
}

impl Site {
    /// The cluster speaks no TLS yet.
    fn plain() -> Self {
        let cluster = Cluster::start_with(&Options { tcp: true, ..Options::default() }).unwrap();
        let site = Self {
            cluster,
            authority: Authority::new("authority"),
            folder: TempDir::new().unwrap(),
        };
        site.write("roots", &site.authority.certificate);
        site
    }

    fn tls() -> Self {
        let site = Self::plain();
        let Signed { certificate, key } = site.authority.signed(NAME);
        let certificates = Certificates {
            server: certificate,
            server_key: key,
            clients: site.authority.certificate.clone(),
        };
        site.cluster.serve_tls(&certificates).unwrap();
        site
    }

    /// A file's path.
    fn write(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A home on an empty database, reached with these parameters. `{roots}` is the file of the authority.
    fn home(&self, host: &str, parameters: &str) -> Home {
        let home = Home::on_empty_database(&self.cluster);
        let url = home.database().tcp_url().unwrap();
        let roots = self.folder.path().join("roots");
        let parameters = parameters.replace("{roots}", roots.to_str().unwrap());
        let url = url.replace("postgres@127.0.0.1", &format!("postgres:hunter2@{host}"));
        home.reached_by(format!("{url}?{parameters}"))
    }

    /// Checks that the program refuses to go on, and says all of `parts`.
    fn refuses(&self, host: &str, parameters: &str, parts: &[&str]) {
        let ended = self.home(host, parameters).run(&["migrate", "status"]);
        assert!(!ended.err.contains("hunter2"), "{}", ended.err);
        ended.failed(parts);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_every_connection_is_verified() {
    let site = Site::tls();
    let home = site.home(NAME, "sslmode=verify-full&sslrootcert={roots}");
    home.run(&["migrate", "up"]).succeeded();
    let operator_key = home.operator_key();
    let server = home.serve(&[]);
    let client = Client::new(&server, &operator_key);
    client.create_key().await.unwrap();
    let of_ours = |what: &str| {
        let of_ours = "from pg_stat_ssl join pg_stat_activity using (pid) \
                       where application_name = 'keyward' and datname = current_database()";
        home.database().psql(&format!("select {what} {of_ours}")).unwrap()
    };
    // The pool's, the lock's and the listening one.
    process::until("it listens", || of_ours("bool_or(query like '%listen%')") == "t");
    assert_eq!(of_ours("bool_and(ssl), count(*) >= 3"), "t|t");
    server.stop();
}

#[test]
fn on_postgres_whoever_cannot_be_verified_is_refused() {
    let site = Site::tls();
    let stranger = site.write("stranger", &Authority::new("stranger").certificate);
    let by_stranger = format!("sslmode=verify-full&sslrootcert={stranger}");
    site.refuses(NAME, &by_stranger, &["the database cannot be reached", "UnknownIssuer"]);
    let trusting = "sslmode=verify-full&sslrootcert={roots}";
    site.refuses("127.0.0.1", trusting, &["certificate not valid for name", "127.0.0.1"]);
    // Asking for the authority is asking for TLS, on loopback too.
    site.refuses(NAME, &format!("sslrootcert={stranger}"), &["UnknownIssuer"]);
}

#[test]
fn on_postgres_plain_text_is_no_way_out() {
    let site = Site::plain();
    let trusting = "sslmode=verify-full&sslrootcert={roots}";
    site.refuses(
        NAME,
        trusting,
        &["the database cannot be reached", "server does not support TLS"],
    );
    for mode in ["require", "prefer", "verify-ca"] {
        let refused = format!("sslmode={mode}");
        site.refuses(NAME, &refused, &["--database-url", &refused, "say sslmode=verify-full"]);
    }
    site.refuses(NAME, "sslrootcert=missing", &["sslrootcert=missing cannot be used"]);
    site.home(NAME, "sslmode=disable").run(&["migrate", "status"]).succeeded();
}

#[test]
fn on_postgres_a_server_may_ask_for_a_certificate() {
    let site = Site::tls();
    let rules = site.cluster.folder().join("data/pg_hba.conf");
    let ask = format!(
        "copy (values ('local all all trust'), ('hostssl all all all trust clientcert=verify-ca')) \
         to '{}'",
        rules.display()
    );
    let home = Home::on_empty_database(&site.cluster);
    home.database().psql(&ask).unwrap();
    site.cluster.stop_immediate().unwrap();
    site.cluster.restart().unwrap();
    let trusting = "sslmode=verify-full&sslrootcert={roots}";
    site.refuses(NAME, trusting, &["requires a valid client certificate"]);
    let Signed { certificate, key } = site.authority.signed("keyward");
    let (certificate, key) = (site.write("certificate", &certificate), site.write("key", &key));
    let shown = format!("{trusting}&sslcert={certificate}&sslkey={key}");
    site.home(NAME, &shown).run(&["migrate", "status"]).succeeded();
}
