//! Each constraint of the migrations is violated once, past the store, and refuses; a row that
//! obeys it is taken.

use std::collections::BTreeSet;

use crate::{database::Database, schema};

on_each_engine![each_constraint_refuses_what_violates_it, each_required_column_refuses_null,];

/// One row of each table, parents first, before anything is tried. Braces hold what the engines
/// spell differently.
const ROWS: [(&str, Values); 7] = [
    ("change_counter", &[("id", "1"), ("rev", "0")]),
    (
        "businesses",
        &[
            ("business_id", "'acme'"),
            ("rev", "1"),
            ("key_limit", "1"),
            ("suspend_time", "null"),
            ("create_time", "{time}"),
            ("update_time", "{time}"),
        ],
    ),
    (
        "keys",
        &[
            ("key_id", "{id 1}"),
            ("business_id", "'acme'"),
            ("rev", "1"),
            ("display_name", "'a key'"),
            ("description", "''"),
            ("scopes", "{list}"),
            ("annotations", "'{}'"),
            ("expire_time", "null"),
            ("suspended_by", "null"),
            ("revoke_time", "null"),
            ("revoke_reason", "null"),
            ("revoke_reason_text", "''"),
            ("rotate_time", "null"),
            ("prefix", "'kw'"),
            ("obfuscated_secret", "''"),
            ("creator_caller", "''"),
            ("creator_user_issuer", "''"),
            ("creator_user_subject", "''"),
            ("create_time", "{time}"),
            ("update_time", "{time}"),
        ],
    ),
    (
        "secrets",
        &[
            ("digest", "{32 bytes}"),
            ("pepper_version", "1"),
            ("key_id", "{id 1}"),
            ("generation", "1"),
            ("rev", "1"),
            ("create_time", "{time}"),
            ("rotate_time", "null"),
        ],
    ),
    (
        "scopes",
        &[
            ("name", "'read'"),
            ("rev", "1"),
            ("description", "''"),
            ("assignable_by", "1"),
            ("endpoints", "{list}"),
            ("retire_time", "null"),
            ("create_time", "{time}"),
            ("update_time", "{time}"),
        ],
    ),
    (
        "pepper_checks",
        &[("pepper_version", "1"), ("check_value", "{32 bytes}"), ("create_time", "{time}")],
    ),
    ("serving", &[("id", "1")]),
];

type Values = &'static [(&'static str, &'static str)];

/// Beside the table's row, one more that differs from it: with `bad` it is refused for the
/// constraint, with `good` it is taken.
struct Case {
    table: &'static str,
    bad: Values,
    good: Values,
    /// The constraint's name in PostgreSQL, if it is more than a type there.
    postgres: Option<&'static str>,
    /// How SQLite tells of it.
    sqlite: &'static str,
}

