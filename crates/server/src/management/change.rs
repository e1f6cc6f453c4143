//! How a change is carried out: in a task of its own, which no disconnect cancels, until it is in
//! effect in memory. Only then is it acknowledged.

use apikey::clock::Timestamp;
use keyward_proto::v1::{ChangeReceipt, ErrorReason};
use keyward_store::{
    Store,
    error::ChangeError,
    record::{Committed, Revision},
};

use super::Management;
use crate::{errors::Refusal, wire};

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
            let Committed { revision, value } = work.await?;
            let receipt = management.take_effect(revision).await?;
            Ok((value, receipt))
        });
        task.await.map_err(Refusal::internal)?
    }

    async fn take_effect(&self, revision: Revision) -> Result<ChangeReceipt, Refusal> {
        let commit_time = self.clock.now();
        match self.follower.reach(revision).await {
            Ok(()) => Ok(wire::receipt::to_wire(revision, commit_time, self.clock.now())),
            Err(error) => {
                tracing::warn!(error.cause = %error, %revision, "a change is not in effect yet");
                Err(Refusal::new(
                    ErrorReason::CommittedNotYetEffective,
                    "the change is committed, but may not be in effect yet; repeating an idempotent call \
                     is safe, and waits anew",
                )
                .with("revision", revision))
            }
        }
    }
}
