//! What counts, and what is told of it.

mod counting;
mod flushing;
mod lists;
mod query_usage;

use keyward_proto::v1::Key;

use crate::harness::Server;

impl Server {
    /// The key, when everything that was counted is stored.
    async fn counted_key(&self, key_id: &str) -> Key {
        self.running.usage.flush().await.unwrap();
        self.get_key(key_id).await
    }
}
