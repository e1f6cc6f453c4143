//! A small part of the index: an immutable block behind an atomic pointer. Readers never wait;
//! a change writes a new block and swaps it in.

use std::sync::Arc;

use apikey::digest::Digest;
use arc_swap::ArcSwap;

use super::record::Record;

/// Secrets whose digests begin alike, sorted by digest.
type Block = Box<[(Digest, Arc<Record>)]>;

#[derive(Debug)]
pub(super) struct Shard(ArcSwap<Block>);

impl Shard {
    /// `block` is sorted by digest.
    pub(super) fn new(block: Vec<(Digest, Arc<Record>)>) -> Self {
        Self(ArcSwap::from_pointee(block.into_boxed_slice()))
    }

    /// Another one with the same block.
    pub(super) fn copy(&self) -> Self {
        Self(ArcSwap::new(self.0.load_full()))
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Record>> {
        let block = self.0.load();
        let place = block.binary_search_by(|(at, _)| at.cmp(digest)).ok()?;
        block.get(place).map(|(_, record)| Arc::clone(record))
    }

    pub(super) fn len(&self) -> usize {
        self.0.load().len()
    }

    /// Puts a secret in, over its older state. Only ever called by one thread at a time.
    pub(super) fn put(&self, digest: Digest, record: Arc<Record>) {
        let mut block = self.0.load().to_vec();
        match block.binary_search_by(|(at, _)| at.cmp(&digest)) {
            Ok(place) => {
                if let Some((_, old)) = block.get_mut(place) {
                    *old = record;
                }
            }
            Err(place) => block.insert(place, (digest, record)),
        }
        self.0.store(Arc::new(block.into_boxed_slice()));
    }

    /// Takes a secret out. Only ever called by one thread at a time.
    pub(super) fn remove(&self, digest: &Digest) {
        let block = self.0.load();
        let kept = block.iter().filter(|(at, _)| at != digest).cloned();
        self.0.store(Arc::new(kept.collect()));
    }

    /// Keeps only what `keep` says. Only ever called by one thread at a time.
    pub(super) fn retain(&self, keep: impl Fn(&Record) -> bool) {
        let block = self.0.load();
        if block.iter().all(|(_, record)| keep(record)) {
            return;
        }
        let kept = block.iter().filter(|(_, record)| keep(record)).cloned();
        self.0.store(Arc::new(kept.collect()));
    }
}
