//! The cold path: keys, the catalogue and advisors' access, changed in the store and then in memory
//! before a caller hears OK. Each RPC: unpack, authorize, validate, one call of the store, wait until it
//! is in effect, pack.

mod advisors;
mod audit;
mod batch_revoke;
mod businesses;
mod change;
mod create;
mod import;
mod keys;
mod list;
mod lookup;
mod repetition;
mod scopes;
mod service;
mod usage;

use std::sync::Arc;

use apikey::{clock::Clock, digest::PepperSet, scope::ScopeName, secret::Prefix};
use keyward_store::Store;
use ring::rand::SecureRandom;
use tokio_util::task::TaskTracker;

use crate::{
    access::rights::{self, Right},
    callers::Caller,
    errors::Refusal,
    resident::{Index, follower::Follower},
};

/// KeyManagement and AdvisorAccess.
#[derive(Clone)]
pub struct Management {
    /// Where keys are kept.
    pub store: Store,
    /// What makes a change take effect in memory.
    pub follower: Arc<Follower>,
    /// What digests and page tokens are made with.
    pub peppers: Arc<PepperSet>,
    /// The source of every secret and id.
    pub random: Arc<dyn SecureRandom + Send + Sync>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What secrets may begin with; the first is the default.
    pub prefixes: Arc<[Prefix]>,
    /// Changes under way, which no disconnect cancels and the drain waits for.
    pub changes: TaskTracker,
}

impl std::fmt::Debug for Management {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Management").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Management {
    fn index(&self) -> &Index {
        self.follower.index()
    }

    /// By what right this call touches the business that it names.
    async fn right_to(&self, caller: &Caller, business_id: &str) -> Result<Right, Refusal> {
        rights::to_businesses(&self.store, caller, &[business_id]).await
    }

    /// Whether a scope was retired, as memory knows it.
    fn is_retired(&self) -> impl Fn(&str) -> bool + use<> {
        let catalogue = self.index().catalogue();
        move |name| {
            let definition = catalogue.id(name).and_then(|id| catalogue.definition(id));
            definition.is_some_and(|scope| scope.retired)
        }
    }
}

/// A service key's scopes are built in, any other key's never are.
fn scope_fits(name: &ScopeName, of_service_key: bool) -> Result<(), &'static str> {
    match (name.is_built_in(), of_service_key) {
        (true, false) => Err("keyward.* scopes are for Keyward's own service keys"),
        (false, true) => Err("a service key holds keyward.* scopes only"),
        (true, true) | (false, false) => Ok(()),
    }
}
