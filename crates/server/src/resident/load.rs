//! Reads everything that verification needs, page by page, into a view that nobody reads yet.

use std::{sync::Arc, time::Duration};

use apikey::{clock::Timestamp, digest::Digest};
use keyward_store::{Store, error::StoreError};

use super::{
    record::Record,
    view::{View, shard_of},
};

/// Rows a page: large enough that round trips do not count, small enough to stay out of the way.
const PAGE: i64 = 10_000;

impl View {
    /// The store's whole content. Changes that are committed meanwhile are in, or come by the feed.
    pub(super) async fn load(
        store: &Store,
        recognition: Duration,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut view = Self::empty();
        // Read first: rows that are read later hold at least everything up to it.
        let revision = store.revision().await?;
        view.load_businesses(store).await?;
        view.load_scopes(store).await?;
        view.load_secrets(store, recognition, now).await?;
        view.set_applied(revision);
        Ok(view)
    }

    async fn load_businesses(&self, store: &Store) -> Result<(), StoreError> {
        let mut after: Option<String> = None;
        loop {
            let page = store.held_businesses(after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.business_id.as_str().to_owned());
            self.put_businesses(page);
        }
    }

    async fn load_scopes(&self, store: &Store) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = store.list_scopes(after, true, None, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.name.clone());
            self.put_scopes(page, &[]);
        }
    }

    /// Pages come sorted by digest, and so shard after shard.
    async fn load_secrets(
        &mut self,
        store: &Store,
        recognition: Duration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut after = None;
        let mut block: Vec<(Digest, Arc<Record>)> = Vec::new();
        loop {
            let page = store.held_secrets(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.digest);
            self.put_scopes(Vec::new(), &page);
            for secret in page {
                let digest = secret.digest;
                let record = self.record(secret);
                if record.is_forgotten(recognition, now) {
                    continue;
                }
                if let Some((previous, _)) = block.last()
                    && shard_of(previous) != shard_of(&digest)
                {
                    self.fill(std::mem::take(&mut block));
                }
                block.push((digest, Arc::new(record)));
            }
        }
        self.fill(block);
        Ok(())
    }
}
