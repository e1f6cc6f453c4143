//! The one object that answers are read from, and the cell that holds it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use apikey::{
    catalogue::{Catalogue, ScopeDefinition},
    clock::Timestamp,
    digest::{Digest, PepperSet, SecretHash},
    id::BusinessId,
    scope::ScopeName,
    secret::PRESENTED_SECRET_MAX_BYTES,
};
use arc_swap::{ArcSwap, Guard};
use keyward_store::record::{HeldBusiness, HeldSecret, Revision, ScopeRecord};

use super::{
    gate::Gate,
    record::{Business, Record, Roles},
    shard::Shard,
};

/// A digest's first two bytes name its shard: small enough to be rewritten in microseconds at ten
/// million keys.
const SHARDS: usize = 1 << 16;

/// This replica may not answer from memory now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotServing;

/// A presented secret that is known.
#[derive(Debug)]
pub struct Found {
    /// What is known of it.
    pub record: Arc<Record>,
    /// Set: its digest is one under an older pepper.
    pub outdated: Option<Outdated>,
}

/// What it takes to give a secret a digest under the newest pepper.
#[derive(Debug)]
pub struct Outdated {
    /// What digests of it are made from.
    pub hash: SecretHash,
    /// The one that it has.
    pub digest: Digest,
}

/// Holds the view that is current. It is replaced only when everything is loaded anew.
#[derive(Debug)]
pub struct Index {
    gate: Arc<Gate>,
    view: ArcSwap<View>,
}

/// Everything that verification knows, at one `applied` revision or a little after it.
#[derive(Debug)]
pub struct View {
    shards: Box<[Shard]>,
    catalogue: ArcSwap<Catalogue>,
    applied: AtomicI64,
    /// Touched by the follower only.
    businesses: Mutex<HashMap<BusinessId, Arc<Business>>>,
}

impl Index {
    /// An index that answers while `gate` is open.
    #[must_use]
    pub fn new(gate: Arc<Gate>, view: View) -> Self {
        Self { gate, view: ArcSwap::from_pointee(view) }
    }

    /// The view to answer one request from. Taken after the request arrived, before the record.
    ///
    /// # Errors
    /// `NotServing`: there is no right to answer from memory now.
    pub fn view(&self) -> Result<Guard<Arc<View>>, NotServing> {
        let view = self.view.load();
        if self.gate.is_open() { Ok(view) } else { Err(NotServing) }
    }

    /// Up to which change the memory holds everything, whether or not it may be answered from.
    #[must_use]
    pub fn applied(&self) -> Revision {
        self.view.load().applied()
    }

    /// How many secrets are in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.view.load().shards.iter().map(Shard::len).sum()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The catalogue as memory knows it, whether or not it may be answered from.
    #[must_use]
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.view.load().catalogue.load_full()
    }

    /// Reads an answer from memory, from one whole state of it: where the view is replaced meanwhile, the
    /// answer may be half of the old and half of the new, and is read again.
    ///
    /// # Errors
    /// `NotServing`: there is no right to answer from memory now.
    pub fn answer<T>(&self, read: impl Fn(&View) -> T) -> Result<T, NotServing> {
        loop {
            let view = self.view()?;
            let answer = read(&view);
            if Arc::ptr_eq(&view, &self.current()) {
                return Ok(answer);
            }
        }
    }

    /// The view that is current, whether or not it may be answered from.
    pub(super) fn current(&self) -> Guard<Arc<View>> {
        self.view.load()
    }

    /// Puts another view in this one's place.
    pub(super) fn replace(&self, view: impl Into<Arc<View>>) {
        self.view.store(view.into());
    }

    /// Memory is current until a moment at least.
    pub(super) fn keep_current(&self, until: Instant) {
        self.gate.keep_current(until);
    }

    /// Forgets secrets that are no longer recognised. Only ever called by one thread at a time.
    pub(super) fn sweep(&self, recognition: Duration, now: Timestamp) {
        let view = self.view.load();
        let keep = |record: &Record| !record.is_forgotten(recognition, now);
        view.shards.iter().for_each(|shard| shard.retain(keep));
    }
}

