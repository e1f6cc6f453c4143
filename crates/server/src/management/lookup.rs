//! LookupKey: what is this string? It is hashed at once, and goes nowhere else.

use apikey::{digest::SecretHash, secret::PRESENTED_SECRET_MAX_BYTES};
use keyward_proto::v1::{LookupKeyRequest, LookupKeyResponse, SecretGeneration};
use keyward_store::{Store, lookup::FoundSecret};
use zeroize::Zeroizing;

use super::{Management, change::Changed};
use crate::{
    callers::Caller,
    errors::{Refusal, violations::Violations},
    wire::time,
};

impl Management {
    pub(super) async fn lookup_key(
        &self,
        caller: &Caller,
        request: LookupKeyRequest,
    ) -> Result<LookupKeyResponse, Refusal> {
        let LookupKeyRequest { presented_secret } = request;
        let secret = Zeroizing::new(presented_secret);
        if secret.is_empty() {
            let mut v = Violations::default();
            v.add("presented_secret", "must be set");
            return Err(v.into());
        }
        let digests = if secret.len() > PRESENTED_SECRET_MAX_BYTES {
            // Nothing that long was ever issued or imported.
            Vec::new()
        } else {
            let hash = SecretHash::of(secret.as_bytes());
            self.peppers.iter().map(|pepper| pepper.digest(&hash)).collect()
        };
        let work = async move |store: Store, act| store.look_up(digests, act).await;
        let Changed { value, .. } = self.change(caller, work).await?;
        let Some(FoundSecret { key, generation, create_time, rotate_time }) = value else {
            return Ok(LookupKeyResponse::default());
        };
        let generation = SecretGeneration {
            number: generation,
            current: rotate_time.is_none(),
            create_time: Some(time::to_wire(create_time)),
            rotate_time: rotate_time.map(time::to_wire),
        };
        Ok(LookupKeyResponse {
            key: Some(self.changed_key(key).await),
            generation: Some(generation),
        })
    }
}
