//! Both engines have one schema, as far as it can be asked for: tables, columns and which of them may
//! be null, what is unique, and which indexes there are. Partitions are of PostgreSQL alone.

use crate::database::Database;

/// A line for each, in the order of its bytes.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Schema {
    /// `<table>.<column> <nullable>`.
    pub(crate) columns: Vec<String>,
    /// `<table> (<columns, sorted>) <whole or partial>`.
    unique: Vec<String>,
    /// Names of indexes that are no constraint's.
    indexes: Vec<String>,
}

pub(crate) fn of(db: &Database) -> Schema {
    let sorted = |sqlite, postgres| {
        let mut lines = db.lines(db.either(sqlite, postgres));
        lines.sort();
        lines
    };
    Schema {
        columns: sorted(SQLITE_COLUMNS, POSTGRES_COLUMNS),
        unique: sorted(SQLITE_UNIQUE, POSTGRES_UNIQUE),
        indexes: sorted(SQLITE_INDEXES, POSTGRES_INDEXES),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_and_sqlite_have_the_same() {
    let sqlite = of(&Database::sqlite().await);
    assert!(sqlite.columns.contains(&"keys.expire_time nullable".to_owned()), "{sqlite:?}");
    assert!(sqlite.unique.contains(&"secrets (key_id) partial".to_owned()), "{sqlite:?}");
    assert!(sqlite.indexes.contains(&"keys_by_rev".to_owned()), "{sqlite:?}");
    assert_eq!(sqlite, of(&Database::postgres().await));
}

/// SQLite would take a text for a number. Only diesel's own table may let it.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_sqlite_is_strict() {
    let lax = "select name as line from pragma_table_list \
               where schema = 'main' and type = 'table' and not strict \
               and name not in ('sqlite_schema', '__diesel_schema_migrations')";
    assert_eq!(Database::sqlite().await.lines(lax), [""; 0]);
}

const SQLITE_COLUMNS: &str = "
    select t.name || '.' || c.name || iif(c.\"notnull\", ' required', ' nullable') as line
    from sqlite_schema t, pragma_table_info(t.name) c
    where t.type = 'table' and t.name not like '\\_\\_diesel%' escape '\\'";

const POSTGRES_COLUMNS: &str = "
    select table_name || '.' || column_name
        || case is_nullable when 'NO' then ' required' else ' nullable' end as line
    from information_schema.columns
    where table_schema = 'public' and table_name not like '\\_\\_diesel%'
        and table_name not in (select relname from pg_class where relispartition)";

/// A primary key of one integer has no index: the table itself is one.
const SQLITE_UNIQUE: &str = "
    with indexed as (
        select t.name as tbl, c.name as col, i.partial, i.name as idx
        from sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
        where t.type = 'table' and i.\"unique\"
        union
        select t.name, c.name, 0, 'table' from sqlite_schema t, pragma_table_info(t.name) c
        where t.type = 'table' and c.pk and c.type = 'INTEGER'
            and (select count(*) from pragma_table_info(t.name) where pk) = 1
        order by 1, 2
    )
    select tbl || ' (' || group_concat(col, ' ') || ')' || iif(partial, ' partial', ' whole') as line
    from indexed where tbl not like '\\_\\_diesel%' escape '\\' group by tbl, idx";

const POSTGRES_UNIQUE: &str = "
    select t.relname || ' (' || string_agg(c.attname, ' ' order by c.attname) || ')'
        || case when i.indpred is null then ' whole' else ' partial' end as line
    from pg_index i
    join pg_class t on t.oid = i.indrelid
    join pg_attribute c on c.attrelid = t.oid and c.attnum = any (i.indkey)
    where i.indisunique and t.relnamespace = 'public'::regnamespace
        and t.relname not like '\\_\\_diesel%' and not t.relispartition
    group by t.relname, i.indexrelid, i.indpred is null";

const SQLITE_INDEXES: &str =
    "select name as line from sqlite_schema where type = 'index' and sql is not null";

const POSTGRES_INDEXES: &str = "
    select indexrelid::regclass::text as line from pg_index
    where indrelid::regclass::text in (select tablename from pg_tables where schemaname = 'public')
        and indrelid not in (select oid from pg_class where relispartition)
        and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))
        -- Into a list: SQLite has no such index.
        and indexrelid::regclass::text <> 'keys_by_scope'";