const CASES: [Case; 21] = [
    Case {
        table: "businesses",
        bad: &[],
        good: &[("business_id", "'other'")],
        postgres: Some("businesses_pkey"),
        sqlite: "UNIQUE constraint failed: businesses.business_id",
    },
    Case {
        table: "businesses",
        bad: &[("business_id", "'other'"), ("key_limit", "-1")],
        good: &[("business_id", "'other'"), ("key_limit", "0")],
        postgres: Some("businesses_key_limit_check"),
        sqlite: "CHECK constraint failed: key_limit >= 0",
    },
    Case {
        table: "keys",
        bad: &[],
        good: &[("key_id", "{id 2}")],
        postgres: Some("keys_pkey"),
        sqlite: "UNIQUE constraint failed: keys.key_id",
    },
    Case {
        table: "keys",
        bad: &[("key_id", "{31 bytes}")],
        good: &[("key_id", "{id 2}")],
        postgres: None,
        sqlite: "CHECK constraint failed: length(key_id) = 16",
    },
    Case {
        table: "keys",
        bad: &[("key_id", "{id 2}"), ("business_id", "'nobody'")],
        good: &[("key_id", "{id 2}")],
        postgres: Some("keys_business_id_fkey"),
        sqlite: "FOREIGN KEY constraint failed",
    },
    Case {
        table: "keys",
        bad: &[("key_id", "{id 2}"), ("scopes", "'{}'")],
        good: &[("key_id", "{id 2}"), ("scopes", "'[]'")],
        postgres: None,
        sqlite: "CHECK constraint failed: json_type(scopes) = 'array'",
    },
    Case {
        table: "keys",
        bad: &[("key_id", "{id 2}"), ("annotations", "'[]'")],
        good: &[("key_id", "{id 2}"), ("annotations", "'{}'")],
        postgres: None,
        sqlite: "CHECK constraint failed: json_type(annotations) = 'object'",
    },
    Case {
        table: "keys",
        bad: &[("key_id", "{id 2}"), ("suspended_by", "3")],
        good: &[("key_id", "{id 2}"), ("suspended_by", "2")],
        postgres: Some("keys_suspended_by_check"),
        sqlite: "CHECK constraint failed: suspended_by in (1, 2)",
    },
    Case {
        table: "keys",
        bad: &[("key_id", "{id 2}"), ("revoke_time", "{time}"), ("revoke_reason", "6")],
        good: &[("key_id", "{id 2}"), ("revoke_time", "{time}"), ("revoke_reason", "5")],
        postgres: Some("keys_revoke_reason_check"),
        sqlite: "CHECK constraint failed: revoke_reason between 1 and 5",
    },
    Case {
        table: "keys",
        bad: &[("key_id", "{id 2}"), ("revoke_reason", "1")],
        good: &[("key_id", "{id 2}"), ("revoke_time", "{time}"), ("revoke_reason", "1")],
        postgres: Some("keys_check"),
        sqlite: "CHECK constraint failed: (revoke_time is null) = (revoke_reason is null)",
    },
    Case {
        table: "secrets",
        bad: &[("generation", "2"), ("rotate_time", "{time}")],
        good: SECOND_SECRET,
        postgres: Some("secrets_pkey"),
        sqlite: "UNIQUE constraint failed: secrets.digest",
    },
    Case {
        table: "secrets",
        bad: &[("digest", "{31 bytes}"), ("generation", "2"), ("rotate_time", "{time}")],
        good: SECOND_SECRET,
        postgres: Some("secrets_digest_check"),
        sqlite: "CHECK constraint failed: length(digest) = 32",
    },
    Case {
        table: "secrets",
        bad: &[("digest", "{32 others}"), ("key_id", "{id 2}")],
        good: SECOND_SECRET,
        postgres: Some("secrets_key_id_fkey"),
        sqlite: "FOREIGN KEY constraint failed",
    },
    Case {
        table: "secrets",
        bad: &[("digest", "{32 others}"), ("generation", "0"), ("rotate_time", "{time}")],
        good: SECOND_SECRET,
        postgres: Some("secrets_generation_check"),
        sqlite: "CHECK constraint failed: generation > 0",
    },
    Case {
        table: "secrets",
        bad: &[("digest", "{32 others}"), ("rotate_time", "{time}")],
        good: SECOND_SECRET,
        postgres: Some("secrets_key_id_generation_key"),
        sqlite: "UNIQUE constraint failed: secrets.key_id, secrets.generation",
    },
    Case {
        table: "secrets",
        bad: &[("digest", "{32 others}"), ("generation", "2")],
        good: SECOND_SECRET,
        postgres: Some("secrets_one_current"),
        sqlite: "UNIQUE constraint failed: secrets.key_id",
    },
    Case {
        table: "scopes",
        bad: &[],
        good: &[("name", "'write'")],
        postgres: Some("scopes_pkey"),
        sqlite: "UNIQUE constraint failed: scopes.name",
    },
    Case {
        table: "scopes",
        bad: &[("name", "'write'"), ("assignable_by", "3")],
        good: &[("name", "'write'"), ("assignable_by", "2")],
        postgres: Some("scopes_assignable_by_check"),
        sqlite: "CHECK constraint failed: assignable_by in (1, 2)",
    },
    Case {
        table: "scopes",
        bad: &[("name", "'write'"), ("endpoints", "'{}'")],
        good: &[("name", "'write'")],
        postgres: None,
        sqlite: "CHECK constraint failed: json_type(endpoints) = 'array'",
    },
    Case {
        table: "pepper_checks",
        bad: &[],
        good: &[("pepper_version", "2")],
        postgres: Some("pepper_checks_pkey"),
        sqlite: "UNIQUE constraint failed: pepper_checks.pepper_version",
    },
    Case {
        table: "pepper_checks",
        bad: &[("pepper_version", "2"), ("check_value", "{31 bytes}")],
        good: &[("pepper_version", "2")],
        postgres: Some("pepper_checks_check_value_check"),
        sqlite: "CHECK constraint failed: length(check_value) = 32",
    },
];

