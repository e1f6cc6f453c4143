//! What the store promises, on both engines: each test body stands once, and runs on SQLite and on
//! PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

/// Makes two tests of each body, `<topic>::sqlite::<name>` and `<topic>::postgres::<name>`, each
/// with a fresh database.
macro_rules! on_each_engine {
    ($($body:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $body() {
                super::$body(crate::database::Database::sqlite().await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $body() {
                super::$body(crate::database::Database::postgres().await).await;
            })+
        }
    };
}

mod database;
mod samples;

mod access;
mod audit;
mod bulk_revoke;
mod businesses;
mod by_hand;
mod callers;
mod catalogue;
mod concurrency;
mod constraints;
mod etag;
mod exclusive;
mod faults;
mod feed;
mod idempotence;
mod imports;
mod key_limit;
mod keys;
mod last_operator;
mod left_behind;
mod lifecycle;
mod list;
mod list_filters;
mod lookup;
mod migrations;
mod move_digests;
mod order;
mod peppers;
mod races;
mod races_by_hand;
mod retire_pepper;
mod revisions;
mod schema;
mod scope_checks;
mod usage;
