//! PostgreSQL: connections, transactions, and what only this engine spells its own way.

mod connector;
mod exclusive;
mod listener;
mod migrations;
mod partitions;
mod tls;
mod url;
mod usage;

use std::time::Duration;

use deadpool::{
    Runtime,
    managed::{Object, QueueMode},
};
use diesel::{QueryResult, define_sql_function, pg::Pg, sql_types};
use diesel_async::{
    AsyncPgConnection, RunQueryDsl as _,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool::Pool,
    },
};
use tokio::time::timeout;

use crate::{
    PoolLimits,
    error::{BadDatabaseUrl, StoreError, chain},
};

use connector::{CONNECT_TIMEOUT, Connector};
pub(crate) use exclusive::Exclusive;
pub(crate) use listener::Listener;
use partitions::keep_partitions;
use usage::{ALONE, with_counts};

pub(crate) type Backend = Pg;
pub(crate) type Connection = AsyncPgConnection;
type Manager = AsyncDieselConnectionManager<Connection>;

/// How long a call may take in all. Longer than any of its statements may, so that the database's own word
/// comes first: this is for one that is silent.
const CALL_MAX: Duration = Duration::from_secs(15);

/// One looks at what changed; another finds a free one while a call to it has no answer.
const FEED_CONNECTIONS: usize = 2;

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

/// Whether a key came from one of these places: each a business's id and an external id, as a list of JSON.
macro_rules! came_from {
    ($places:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Bool>(
            "keys.external_id <> '' and (keys.business_id, keys.external_id) in \
             (select place::jsonb ->> 0, place::jsonb ->> 1 from unnest(",
        )
        .bind::<crate::schema::sql_types::TextList, _>(crate::columns::TextListColumn($places))
        .sql(") as place)")
    };
}

/// Inserts rows, as many as there are, in as few statements as take them: a statement has 65,535
/// parameters at most. The function that says so returns an error of the database as its own.
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr) => {
        for rows in $rows.chunks(1_000) {
            diesel::insert_into($table).values(rows).execute($conn).await?;
        }
    };
}

/// Runs a change in one transaction. The counter's row lock, taken first, lines changes up.
macro_rules! write_transaction {
    ($conn:ident, $body:expr) => {
        diesel_async::AsyncConnection::transaction(&mut *$conn, $body)
    };
}

/// Reads, all of it from the database as it is at one moment.
macro_rules! read_snapshot {
    ($conn:ident, $body:expr) => {
        $conn.build_transaction().repeatable_read().read_only().run($body)
    };
}

/// Loads several queries over one connection: all are sent at once.
macro_rules! load_together {
    ($conn:ident, $($query:expr),+ $(,)?) => {{
        let conn: &engine::Connection = &*$conn;
        tokio::try_join!($(async {
            let mut conn = conn;
            $query.load(&mut conn).await
        }),+)
    }};
}

/// A query whose rows others may lock in the same way, and nobody in another.
macro_rules! shared {
    ($query:expr) => {
        $query.for_share()
    };
}

/// A query whose rows nobody else may lock.
macro_rules! unshared {
    ($query:expr) => {
        $query.for_update()
    };
}

/// When a key was last used: by what is rolled up, and by the open slots.
macro_rules! last_use {
    ($open:expr) => {
        diesel::dsl::sql::<crate::schema::sql_types::Moment>(
            "coalesce((select max(used.last_time) from (
                select last_use_time as last_time from usage_last
                where usage_last.key_id = keys.key_id
                union all
                select last_time from usage_slots
                where usage_slots.key_id = keys.key_id and verdict = 1 and slot_start = any(",
        )
        .bind::<diesel::sql_types::Array<crate::schema::sql_types::Moment>, _>($open.to_vec())
        .sql(")) as used), '0001-01-01T00:00:00Z')")
    };
}

#[path = "../queries/mod.rs"]
mod queries;

/// A PostgreSQL database, through a pool of connections.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool<Connection>,
    /// For following what changes, and nothing else: writers that all wait must not make memory old.
    feed: Pool<Connection>,
    connector: Connector,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The connector holds a password.
        f.debug_struct("Database").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens nothing yet: connections come with their first use.
    pub(crate) fn new(url: &str, limits: PoolLimits) -> Result<Self, BadDatabaseUrl> {
        let connector = Connector::new(url)?;
        let feed = pool(&connector, PoolLimits { connections: FEED_CONNECTIONS, ..limits })?;
        let pool = pool(&connector, limits)?;
        Ok(Self { pool, feed, connector })
    }

    /// Who hears of changes.
    pub(crate) fn listener(&self) -> Listener {
        Listener::new(self.connector.clone())
    }

    /// Bounds a call. Whether a change that was cut off happened, nobody knows.
    pub(crate) async fn in_time<T, E: From<StoreError>>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let answer = timeout(CALL_MAX, call).await;
        answer.unwrap_or_else(|_| {
            // Who does not answer is not asked again: its connection is among those that are free now,
            // and those beside it are likely no better.
            self.pool.retain(|_, _| false);
            self.feed.retain(|_, _| false);
            Err(StoreError::Unavailable(format!("no answer in {CALL_MAX:?}")).into())
        })
    }

    async fn read(&self) -> Result<Object<Manager>, StoreError> {
        Ok(self.pool.get().await?)
    }

    async fn write(&self) -> Result<Object<Manager>, StoreError> {
        Ok(self.pool.get().await?)
    }

    async fn follow(&self) -> Result<Object<Manager>, StoreError> {
        Ok(self.feed.get().await?)
    }
}

fn pool(connector: &Connector, limits: PoolLimits) -> Result<Pool<Connection>, BadDatabaseUrl> {
    let for_setup = connector.clone();
    // The URL is the connector's alone.
    let manager = Manager::new_with_config("", {
        let mut manager = ManagerConfig::default();
        manager.recycling_method = RecyclingMethod::Fast;
        manager.custom_setup = Box::new(move |_| {
            let connector = for_setup.clone();
            Box::pin(async move { connector.connect().await })
        });
        manager
    });
    Pool::builder(manager)
        .max_size(limits.connections)
        .wait_timeout(Some(limits.wait))
        .create_timeout(Some(CONNECT_TIMEOUT))
        // The one that was used last has its statements prepared and its catalogue's caches warm.
        .queue_mode(QueueMode::Lifo)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| BadDatabaseUrl(chain(&error)))
}
