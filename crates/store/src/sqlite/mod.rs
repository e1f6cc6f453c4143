//! SQLite: one file, one writer and a few readers, and what only this engine spells its own way.

mod exclusive;
mod migrations;
mod usage;

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use deadpool::{Runtime, managed::Object};
use diesel::{
    ConnectionError, ExpressionMethods as _, QueryResult, QueryableByName, define_sql_function,
    sql_query, sql_types, sqlite::Sqlite,
};
use diesel_async::{
    AsyncConnection as _, RunQueryDsl as _, SimpleAsyncConnection as _,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool::Pool,
    },
    sync_connection_wrapper::SyncConnectionWrapper,
};

use crate::{
    PoolLimits,
    error::{StoreError, chain},
    schema::change_counter,
};

pub(crate) use exclusive::Exclusive;
use usage::{ALONE, keep_partitions, list, with_counts};

pub(crate) type Backend = Sqlite;
pub(crate) type Connection = SyncConnectionWrapper<diesel::SqliteConnection>;
type Manager = AsyncDieselConnectionManager<Connection>;

/// The database's file in its folder.
const FILE: &str = "keyward.db";
/// Waiting comes before anything that may have to wait; `full`: a commit survives a power cut.
const SESSION: &str = "pragma busy_timeout = 5000; pragma journal_mode = wal; \
                       pragma synchronous = full; pragma foreign_keys = on;";
/// A reader's mistake must not become a write.
const READER: &str = "pragma query_only = on;";

define_sql_function! {
    /// Where `part` begins in `text`, from 1; 0 where it does not.
    #[sql_name = "instr"]
    fn position(text: sql_types::Text, part: sql_types::Text) -> sql_types::Integer;
}

define_sql_function! {
    /// Known to Keyward's own connections only: the triggers call it, so that nobody else writes.
    fn keyward_writes() -> sql_types::Bool;
}

async fn next_revision(conn: &mut Connection) -> QueryResult<i64> {
    diesel::update(change_counter::table)
        .set(change_counter::rev.eq(change_counter::rev + 1))
        .returning(change_counter::rev)
        .get_result(conn)
        .await
}

/// Whether a key's list of scopes has this name in it.
macro_rules! holds_scope {
    ($name:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Bool>(
            "exists (select 1 from json_each(keys.scopes) where value = ",
        )
        .bind::<diesel::sql_types::Text, _>($name.to_owned())
        .sql(")")
    };
}

/// Whether a key's list of scopes has any of these names in it.
macro_rules! holds_any_scope {
    ($names:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Bool>(
            "exists (select 1 from json_each(keys.scopes) where value in \
             (select value from json_each(",
        )
        .bind::<crate::schema::sql_types::TextList, _>(crate::columns::TextListColumn($names))
        .sql(")))")
    };
}

/// Whether a key came from one of these places: each a business's id and an external id, as a list of JSON.
macro_rules! came_from {
    ($places:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Bool>(
            "keys.external_id <> '' and (keys.business_id, keys.external_id) in \
             (select value ->> 0, value ->> 1 from json_each(",
        )
        .bind::<crate::schema::sql_types::TextList, _>(crate::columns::TextListColumn($places))
        .sql("))")
    };
}

/// Inserts rows, as many as there are: one statement, prepared once, for each. The function that says
/// so returns an error of the database as its own.
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr) => {
        for row in $rows {
            diesel::insert_into($table).values(row).execute($conn).await?;
        }
    };
}

/// Runs a change in one transaction. `immediate`: the write lock is taken first, so that no
/// transaction ever finds the database locked half-way.
macro_rules! write_transaction {
    ($conn:ident, $body:expr) => {
        $conn.immediate_transaction($body)
    };
}

/// Reads, all of it from the database as it is at one moment.
macro_rules! read_snapshot {
    ($conn:ident, $body:expr) => {
        diesel_async::AsyncConnection::transaction(&mut *$conn, $body)
    };
}

/// Loads several queries over one connection.
macro_rules! load_together {
    ($conn:ident, $($query:expr),+ $(,)?) => {
        async { QueryResult::Ok(($($query.load(&mut *$conn).await?),+)) }.await
    };
}

/// A query whose rows nobody may lock in another way: there is one writer.
macro_rules! shared {
    ($query:expr) => {
        $query
    };
}

