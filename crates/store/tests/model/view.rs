//! What can be seen of a store, in a form that compares.

use apikey::{clock::Timestamp, digest::Digest, id::KeyId, lifecycle::State, scope::ScopeName};
use keyward_store::{
    Store,
    catalogue::ScopeChange,
    error::{ChangeError, Refused},
    list::{KeyFilter, KeyQuery},
    record::{
        Act, Actor, Changes, HeldBusiness, HeldSecret, KeyRecord, KeyTarget, Revision, ScopeRecord,
    },
};

use crate::operation::{Request, businesses};

/// What a change left behind.
#[derive(Debug, PartialEq)]
pub(crate) enum Done {
    Key(Box<KeyRecord>),
    Scope(ScopeRecord),
    Retired(ScopeRecord, i64),
    Moved(usize),
}

/// With the change's place in the history, unless it was refused.
pub(crate) type Answer = Result<(Revision, Done), Refused>;

/// Everything that a store shows at a moment.
#[derive(Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) revision: Revision,
    /// Newest first.
    pub(crate) keys: Vec<KeyRecord>,
    /// Those of the keys that are ACTIVE or EXPIRED, in the same order.
    pub(crate) active_or_expired: Vec<KeyId>,
    /// And those with this scope.
    pub(crate) readers: Vec<KeyId>,
    pub(crate) scopes: Vec<ScopeRecord>,
    pub(crate) businesses: Vec<HeldBusiness>,
    pub(crate) secrets: Vec<HeldSecret>,
}

/// What replicas are told, in an order that compares.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) through: Revision,
    pub(crate) businesses: Vec<HeldBusiness>,
    pub(crate) scopes: Vec<ScopeRecord>,
    pub(crate) secrets: Vec<HeldSecret>,
    pub(crate) moved: Vec<Digest>,
}

/// The states of [`View::active_or_expired`]: neither end of their order.
pub(crate) const STATES: [State; 2] = [State::Active, State::Expired];
/// The scope of [`View::readers`]: the beginning of another one's name.
pub(crate) const SCOPE: &str = "read";

/// What the command line does at a time.
pub(crate) fn act(time: Timestamp) -> Act {
    Act {
        actor: Actor::workload(Actor::COMMAND_LINE),
        peer_address: String::new(),
        time,
        admitted_at: None,
        by_grant: false,
    }
}

pub(crate) async fn answer(store: &Store, request: Request, now: Timestamp) -> Answer {
    let answer = match request {
        Request::Create(new, by) => store
            .create_key(new, by, None, act(now))
            .await
            .map(|committed| (committed.revision, Done::Key(Box::new(committed.value)))),
        Request::Change(business_id, key_id, change) => store
            .change_key(KeyTarget { business_id, key_id, etag: None }, change, None, act(now))
            .await
            .map(|committed| (committed.revision, Done::Key(Box::new(committed.value)))),
        Request::Edit(name, edit, allow_missing) => store
            .update_scope(&name, edit, allow_missing, act(now))
            .await
            .map(|committed| (committed.revision, Done::Scope(committed.value.scope))),
        Request::Move(moves) => store
            .move_digests(moves, now)
            .await
            .map(|committed| (committed.revision, Done::Moved(committed.value))),
        Request::Retire(name, force) => {
            store.retire_scope(&name, force, act(now)).await.map(|committed| {
                let ScopeChange { scope, widened_keys: _, narrowed_keys } = committed.value;
                (committed.revision, Done::Retired(scope, narrowed_keys))
            })
        }
    };
    match answer {
        Ok(done) => Ok(done),
        Err(ChangeError::Refused(refused)) => Err(refused),
        Err(ChangeError::Store(fault)) => panic!("a fault: {fault}"),
    }
}

pub(crate) async fn changes(store: &Store, applied: Revision) -> Told {
    let Changes { through, businesses, scopes, secrets, moved } =
        store.changes_after(applied).await.unwrap();
    Told::sorted(through, businesses, scopes, (secrets, moved))
}

impl View {
    pub(crate) async fn of(store: &Store, now: Timestamp) -> View {
        let states = KeyFilter { states: STATES.to_vec(), ..KeyFilter::default() };
        let scope = Some(ScopeName::parse(SCOPE).unwrap());
        let scope = KeyFilter { scope, ..KeyFilter::default() };
        View {
            revision: store.revision().await.unwrap(),
            keys: list(store, KeyFilter::default(), now).await,
            active_or_expired: ids(list(store, states, now).await),
            readers: ids(list(store, scope, now).await),
            scopes: store.list_scopes(None, true, None, i64::MAX).await.unwrap(),
            businesses: store.held_businesses(None, i64::MAX).await.unwrap(),
            secrets: store.held_secrets(None, i64::MAX).await.unwrap(),
        }
    }
}

impl Told {
    pub(crate) fn sorted(
        through: Revision,
        mut businesses: Vec<HeldBusiness>,
        mut scopes: Vec<ScopeRecord>,
        (mut secrets, mut moved): (Vec<HeldSecret>, Vec<Digest>),
    ) -> Told {
        moved.sort();
        businesses.sort_by(|a, b| a.business_id.cmp(&b.business_id));
        scopes.sort_by(|a, b| a.name.cmp(&b.name));
        secrets.sort_by_key(|held| held.digest);
        Told { through, businesses, scopes, secrets, moved }
    }
}

async fn list(store: &Store, filter: KeyFilter, now: Timestamp) -> Vec<KeyRecord> {
    let query = KeyQuery { business_ids: businesses(), filter, after: None, limit: i64::MAX };
    store.list_keys(query, now).await.unwrap()
}

fn ids(keys: Vec<KeyRecord>) -> Vec<KeyId> {
    keys.into_iter().map(|key| key.key_id).collect()
}
