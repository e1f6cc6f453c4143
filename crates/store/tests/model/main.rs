//! Random sequences of operations leave SQLite, PostgreSQL and a plain map equal: what is answered,
//! what is refused and why, what lists show and what the feed tells.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod map;
mod operation;
mod view;

use std::{path::Path, sync::LazyLock, time::Duration};

use apikey::catalogue::AssignableBy;
use keyward_store::{PoolLimits, Store, business::BusinessPatch};
use proptest::{collection::vec, prelude::*};
use tokio::{runtime::Runtime, sync::OnceCell};

use crate::{
    map::Map,
    operation::{ACME_LIMIT, Operation, Step, first_key, operation},
    view::{View, act, answer},
};

const LIMITS: PoolLimits = PoolLimits { connections: 4, wait: Duration::from_secs(30) };
/// Long rather than many: most of what is refused needs a past.
const OPERATIONS_MAX: usize = 80;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn sqlite_and_a_map_stay_equal(operations in vec(operation(), 1..=OPERATIONS_MAX)) {
        RUNTIME.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            run(&operations, &[sqlite(folder.path()).await]).await;
        });
    }

    #[test]
    fn postgres_sqlite_and_a_map_stay_equal(operations in vec(operation(), 1..=OPERATIONS_MAX)) {
        RUNTIME.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let database = postgres().await;
            let postgres = Store::postgres(&database.url(), LIMITS).unwrap();
            run(&operations, &[sqlite(folder.path()).await, postgres]).await;
        });
    }
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// After each step, every store answers as the map does, and looks like it.
async fn run(operations: &[Operation], stores: &[Store]) {
    let mut map = Map::with_first_key();
    let mut step = Step::FIRST;
    for operation in operations {
        let before = map.revision;
        let request = operation.request(step, &map);
        let expected = map.answer(request.clone(), step.now);
        for store in stores {
            assert_eq!(answer(store, request.clone(), step.now).await, expected);
            assert_eq!(View::of(store, step.now).await, map.view(step.now));
            assert_eq!(view::changes(store, before).await, map.changes(before));
        }
        step = step.after(operation);
    }
}

async fn sqlite(folder: &Path) -> Store {
    let store = Store::sqlite(folder, LIMITS).unwrap();
    prepare(&store).await;
    store
}

/// A copy of a database that is prepared once.
async fn postgres() -> test_postgres::Database {
    static TEMPLATE: OnceCell<test_postgres::Database> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(async || {
            let template = test_postgres::shared().create_database().unwrap();
            prepare(&Store::postgres(&template.url(), LIMITS).unwrap()).await;
            template
        })
        .await;
    test_postgres::shared().create_database_from(template).unwrap()
}

async fn prepare(store: &Store) {
    store.migrate().await.unwrap();
    let act = || act(Step::FIRST.now);
    let key = first_key();
    let business_id = key.business_id.clone();
    store.create_key(key, AssignableBy::Users, None, act()).await.unwrap();
    let patch = BusinessPatch { key_limit: Some(ACME_LIMIT), ..BusinessPatch::default() };
    store.update_business(&business_id, patch, None, act()).await.unwrap();
}
