//! The lock that keeps a second server off a database until revocations are final across replicas:
//! an advisory lock, held by a session of its own for as long as the server lives.

use std::time::{Duration, Instant};

use diesel::sql_types;
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};

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
    session: Connection,
}

impl Database {
    /// Takes the lock; `None` when another process has it.
    pub(crate) async fn hold_exclusively(&self) -> Result<Option<Exclusive>, StoreError> {
        let mut session = connect(&self.config).await?;
        // A TCP peer that vanishes must not hold the lock for hours: the server's side notices too.
        session
            .batch_execute("set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3")
            .await?;
        let give_up = Instant::now() + PATIENCE;
        while !diesel::select(try_advisory_lock(LOCK)).get_result(&mut session).await? {
            if Instant::now() > give_up {
                return Ok(None);
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
        Ok(Some(Exclusive { session }))
    }
}

impl Exclusive {
    /// Returns when the lock is lost, with the reason.
    pub(crate) async fn lost(&mut self) -> StoreError {
        loop {
            tokio::time::sleep(PROBE_EVERY).await;
            match tokio::time::timeout(PROBE_TIMEOUT, self.session.batch_execute("select 1")).await
            {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error.into(),
                Err(_) => return StoreError::Unavailable("no answer in time".to_owned()),
            }
        }
    }
}
