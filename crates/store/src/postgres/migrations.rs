//! PostgreSQL's migrations, embedded. Any number of processes may run them at once: an advisory lock
//! lines them up, since concurrent DDL fails in the system catalogues.

use diesel::{QueryableByName, RunQueryDsl as _, migration::MigrationSource, sql_query, sql_types};
use diesel_async::{SimpleAsyncConnection as _, async_connection_wrapper::AsyncConnectionWrapper};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Backend, Connection, Database};
use crate::{error::StoreError, migrations::MigrationStatus};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
/// Waits for the advisory lock that lines migrating processes up, and holds it until the session ends.
const LOCK: &str = "set statement_timeout = 0; set lock_timeout = 0; \
                    select pg_advisory_lock(hashtext('keyward migrations'))";
/// Whether anything was ever migrated. Asking must not create the table: a read-only role may ask.
const WAS_MIGRATED: &str = "select to_regclass('__diesel_schema_migrations') is not null as yes";

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = sql_types::Bool)]
    yes: bool,
}

impl Database {
    pub(crate) async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let mut conn = self.connector.connect().await?;
        conn.batch_execute(LOCK).await?;
        blocking(conn, |conn| {
            let run = conn.run_pending_migrations(MIGRATIONS)?;
            Ok(run.iter().map(ToString::to_string).collect())
        })
        .await
    }

    pub(crate) async fn migration_status(&self) -> Result<MigrationStatus, StoreError> {
        let conn = self.connector.connect().await?;
        blocking(conn, |conn| {
            let ours = MigrationSource::<Backend>::migrations(&MIGRATIONS)?;
            MigrationStatus::compare(
                ours.iter().map(|migration| migration.name().version().to_string()),
                applied(conn)?,
            )
        })
        .await
    }
}

/// What has been applied.
fn applied(
    conn: &mut AsyncConnectionWrapper<Connection>,
) -> diesel::migration::Result<Vec<String>> {
    let Answer { yes: was_migrated } = sql_query(WAS_MIGRATED).get_result(conn)?;
    if !was_migrated {
        return Ok(Vec::new());
    }
    Ok(conn.applied_migrations()?.iter().map(ToString::to_string).collect())
}

async fn blocking<R: Send + 'static>(
    conn: Connection,
    work: impl FnOnce(&mut AsyncConnectionWrapper<Connection>) -> diesel::migration::Result<R>
    + Send
    + 'static,
) -> Result<R, StoreError> {
    let work = move || work(&mut AsyncConnectionWrapper::from(conn));
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| StoreError::Query(error.to_string())),
        Err(error) => Err(StoreError::Query(error.to_string())),
    }
}
