//! PostgreSQL: connections, transactions, and what only this engine spells its own way.

mod exclusive;
mod migrations;

use std::time::Duration;

use deadpool::{Runtime, managed::Object};
use diesel::{
    ConnectionError, ConnectionResult, QueryResult, define_sql_function, pg::Pg, sql_types,
};
use diesel_async::{
    AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool::Pool,
    },
};
use tokio_postgres::{Config, NoTls};

use crate::{
    PoolLimits,
    error::{StoreError, chain},
};

pub(crate) use exclusive::Exclusive;

pub(crate) type Backend = Pg;
pub(crate) type Connection = AsyncPgConnection;
type Manager = AsyncDieselConnectionManager<Connection>;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
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
const SESSION: &str = "set statement_timeout = '10s'; set lock_timeout = '7s'; \
                       set idle_in_transaction_session_timeout = '10s'; set time zone 'UTC'";

define_sql_function! {
    /// Where `part` begins in `text`, from 1; 0 where it does not.
    #[sql_name = "strpos"]
    fn position(text: sql_types::Text, part: sql_types::Text) -> sql_types::Integer;
}

define_sql_function! {
    /// Takes the next revision for this transaction; the triggers stamp rows with it.
    fn keyward_next_revision() -> sql_types::BigInt;
}

async fn next_revision(conn: &mut Connection) -> QueryResult<i64> {
    diesel::select(keyward_next_revision()).get_result(conn).await
}

/// Whether a key's list of scopes has this name in it.
macro_rules! holds_scope {
    ($name:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Bool>("keys.scopes @> array[")
            .bind::<diesel::sql_types::Text, _>($name.to_owned())
            .sql("]")
    };
}

/// Whether a key's list of scopes has any of these names in it.
macro_rules! holds_any_scope {
    ($names:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Bool>("keys.scopes && ")
            .bind::<crate::schema::sql_types::TextList, _>(crate::columns::TextListColumn($names))
    };
}

/// Inserts rows, as many as there are, in one statement. The function that says so returns an error
/// of the database as its own.
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr) => {
        if !$rows.is_empty() {
            diesel::insert_into($table).values($rows).execute($conn).await?;
        }
    };
}

/// Runs a change in one transaction. The counter's row lock, taken first, lines changes up.
macro_rules! write_transaction {
    ($conn:ident, $body:expr) => {
        diesel_async::AsyncConnection::transaction(&mut *$conn, $body)
    };
}

#[path = "../queries/mod.rs"]
mod queries;

/// A PostgreSQL database, through a pool of connections.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool<Connection>,
    config: Config,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The configuration holds a password.
        f.debug_struct("Database").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens nothing yet: connections come with their first use.
    pub(crate) fn new(url: &str, limits: PoolLimits) -> Result<Self, StoreError> {
        let unavailable = |error: &dyn std::error::Error| StoreError::Unavailable(chain(error));
        let mut config: Config = url.parse().map_err(|error| unavailable(&error))?;
        config.application_name("keyward").connect_timeout(HOST_TIMEOUT);
        // A peer that vanishes without a word is noticed, and not after the hours that TCP would take.
        config
            .tcp_user_timeout(PEER_TIMEOUT)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES);
        let for_setup = config.clone();
        let manager = Manager::new_with_config(url, {
            let mut manager = ManagerConfig::default();
            manager.recycling_method = RecyclingMethod::Fast;
            manager.custom_setup = Box::new(move |_| {
                let config = for_setup.clone();
                Box::pin(async move { connect(&config).await })
            });
            manager
        });
        let pool = Pool::builder(manager)
            .max_size(limits.connections)
            .wait_timeout(Some(limits.wait))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| unavailable(&error))?;
        Ok(Self { pool, config })
    }

    async fn read(&self) -> Result<Object<Manager>, StoreError> {
        Ok(self.pool.get().await?)
    }

    async fn write(&self) -> Result<Object<Manager>, StoreError> {
        Ok(self.pool.get().await?)
    }
}

/// A session of its own, set up like every other.
async fn connect(config: &Config) -> ConnectionResult<Connection> {
    // The driver bounds reaching a host, and not how long the host is then silent.
    match tokio::time::timeout(CONNECT_TIMEOUT, connect_unbounded(config)).await {
        Ok(session) => session,
        Err(_) => Err(ConnectionError::BadConnection(format!("no answer in {CONNECT_TIMEOUT:?}"))),
    }
}

async fn connect_unbounded(config: &Config) -> ConnectionResult<Connection> {
    let bad = |error: &dyn std::error::Error| ConnectionError::BadConnection(chain(error));
    let (client, connection) = config.connect(NoTls).await.map_err(|error| bad(&error))?;
    let mut session = Connection::try_from_client_and_connection(client, connection).await?;
    session.batch_execute(SESSION).await.map_err(|error| bad(&error))?;
    Ok(session)
}