/// A query whose rows nobody else may lock: there is one writer.
macro_rules! unshared {
    ($query:expr) => {
        $query
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
                where usage_slots.key_id = keys.key_id and verdict = 1
                    and slot_start in (select value from json_each(",
        )
        .bind::<diesel::sql_types::Text, _>(engine::list(&$open))
        .sql("))) as used), -62135596800000000)")
    };
}

#[path = "../queries/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "one text, compiled once for each engine")]
mod queries;

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = sql_types::BigInt)]
    version: i64,
}

/// A SQLite database: one writer, which is fair, and a pool of readers beside it.
#[derive(Clone)]
pub(crate) struct Database {
    folder: PathBuf,
    writer: Pool<Connection>,
    readers: Pool<Connection>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens nothing yet: connections come with their first use.
    pub(crate) fn new(folder: &Path, limits: PoolLimits) -> Result<Self, StoreError> {
        let file = folder.join(FILE);
        let file = file.to_str().ok_or_else(|| {
            StoreError::Unavailable(format!("the path {} is not UTF-8", file.display()))
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            writer: pool(file, "", PoolLimits { connections: 1, ..limits })?,
            readers: pool(file, READER, limits)?,
        })
    }

    /// Differs from what it was where anybody else wrote to the file meanwhile.
    pub(crate) async fn foreign_writes(&self) -> Result<i64, StoreError> {
        let mut conn = self.write().await?;
        let version = sql_query("select data_version as version from pragma_data_version");
        let Version { version } = version.get_result(&mut conn).await?;
        Ok(version)
    }

    async fn read(&self) -> Result<Object<Manager>, StoreError> {
        Ok(self.readers.get().await?)
    }

    async fn follow(&self) -> Result<Object<Manager>, StoreError> {
        self.read().await
    }

    async fn write(&self) -> Result<Object<Manager>, StoreError> {
        Ok(self.writer.get().await?)
    }
}

fn pool(
    file: &str,
    extra: &'static str,
    limits: PoolLimits,
) -> Result<Pool<Connection>, StoreError> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |file| {
        let file = file.to_owned();
        Box::pin(async move {
            // SQLite gives its other files the rights of this one.
            let private = OpenOptions::new().create(true).append(true).mode(0o600).open(&file);
            private.map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
            let mut conn = Connection::establish(&file).await?;
            let settings = format!("{SESSION}{extra}");
            let bad =
                |error: diesel::result::Error| ConnectionError::BadConnection(error.to_string());
            conn.batch_execute(&settings).await.map_err(bad)?;
            let known = |conn: &mut _| keyward_writes_utils::register_impl(conn, || true);
            conn.spawn_blocking(known).await.map_err(bad)?;
            Ok(conn)
        })
    });
    Pool::builder(Manager::new_with_config(file, config))
        .max_size(limits.connections)
        .wait_timeout(Some(limits.wait))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| StoreError::Unavailable(chain(&error)))
}

#[cfg(test)]
mod tests {
    //! What every connection is set to.

    use std::time::Duration;

    use super::*;

    #[derive(QueryableByName)]
    struct Settings {
        #[diesel(sql_type = sql_types::BigInt)]
        synchronous: i64,
        #[diesel(sql_type = sql_types::Text)]
        journal: String,
        #[diesel(sql_type = sql_types::BigInt)]
        foreign_keys: i64,
    }

    /// Without it a commit would only be on its way to the disk when it is acknowledged.
    #[tokio::test]
    async fn a_commit_is_synced() {
        let folder = tempfile::tempdir().unwrap();
        let limits = PoolLimits { connections: 1, wait: Duration::from_secs(30) };
        let database = Database::new(folder.path(), limits).unwrap();
        for mut conn in [database.write().await.unwrap(), database.read().await.unwrap()] {
            let settings = sql_query(
                "select synchronous, journal_mode as journal, foreign_keys
                 from pragma_synchronous, pragma_journal_mode, pragma_foreign_keys",
            );
            let Settings { synchronous, journal, foreign_keys } =
                settings.get_result(&mut conn).await.unwrap();
            // 2 is FULL.
            assert_eq!((synchronous, journal.as_str(), foreign_keys), (2, "wal", 1));
        }
    }
}
