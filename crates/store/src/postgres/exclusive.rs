//! The lock that keeps a second server off a database until revocations are final across replicas:
//! an advisory lock, held by a session of its own for as long as the server lives.

use std::time::Duration;

use diesel::sql_types;
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::time::timeout;

use super::{Connection, Database, connect};
use crate::error::StoreError;

/// The advisory lock of the serving process: `keyward`, as a number.
const LOCK: i64 = 0x6b65_7977_6172_6402;
/// How long to wait for the lock: PostgreSQL takes a moment to notice that a killed server is gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often to try meanwhile.
const TRY_EVERY: Duration = Duration::from_millis(50);
/// How often the session is asked whether it lives.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// How long it may take to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

diesel::define_sql_function! {
    /// Takes the lock until the session ends, unless another session has it.
    #[sql_name = "pg_try_advisory_lock"]
    fn try_advisory_lock(key: sql_types::BigInt) -> sql_types::Bool;
}

/// The held lock. Dropping it lets another server start.
pub(crate) struct Exclusive {
    /// None: the lock was lost, and so that nothing of ours holds it any more, the session with it.
    session: Option<Connection>,
}

impl Database {
    /// Takes the lock; `None` when another process has it.
    pub(crate) async fn hold_exclusively(&self) -> Result<Option<Exclusive>, StoreError> {
        let mut session = connect(&self.config).await?;
        // A TCP peer that vanishes must not hold the lock for hours: the server's side notices too.
        session
            .batch_execute("set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3")
            .await?;
        let taken = async {
            while !diesel::select(try_advisory_lock(LOCK)).get_result(&mut session).await? {
                tokio::time::sleep(TRY_EVERY).await;
            }
            Ok::<(), StoreError>(())
        };
        match timeout(PATIENCE, taken).await {
            Ok(taken) => taken.map(|()| Some(Exclusive { session: Some(session) })),
            Err(_) => Ok(None),
        }
    }
}

impl Exclusive {
    /// Returns when the lock is lost, with the reason.
    pub(crate) async fn lost(&mut self) -> StoreError {
        loop {
            tokio::time::sleep(PROBE_EVERY).await;
            if let Err(error) = self.confirm().await {
                return error;
            }
        }
    }

    /// Asks whether the lock is still held.
    pub(crate) async fn confirm(&mut self) -> Result<(), StoreError> {
        let Some(session) = &mut self.session else {
            return Err(StoreError::Unavailable("the lock was lost before".to_owned()));
        };
        let answer = match timeout(PROBE_TIMEOUT, session.batch_execute("select 1")).await {
            Ok(answer) => answer.map_err(StoreError::from),
            Err(_) => Err(StoreError::Unavailable("no answer in time".to_owned())),
        };
        if answer.is_err() {
            // A session that only hung would go on holding the lock, and nobody could take it.
            self.session = None;
        }
        answer
    }
}
