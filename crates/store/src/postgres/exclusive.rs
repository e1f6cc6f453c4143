//! The lock that keeps a second server off a database until revocations are final across replicas:
//! an advisory lock, held by a session of its own for as long as the server lives.

use std::time::{Duration, Instant};

use diesel::{QueryResult, sql_query, sql_types};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::time::timeout;

use super::{Connection, Database};
use crate::{error::StoreError, exclusive::CONFIRMATION};

/// The advisory lock of the serving process: `keyward`, as a number.
const LOCK: i64 = 0x6b65_7977_6172_6402;
/// How long to wait for the lock: PostgreSQL takes a moment to notice that a killed server is gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often to try meanwhile.
const TRY_EVERY: Duration = Duration::from_millis(50);
/// How long a session may take to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// How soon the server's side notices.
const KEEPALIVES: &str = "set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; \
                          set tcp_keepalives_count = 3";

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
        let mut session = self.connector.connect().await?;
        let taken = async {
            // A TCP peer that vanishes must not hold the lock for hours: the server's side notices too.
            session.batch_execute(KEEPALIVES).await?;
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
    /// Marks the database as served; tells whether it was already, by a server that did not end it.
    pub(crate) async fn begin(&mut self) -> Result<bool, StoreError> {
        let marked = "insert into serving values (1) on conflict do nothing";
        let marked = sql_query(marked).execute(self.session()?);
        Ok(in_time(marked).await? == 0)
    }

    /// Marks the database as served by nobody.
    pub(crate) async fn end(&mut self) -> Result<(), StoreError> {
        in_time(sql_query("delete from serving").execute(self.session()?)).await?;
        Ok(())
    }

    /// Asks whether the lock is still held; tells until when that is proof enough.
    pub(crate) async fn confirm(&mut self) -> Result<Instant, StoreError> {
        // Before the question is sent: it may be answered at any time after.
        let asked = Instant::now();
        let answer = in_time(self.session()?.batch_execute("select 1")).await;
        if answer.is_err() {
            // A session that only hung would go on holding the lock, and nobody could take it.
            self.session = None;
        }
        answer.map(|()| asked + CONFIRMATION)
    }

    fn session(&mut self) -> Result<&mut Connection, StoreError> {
        let lost = || StoreError::Unavailable("the lock was lost before".to_owned());
        self.session.as_mut().ok_or_else(lost)
    }
}

async fn in_time<T>(answer: impl Future<Output = QueryResult<T>>) -> Result<T, StoreError> {
    match timeout(PROBE_TIMEOUT, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::Unavailable("no answer in time".to_owned())),
    }
}