const SECOND_SECRET: Values =
    &[("digest", "{32 others}"), ("generation", "2"), ("rotate_time", "{time}")];

async fn each_constraint_refuses_what_violates_it(db: Database) {
    for Case { table, bad, good, postgres, sqlite } in CASES {
        let Some(telling) = db.either(Some(sqlite), postgres) else { continue };
        let refused = insert_beside(&db, table, bad).unwrap_err();
        assert!(refused.contains(telling), "{table}, {bad:?}: {refused}");
        insert_beside(&db, table, good).unwrap();
    }
    // Their one row is all there can be: it stands in `ROWS`.
    for table in ["change_counter", "serving"] {
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
             and conrelid <> '__diesel_schema_migrations'::regclass",
    );
    let cases = CASES.iter().filter_map(|case| case.postgres);
    let mut cases: BTreeSet<&str> = cases
        .chain(["change_counter_pkey", "change_counter_id_check"])
        .chain(["serving_pkey", "serving_id_check"])
        .collect();
    // An index, as only an index can be partial.
    assert!(cases.remove("secrets_one_current"));
    assert_eq!(named.iter().map(String::as_str).collect::<BTreeSet<_>>(), cases);
}

async fn each_required_column_refuses_null(db: Database) {
    // To SQLite, null is the next number in these.
    let numbered =
        db.either(&["change_counter.id", "pepper_checks.pepper_version", "serving.id"][..], &[]);
    let columns = schema::of(&db).columns;
    let required = columns.iter().filter_map(|line| line.strip_suffix(" required"));
    for place in required.filter(|place| !numbered.contains(place)) {
        let (table, column) = place.split_once('.').unwrap();
        let refused = insert_beside(&db, table, &[(column, "null")]).unwrap_err();
        let telling = db.either(
            format!("NOT NULL constraint failed: {place}"),
            format!("null value in column \"{column}\" of relation \"{table}\""),
        );
        assert!(refused.contains(&telling), "{place}: {refused}");
    }
}

/// Inserts the rows, then one more into `table` with these values changed, and forgets them all.
fn insert_beside(db: &Database, table: &str, changed: &[(&str, &str)]) -> Result<(), String> {
    let mut statements = vec!["begin".to_owned(), "delete from change_counter".to_owned()];
    statements.extend(ROWS.iter().map(|(table, row)| insert(table, row.to_vec())));
    let (_, row) = ROWS.iter().find(|(name, _)| *name == table).unwrap();
    let change = |(column, value): &(&'static str, &'static str)| {
        let changed = changed.iter().find(|(name, _)| name == column);
        (*column, changed.map_or(*value, |(_, value)| value))
    };
    statements.push(insert(table, row.iter().map(change).collect()));
    statements.push("rollback".to_owned());
    db.execute(&spell(db, &statements.join(";")))
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
        ("{list}", db.either("'[]'", "'{}'").to_owned()),
        ("{id 1}", id("01")),
        ("{id 2}", id("02")),
        ("{32 bytes}", bytes("01", 32)),
        ("{32 others}", bytes("02", 32)),
        ("{31 bytes}", bytes("01", 31)),
    ];
    spelling.iter().fold(sql.to_owned(), |sql, (brace, own)| sql.replace(brace, own))
}
