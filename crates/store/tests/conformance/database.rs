//! A database of its own for each test, and the way to it past the store.

use std::{path::PathBuf, time::Duration};

use diesel::{
    Connection as _, QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _, sql_query, sql_types::Text,
};
use keyward_store::{PoolLimits, Store};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Patient: what a test waits for is never a free connection.
const LIMITS: PoolLimits = PoolLimits { connections: 8, wait: Duration::from_secs(30) };

/// A database, gone with this value.
pub(crate) struct Database {
    pub(crate) store: Store,
    place: Place,
}

enum Place {
    Sqlite(TempDir),
    Postgres(test_postgres::Database),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Database {
    pub(crate) async fn sqlite() -> Self {
        let empty = Self::empty(Place::Sqlite(tempfile::tempdir().unwrap()));
        empty.store.migrate().await.unwrap();
        empty
    }

    pub(crate) async fn postgres() -> Self {
        static TEMPLATE: OnceCell<test_postgres::Database> = OnceCell::const_new();
        let template = TEMPLATE
            .get_or_init(async || {
                let template = test_postgres::shared().create_database().unwrap();
                Store::postgres(&template.url(), LIMITS).unwrap().migrate().await.unwrap();
                template
            })
            .await;
        let copy = test_postgres::shared().create_database_from(template).unwrap();
        Self::empty(Place::Postgres(copy))
    }

    /// A database on the same engine that was never migrated.
    pub(crate) fn unmigrated(&self) -> Self {
        Self::empty(match self.place {
            Place::Sqlite(_) => Place::Sqlite(tempfile::tempdir().unwrap()),
            Place::Postgres(_) => {
                Place::Postgres(test_postgres::shared().create_database().unwrap())
            }
        })
    }

    /// Another store on the same database, as another process has one.
    pub(crate) fn other_store(&self) -> Store {
        self.place.open()
    }

    /// The same database without its store: on PostgreSQL, gone; on SQLite, without its folder.
    pub(crate) fn destroyed(self) -> Store {
        self.place.open()
    }

    /// Whichever of the two belongs to this engine.
    pub(crate) fn either<T>(&self, sqlite: T, postgres: T) -> T {
        match self.place {
            Place::Sqlite(_) => sqlite,
            Place::Postgres(_) => postgres,
        }
    }

    /// Where PostgreSQL has it.
    pub(crate) fn url(&self) -> String {
        match &self.place {
            Place::Postgres(database) => database.url(),
            Place::Sqlite(folder) => panic!("SQLite has no URL: {}", folder.path().display()),
        }
    }

    /// Runs statements past the store; the error is the engine's own text. On SQLite they are forced:
    /// its triggers let nobody but the store write.
    pub(crate) fn execute(&self, sql: &str) -> Result<(), String> {
        match &self.place {
            Place::Sqlite(folder) => {
                without_triggers(&mut session(folder), sql).map_err(|error| error.to_string())
            }
            Place::Postgres(database) => {
                database.psql(sql).map(drop).map_err(|error| error.to_string())
            }
        }
    }

    /// As `execute`, and forgets what was done.
    pub(crate) fn try_out(&self, sql: &str) -> Result<(), String> {
        match &self.place {
            Place::Sqlite(folder) => {
                let mut session = session(folder);
                session.begin_test_transaction().unwrap();
                without_triggers(&mut session, sql).map_err(|error| error.to_string())
            }
            Place::Postgres(_) => self.execute(&format!("begin;{sql};rollback")),
        }
    }

    /// Runs a migration's script as it stands.
    pub(crate) fn run_script(&self, sql: &str) -> Result<(), String> {
        match &self.place {
            Place::Sqlite(folder) => {
                session(folder).batch_execute(sql).map_err(|error| error.to_string())
            }
            Place::Postgres(_) => self.execute(sql),
        }
    }

    /// The rows of a query past the store. It selects one text, and calls it `line`.
    pub(crate) fn lines(&self, sql: &str) -> Vec<String> {
        match &self.place {
            Place::Sqlite(folder) => {
                let rows = sql_query(sql).load(&mut session(folder)).unwrap();
                rows.into_iter().map(|Row { line }| line).collect()
            }
            Place::Postgres(database) => {
                database.psql(sql).unwrap().lines().map(str::to_owned).collect()
            }
        }
    }

    /// The folder of this engine's migrations.
    pub(crate) fn migrations(&self) -> PathBuf {
        let all = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations"));
        all.join(self.either("sqlite", "postgres"))
    }

    fn empty(place: Place) -> Self {
        Self { store: place.open(), place }
    }
}

impl Place {
    fn open(&self) -> Store {
        match self {
            Self::Sqlite(folder) => Store::sqlite(folder.path(), LIMITS).unwrap(),
            Self::Postgres(database) => Store::postgres(&database.url(), LIMITS).unwrap(),
        }
    }
}

fn session(folder: &TempDir) -> SqliteConnection {
    let file = folder.path().join("keyward.db");
    let mut session = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    session.batch_execute("pragma busy_timeout = 5000; pragma foreign_keys = on").unwrap();
    session
}

/// Runs statements while the triggers are away; a failure leaves everything as it was.
fn without_triggers(session: &mut SqliteConnection, sql: &str) -> QueryResult<()> {
    let of_triggers = |what: &str| {
        format!("select {what} as line from sqlite_master where type = 'trigger' order by name")
    };
    session.transaction(|session| {
        let away: Vec<Row> = sql_query(of_triggers("'drop trigger ' || name")).load(session)?;
        let back: Vec<Row> = sql_query(of_triggers("sql")).load(session)?;
        let script =
            |rows: Vec<Row>| rows.into_iter().map(|row| row.line + ";").collect::<String>();
        session.batch_execute(&script(away))?;
        session.batch_execute(sql)?;
        session.batch_execute(&script(back))
    })
}
