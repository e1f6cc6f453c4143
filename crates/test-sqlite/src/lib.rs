//! A SQLite file as another program sees it, for tests of programs that never see SQL themselves.

use std::path::Path;

use anyhow::Context as _;
use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _, sql_query, sql_types::Text,
};
// Linked, and with it the bundled SQLite.
use libsqlite3_sys as _;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Runs statements.
///
/// # Errors
/// What SQLite says.
pub fn execute(file: &Path, sql: &str) -> anyhow::Result<()> {
    Ok(session(file)?.batch_execute(sql)?)
}

/// The rows of a query, in a session that writes nothing. It selects one text, and calls it `line`.
///
/// # Errors
/// What SQLite says.
pub fn lines(file: &Path, sql: &str) -> anyhow::Result<Vec<String>> {
    let mut session = session(file)?;
    session.batch_execute("pragma query_only = on")?;
    let rows = sql_query(sql).load(&mut session).with_context(|| sql.to_owned())?;
    Ok(rows.into_iter().map(|Row { line }| line).collect())
}

fn session(file: &Path) -> anyhow::Result<SqliteConnection> {
    let file = file.to_str().context("the path is no text")?;
    let mut session = SqliteConnection::establish(file)?;
    session.batch_execute("pragma busy_timeout = 5000")?;
    Ok(session)
}
