//! Operator keys: service keys with every `keyward.*` scope. Only whoever holds the database and the
//! pepper makes one; no RPC does.

use anyhow::Context as _;
use apikey::{
    catalogue::AssignableBy,
    clock::Clock,
    digest::PepperSet,
    id::{BusinessId, KeyId},
    lifecycle::State,
    scope::{ScopeName, ScopeSet, built_in},
    secret::{IssuedSecret, Prefix},
    settings::{Annotations, Description, DisplayName},
};
use keyward_store::{
    Store,
    list::{KeyFilter, KeyQuery},
    record::{Act, Actor, KeyRecord, NewKey, NewSecret, Settings},
};
use ring::rand::SecureRandom;

use crate::peppers::writing;

/// A key that is not in the store yet, and its secret.
#[derive(Debug)]
pub struct OperatorKey {
    new: NewKey,
    /// Shown once.
    pub secret: IssuedSecret,
}

impl OperatorKey {
    /// Thinks one up.
    pub fn generate(
        name: &str,
        prefix: &Prefix,
        peppers: &PepperSet,
        random: &dyn SecureRandom,
        clock: &dyn Clock,
    ) -> anyhow::Result<Self> {
        let no_randomness = |error| anyhow::anyhow!("the system gives no randomness: {error}");
        let secret = IssuedSecret::generate(prefix, random).map_err(no_randomness)?;
        let pepper = writing(peppers);
        let names: Result<Vec<_>, _> = built_in::ALL.into_iter().map(ScopeName::parse).collect();
        let new = NewKey {
            key_id: KeyId::generate(clock.now(), random).map_err(no_randomness)?,
            business_id: BusinessId::keyward(),
            settings: Settings {
                display_name: DisplayName::parse(name).context("the key's name")?,
                description: Description::parse("")?,
                scopes: ScopeSet::from_names(names?)?,
                annotations: Annotations::default(),
            },
            expire_time: None,
            prefix: prefix.clone(),
            obfuscated_secret: secret.obfuscated(),
            creator: Actor::workload(Actor::COMMAND_LINE),
            secret: NewSecret {
                digest: pepper.digest(&secret.hash()),
                pepper_version: pepper.version(),
            },
        };
        Ok(Self { new, secret })
    }

    /// Puts it into the store: from then on it is good.
    pub async fn store(self, store: &Store, clock: &dyn Clock) -> anyhow::Result<KeyRecord> {
        let actor = self.new.creator.clone();
        let act = Act {
            actor,
            peer_address: String::new(),
            time: clock.now(),
            admitted_at: None,
            by_grant: false,
        };
        let made = store.create_key(self.new, AssignableBy::Operators, None, act).await;
        Ok(made.context("the operator key cannot be stored")?.value)
    }
}

/// Whether any service key is live or suspended: without one, nobody could ever call.
pub async fn any_service_key(store: &Store, clock: &dyn Clock) -> anyhow::Result<bool> {
    let filter =
        KeyFilter { states: vec![State::Active, State::Suspended], ..KeyFilter::default() };
    let business_ids = vec![BusinessId::keyward()];
    let query = KeyQuery { business_ids, filter, after: None, limit: 1 };
    Ok(!store.list_keys(query, clock.now()).await?.is_empty())
}