impl View {
    /// A view of nothing.
    pub(super) fn empty() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::new(Vec::new())).collect(),
            catalogue: ArcSwap::from_pointee(Catalogue::new()),
            applied: AtomicI64::new(0),
            businesses: Mutex::default(),
        }
    }

    /// The record of a presented secret, whatever pepper its digest was made with.
    #[must_use]
    pub fn find(&self, peppers: &PepperSet, presented: &[u8]) -> Option<Found> {
        if presented.is_empty() || presented.len() > PRESENTED_SECRET_MAX_BYTES {
            return None;
        }
        let hash = SecretHash::of(presented);
        let newest = peppers.newest().digest(&hash);
        let current = || self.get(&newest).map(|record| Found { record, outdated: None });
        let mut older = peppers.iter().skip(1).map(|pepper| pepper.digest(&hash)).peekable();
        if let Some(found) = current() {
            return Some(found);
        }
        older.peek()?;
        if let Some((record, digest)) = older.find_map(|digest| Some((self.get(&digest)?, digest)))
        {
            return Some(Found { record, outdated: Some(Outdated { hash, digest }) });
        }
        // A secret that is moved is put under the newest pepper before it goes from an older one. Who looked
        // under the newest before, and under the older one after, finds it now.
        current()
    }

    /// The secret with this digest.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<Arc<Record>> {
        self.shard(digest).and_then(|shard| shard.get(digest))
    }

    /// The scope catalogue.
    #[must_use]
    pub fn catalogue(&self) -> Guard<Arc<Catalogue>> {
        self.catalogue.load()
    }

    /// At least every change up to this one is in what is read from now on.
    #[must_use]
    pub fn applied(&self) -> Revision {
        Revision(self.applied.load(Ordering::Acquire))
    }

    fn shard(&self, digest: &Digest) -> Option<&Shard> {
        self.shards.get(shard_of(digest))
    }

    /// Another view of the same. What is put into it does not show here, but for businesses, which the
    /// records of both share.
    pub(super) fn copy(&self) -> Self {
        let businesses = self.businesses.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            shards: self.shards.iter().map(Shard::copy).collect(),
            catalogue: ArcSwap::new(self.catalogue.load_full()),
            applied: AtomicI64::new(self.applied().0),
            businesses: Mutex::new(businesses.clone()),
        }
    }

    /// Whether this business's keys are denied by now.
    pub(super) fn is_suspended(&self, id: &BusinessId) -> bool {
        let businesses = self.businesses.lock().unwrap_or_else(PoisonError::into_inner);
        businesses.get(id).is_some_and(|business| business.is_suspended())
    }

    /// Scopes and businesses that the secrets mention are known by now.
    /// In this order: a secret that gets another digest is never nowhere.
    pub(super) fn put_secrets(&self, secrets: Vec<HeldSecret>, moved: &[Digest]) {
        for secret in secrets {
            let digest = secret.digest;
            let record = Arc::new(self.record(secret));
            if let Some(shard) = self.shard(&digest) {
                shard.put(digest, record);
            }
        }
        for digest in moved {
            if let Some(shard) = self.shard(digest) {
                shard.remove(digest);
            }
        }
    }

    pub(super) fn put_businesses(&self, businesses: Vec<HeldBusiness>) {
        for HeldBusiness { business_id, suspended } in businesses {
            self.business(business_id).set_suspended(suspended);
        }
    }

    /// The catalogue is replaced whole, and only if something in it is new.
    pub(super) fn put_scopes(&self, scopes: Vec<ScopeRecord>, of_secrets: &[HeldSecret]) {
        let current = self.catalogue.load();
        let mentioned = of_secrets.iter().flat_map(|secret| secret.scopes.iter());
        let unknown: Vec<&ScopeName> =
            mentioned.filter(|name| current.id(name.as_str()).is_none()).collect();
        if scopes.is_empty() && unknown.is_empty() {
            return;
        }
        let mut catalogue = Catalogue::clone(&current);
        for name in unknown {
            catalogue.intern(name);
        }
        for scope in scopes {
            let ScopeRecord { name, assignable_by, endpoints, retire_time, .. } = scope;
            let retired = retire_time.is_some();
            catalogue.put(ScopeDefinition { name, assignable_by, templates: endpoints, retired });
        }
        self.catalogue.store(Arc::new(catalogue));
    }

    /// Scopes and businesses that the secret mentions are known by now.
    pub(super) fn record(&self, secret: HeldSecret) -> Record {
        let HeldSecret {
            digest: _,
            pepper_version: _,
            generation,
            key_id,
            business_id,
            display_name,
            scopes,
            annotations,
            lifecycle,
        } = secret;
        let catalogue = self.catalogue.load();
        let roles = if business_id.is_reserved() {
            scopes
                .iter()
                .fold(Roles::default(), |roles, scope| roles.and(Roles::of(scope.as_str())))
        } else {
            Roles::default()
        };
        Record {
            key_id,
            business: self.business(business_id),
            generation,
            lifecycle,
            display_name: display_name.as_str().into(),
            scopes: scopes.iter().filter_map(|scope| catalogue.id(scope.as_str())).collect(),
            annotations: annotations
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            roles,
        }
    }

    fn business(&self, id: BusinessId) -> Arc<Business> {
        let mut businesses = self.businesses.lock().unwrap_or_else(PoisonError::into_inner);
        let business = || Arc::new(Business::new(id.clone(), false));
        Arc::clone(businesses.entry(id.clone()).or_insert_with(business))
    }

    /// Sets a shard's whole content, sorted, while nobody reads yet.
    pub(super) fn fill(&mut self, block: Vec<(Digest, Arc<Record>)>) {
        let shard = block.first().map(|(digest, _)| shard_of(digest));
        if let Some(place) = shard.and_then(|shard| self.shards.get_mut(shard)) {
            *place = Shard::new(block);
        }
    }

    /// Everything up to this change is in.
    pub(super) fn set_applied(&self, revision: Revision) {
        self.applied.fetch_max(revision.0, Ordering::Release);
    }
}

/// A digest's first two bytes name its shard.
pub(super) fn shard_of(digest: &Digest) -> usize {
    let [first, second, ..] = *digest.as_bytes();
    usize::from(u16::from_be_bytes([first, second]))
}

#[cfg(test)]
mod tests;
