//! SQLite's migrations, embedded. The folder's lock keeps other processes away meanwhile.

use diesel::{migration::MigrationSource, sqlite::SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Backend, Database};
use crate::{error::StoreError, migrations::MigrationStatus};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

impl Database {
    pub(crate) async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        self.blocking(|conn| {
            let run = conn.run_pending_migrations(MIGRATIONS)?;
            Ok(run.iter().map(ToString::to_string).collect())
        })
        .await
    }

    pub(crate) async fn migration_status(&self) -> Result<MigrationStatus, StoreError> {
        self.blocking(|conn| {
            let ours = MigrationSource::<Backend>::migrations(&MIGRATIONS)?;
            MigrationStatus::compare(
                ours.iter().map(|migration| migration.name().version().to_string()),
                conn.applied_migrations()?.iter().map(ToString::to_string).collect(),
            )
        })
        .await
    }

    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> diesel::migration::Result<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        let mut conn = self.write().await?;
        // The wrapper wants a query's error; the harness's own travels inside the value.
        let done = conn.spawn_blocking(|conn| Ok(work(conn).map_err(|error| error.to_string())));
        done.await?.map_err(StoreError::Query)
    }
}
