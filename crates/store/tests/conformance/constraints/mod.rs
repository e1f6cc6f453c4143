//! Each constraint of the migrations is violated once, past the store, and refuses; a row that
//! obeys it is taken.

use std::collections::BTreeSet;

mod cases;
mod rows;
mod usage_cases;

use self::{
    cases::{CASES, Case},
    rows::ROWS,
    usage_cases::USAGE_CASES,
};
use crate::{database::Database, schema};

on_each_engine![each_constraint_refuses_what_violates_it, each_required_column_refuses_null,];

async fn each_constraint_refuses_what_violates_it(db: Database) {
    for Case { table, bad, good, postgres, sqlite } in CASES.iter().chain(&USAGE_CASES) {
        let Some(telling) = db.either(Some(*sqlite), *postgres) else { continue };
        let refused = insert_beside(&db, table, bad).unwrap_err();
        // A partitioned table's key is told of by its partition's name.
        let refused = refused.replace("_default_pkey", "_pkey");
        assert!(refused.contains(telling), "{table}, {bad:?}: {refused}");
        insert_beside(&db, table, good).unwrap();
    }
    // Their one row is all there can be: it stands in `ROWS`.
    for table in ["change_counter", "serving", "usage_progress"] {
        let same = format!("UNIQUE constraint failed: {table}.id");
        let other = "CHECK constraint failed: id = 1".to_owned();
        for (id, telling) in [
            ("1", db.either(same, format!("{table}_pkey"))),
            ("2", db.either(other, format!("{table}_id_check"))),
        ] {
            let refused = insert_beside(&db, table, &[("id", id)]).unwrap_err();
            assert!(refused.contains(&telling), "{table} {id}: {refused}");
        }
    }
}

/// No constraint lacks a case.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_has_no_other_constraint() {
    let named = Database::postgres().await.lines(
        "select conname as line from pg_constraint
         where connamespace = 'public'::regnamespace and contype <> 'n'
             and conrelid <> '__diesel_schema_migrations'::regclass
             and conrelid not in (select oid from pg_class where relispartition)",
    );
    let cases = CASES.iter().chain(&USAGE_CASES).filter_map(|case| case.postgres);
    let mut cases: BTreeSet<&str> = cases
        .chain(["change_counter_pkey", "change_counter_id_check"])
        .chain(["serving_pkey", "serving_id_check"])
        .chain(["usage_progress_pkey", "usage_progress_id_check"])
        .collect();
    // Indexes, as only an index can be partial.
    for index in [
        "secrets_one_current",
        "secrets_one_a_generation",
        "keys_by_external_id",
        "access_grants_one_live",
    ] {
        assert!(cases.remove(index));
    }
    assert_eq!(named.iter().map(String::as_str).collect::<BTreeSet<_>>(), cases);
}

async fn each_required_column_refuses_null(db: Database) {
    // To SQLite, null is the next number in these; PostgreSQL's triggers stamp those.
    let numbered =
        db.either(
            &[
                "change_counter.id",
                "pepper_checks.pepper_version",
                "serving.id",
                "usage_progress.id",
            ][..],
            &["businesses.rev", "keys.rev", "scopes.rev", "secrets.rev"][..],
        );
    let columns = schema::of(&db).columns;
    let required = columns.iter().filter_map(|line| line.strip_suffix(" required"));
    for place in required.filter(|place| !numbered.contains(place)) {
        let (table, column) = place.split_once('.').unwrap();
        let refused = insert_beside(&db, table, &[(column, "null")]).unwrap_err();
        let telling = db.either(
            format!("NOT NULL constraint failed: {place}"),
            // Or of its partition.
            format!("null value in column \"{column}\" of relation \"{table}"),
        );
        assert!(refused.contains(&telling), "{place}: {refused}");
    }
}

/// Inserts the rows, then one more into `table` with these values changed, and forgets them all.
fn insert_beside(db: &Database, table: &str, changed: &[(&str, &str)]) -> Result<(), String> {
    let mut statements =
        vec!["delete from change_counter".to_owned(), "delete from usage_progress".to_owned()];
    statements.extend(ROWS.iter().map(|(table, row)| insert(table, row.to_vec())));
    let (_, row) = ROWS.iter().find(|(name, _)| *name == table).unwrap();
    let change = |(column, value): &(&'static str, &'static str)| {
        let changed = changed.iter().find(|(name, _)| name == column);
        (*column, changed.map_or(*value, |(_, value)| value))
    };
    statements.push(insert(table, row.iter().map(change).collect()));
    db.try_out(&spell(db, &statements.join(";")))
}

fn insert(table: &str, row: Vec<(&str, &str)>) -> String {
    let (columns, values): (Vec<_>, Vec<_>) = row.into_iter().unzip();
    format!("insert into {table} ({}) values ({})", columns.join(", "), values.join(", "))
}

/// Replaces the braces by the engine's own spelling.
fn spell(db: &Database, sql: &str) -> String {
    let bytes = |digits: &str, count| {
        let digits = digits.repeat(count);
        db.either(format!("x'{digits}'"), format!("'\\x{digits}'"))
    };
    // PostgreSQL reads a uuid without its hyphens.
    let id = |digits: &str| db.either(bytes(digits, 16), format!("'{}'", digits.repeat(16)));
    let spelling = [
        ("{time}", db.either("0", "'epoch'").to_owned()),
        ("{later}", db.either("1", "'1970-01-02 00:00:00+00'").to_owned()),
        ("{list}", db.either("'[]'", "'{}'").to_owned()),
        ("{id 1}", id("01")),
        ("{id 2}", id("02")),
        ("{32 bytes}", bytes("01", 32)),
        ("{32 others}", bytes("02", 32)),
        ("{31 bytes}", bytes("01", 31)),
    ];
    spelling.iter().fold(sql.to_owned(), |sql, (brace, own)| sql.replace(brace, own))
}
