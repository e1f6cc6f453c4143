//! The one way to a session, whatever it is for: the same limits, the same keepalives, and the same
//! TLS. Every connection of the store comes from here.

use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::SimpleAsyncConnection as _;
use tokio_postgres::{Client, Config, Socket, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Connection, tls, url};
use crate::error::{BadDatabaseUrl, chain};

/// What moves a session's messages, for as long as it is polled.
pub(super) type Driver =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// How long a connection may take to come about.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one host may take to be reached: a URL may name several.
const HOST_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the other side may leave what was sent to it unacknowledged.
const PEER_TIMEOUT: Duration = Duration::from_secs(10);
/// After so much silence it is asked whether it lives, so often, so many times.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_RETRIES: u32 = 3;
/// What every session is set to: no statement and no wait for a lock outlasts the patience of a
/// caller. A change waits longer for its lock than a forgotten transaction may hold it (5 s).
pub(super) const SESSION: &str = "set statement_timeout = '10s'; set lock_timeout = '7s'; \
    set idle_in_transaction_session_timeout = '10s'; set time zone 'UTC';";

/// Where the database is, and how it is spoken to.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Connector {
    /// Reads what the URL names, and connects to nothing yet.
    pub(super) fn new(url: &str) -> Result<Self, BadDatabaseUrl> {
        let (mut config, words) = url::parse(url)?;
        let tls = tls::set_up(&words, &mut config)?;
        config.application_name("keyward").connect_timeout(HOST_TIMEOUT);
        // A peer that vanishes without a word is noticed, and not after the hours that TCP would take.
        config
            .tcp_user_timeout(PEER_TIMEOUT)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES);
        Ok(Self { config, tls })
    }

    /// A session of its own, set up like every other.
    pub(super) async fn connect(&self) -> ConnectionResult<Connection> {
        let bad = |error: &dyn std::error::Error| ConnectionError::BadConnection(chain(error));
        // Boxed: with TLS in it, it is too large to lie in whatever waits for it.
        in_time(Box::pin(async {
            let (client, driver) = self.open().await.map_err(|error| bad(&error))?;
            let mut session = Connection::try_from_client_and_connection(client, driver).await?;
            session.batch_execute(SESSION).await.map_err(|error| bad(&error))?;
            Ok(session)
        }))
        .await
    }

    /// A session whose messages its owner moves; nothing is set up yet.
    pub(super) async fn open(&self) -> Result<(Client, Driver), tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }
}

/// The driver bounds reaching a host, and not how long the host is then silent.
async fn in_time<T>(connect: impl Future<Output = ConnectionResult<T>>) -> ConnectionResult<T> {
    let late = || ConnectionError::BadConnection(format!("no answer in {CONNECT_TIMEOUT:?}"));
    tokio::time::timeout(CONNECT_TIMEOUT, connect).await.unwrap_or_else(|_| Err(late()))
}
