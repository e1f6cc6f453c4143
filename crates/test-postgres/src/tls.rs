//! A cluster that speaks TLS, by certificates that its test made.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, chown};

use crate::binaries::is_root;
use crate::cluster::{Cluster, NOBODY};

/// What the server shows, and whose certificates it takes; all of it PEM.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// The server's own.
    pub server: String,
    /// The private key to it.
    pub server_key: String,
    /// The authority that signs clients' certificates, for rules of `pg_hba.conf` that ask for one.
    pub clients: String,
}

impl Cluster {
    /// Starts again, and speaks TLS from then on with whoever asks for it on the loopback port.
    ///
    /// # Errors
    /// When the server does not take the certificates; its log is then on stderr.
    pub fn serve_tls(&self, certificates: &Certificates) -> anyhow::Result<()> {
        let Certificates { server, server_key, clients } = certificates;
        for (name, pem) in
            [("server.crt", server), ("server.key", server_key), ("root.crt", clients)]
        {
            let path = self.folder().join("data").join(name);
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(pem.as_bytes())?;
            if is_root() {
                chown(&path, Some(NOBODY), Some(NOBODY))?;
            }
        }
        self.psql("ALTER SYSTEM SET ssl_ca_file = 'root.crt'")?;
        self.psql("ALTER SYSTEM SET ssl = on")?;
        self.stop_immediate()?;
        self.restart()
    }
}
