//! How a change is carried out: in a task of its own, which no disconnect cancels, until it is in
//! effect in memory. Only then is it acknowledged.

use keyward_proto::v1::{ChangeReceipt, ErrorReason};
use keyward_store::{
    Store,
    error::ChangeError,
    record::{Act, Committed, Revision},
};

use super::Management;
use crate::{callers::Caller, errors::Refusal, wire};

/// A change that is in effect.
pub(super) struct Changed<T> {
    /// What stands there now.
    pub(super) value: T,
    /// How far it has reached.
    pub(super) receipt: ChangeReceipt,
    /// True: this very request was carried out before.
    pub(super) repeated: bool,
}

impl Management {
    /// Carries a change out, given the store and whose act it is.
    pub(super) async fn change<T, Work, Outcome>(
        &self,
        caller: &Caller,
        work: Work,
    ) -> Result<Changed<T>, Refusal>
    where
        T: Send + 'static,
        Work: FnOnce(Store, Act) -> Outcome + Send + 'static,
        Outcome: Future<Output = Result<Committed<T>, ChangeError>> + Send,
    {
        let management = self.clone();
        let act = self.act(caller);
        let task = self.changes.spawn(async move {
            let work = work(management.store.clone(), act);
            let Committed { revision, value, repeated } = work.await?;
            let receipt = management.take_effect(revision).await?;
            Ok(Changed { value, receipt, repeated })
        });
        task.await.map_err(Refusal::internal)?
    }

    /// Whose act something is that happens now.
    pub(super) fn act(&self, caller: &Caller) -> Act {
        let peer_address = caller.peer.map(|peer| peer.to_string()).unwrap_or_default();
        Act {
            actor: caller.actor(),
            peer_address,
            time: self.clock.now(),
            by_grant: caller.is_for_advisor(),
        }
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
fn not_yet_effective(revision: Revision) -> Refusal {
    Refusal::new(
        ErrorReason::CommittedNotYetEffective,
        "the change is committed, but may not be in effect yet; repeating an idempotent call is \
         safe, and waits anew",
    )
    .with("revision", revision)
}
