//! LISTEN, on a session of its own that does nothing else. What it hears is that something changed,
//! never what; where it cannot hear, it says so once, tries again, and nothing depends on it.

use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{sleep, timeout};
use tokio_postgres::{AsyncMessage, Client};

use super::connector::{CONNECT_TIMEOUT, Connector, Driver, SESSION};
use crate::error::{StoreError, chain};

/// Where `keyward_next_revision()` notifies.
const LISTEN: &str = "listen keyward_changes";
/// How long to wait before a session that was lost is replaced, at first.
const WAIT_MIN: Duration = Duration::from_millis(200);
/// And at last, where it cannot be had again and again.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Who listens.
pub(crate) struct Listener {
    connector: Connector,
    session: Option<Session>,
    wait: Duration,
    /// It was said that nothing is heard.
    told: bool,
}

struct Session {
    /// The session ends with its client.
    _client: Client,
    driver: Driver,
}

impl Listener {
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector, session: None, wait: WAIT_MIN, told: false }
    }

    /// Returns when something may have changed: when it was heard, and whenever listening has begun,
    /// since nobody knows what was said before.
    pub(crate) async fn next(&mut self) {
        loop {
            let failed = match &mut self.session {
                Some(session) => match poll_fn(|context| session.poll_heard(context)).await {
                    Ok(()) => return,
                    Err(error) => error,
                },
                None => match Session::begin(&self.connector).await {
                    Ok(session) => return self.begun(session),
                    Err(error) => error,
                },
            };
            self.session = None;
            if !std::mem::replace(&mut self.told, true) {
                tracing::warn!(
                    error.cause = %failed,
                    "LISTEN is not to be had: what others change is noticed by polling alone"
                );
            }
            sleep(self.wait).await;
            self.wait = WAIT_MAX.min(self.wait * 2);
        }
    }

    fn begun(&mut self, session: Session) {
        self.session = Some(session);
        self.wait = WAIT_MIN;
        if std::mem::take(&mut self.told) {
            tracing::info!("listening again");
        }
    }
}

impl Session {
    async fn begin(connector: &Connector) -> Result<Self, StoreError> {
        let begin = async {
            let (client, mut driver) = connector.open().await?;
            let set_up = format!("{SESSION} {LISTEN}");
            tokio::select! {
                listening = client.batch_execute(&set_up) => listening?,
                ended = &mut driver => ended?,
            }
            Ok(Self { _client: client, driver })
        };
        let unavailable = |error: tokio_postgres::Error| StoreError::Unavailable(chain(&error));
        timeout(CONNECT_TIMEOUT, begin)
            .await
            .map_err(|late| StoreError::Unavailable(late.to_string()))?
            .map_err(unavailable)
    }

    /// All that has come by now counts as one.
    fn poll_heard(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        let mut heard = false;
        loop {
            match self.driver.poll_message(context) {
                Poll::Ready(Some(Ok(message))) => {
                    heard |= matches!(message, AsyncMessage::Notification(_));
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(StoreError::Unavailable(chain(&error))));
                }
                Poll::Ready(None) => {
                    let ended = StoreError::Unavailable("the session ended".to_owned());
                    return Poll::Ready(Err(ended));
                }
                Poll::Pending if heard => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
