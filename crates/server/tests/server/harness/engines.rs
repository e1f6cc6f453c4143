//! One body of a test, run on each engine.

/// For each named `async fn(Server)` a test on SQLite and one on PostgreSQL.
macro_rules! on_each_engine {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::harness::Server::on_sqlite().await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let database = test_postgres::shared().create_database().unwrap();
                super::$test($crate::harness::Server::on_postgres(database).await).await;
            })+
        }
    };
}

pub(crate) use on_each_engine;
