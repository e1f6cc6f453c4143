//! How a change is carried out: in a task of its own, which no disconnect cancels, until it is in
//! effect in memory. Only then is it acknowledged.

use std::time::Duration;

use apikey::clock::Timestamp;
use keyward_proto::v1::{ChangeReceipt, ErrorReason};
use keyward_store::{
    Store,
    error::{ChangeError, StoreError},
    record::{Committed, Revision},
};

use tokio::time::timeout;

use super::Management;
use crate::{errors::Refusal, wire};

/// How long the store may take to carry a change out; then nobody knows whether it did.
const CHANGE_MAX: Duration = Duration::from_secs(20);

impl Management {
    /// Carries a change out, given the store and the time to stamp it with.
    pub(super) async fn change<T, Work, Outcome>(
        &self,
        work: Work,
    ) -> Result<(T, ChangeReceipt), Refusal>
    where
        T: Send + 'static,
        Work: FnOnce(Store, Timestamp) -> Outcome + Send + 'static,
        Outcome: Future<Output = Result<Committed<T>, ChangeError>> + Send,
    {
        let management = self.clone();
        let task = self.changes.spawn(async move {
            let work = work(management.store.clone(), management.clock.now());
            let committed = timeout(CHANGE_MAX, work).await.unwrap_or_else(|_| {
                Err(StoreError::Unavailable("no answer in time".to_owned()).into())
            });
            let Committed { revision, value } = committed?;
            let receipt = management.take_effect(revision).await?;
            Ok((value, receipt))
        });
        task.await.map_err(Refusal::internal)?
    }

    async fn take_effect(&self, revision: Revision) -> Result<ChangeReceipt, Refusal> {
        let commit_time = self.clock.now();
        let reached = self.follower.reach(revision).await;
        if let Err(error) = &reached {
            tracing::warn!(error.cause = %error, %revision, "a change is not in effect yet");
        }
        // Without the right to answer, another server may be answering, from an older state.
        if reached.is_err() || self.index().view().is_err() {
            return Err(not_yet_effective(revision));
        }
        Ok(wire::receipt::to_wire(revision, commit_time, self.clock.now()))
    }
}

/// Committed, and that is all that can be said.
pub(super) fn not_yet_effective(revision: Revision) -> Refusal {
    Refusal::new(
        ErrorReason::CommittedNotYetEffective,
        "the change is committed, but may not be in effect yet; repeating an idempotent call is \
         safe, and waits anew",
    )
    .with("revision", revision)
}
