//! BatchRevokeKeys: many keys at once, all or none, after a look at what would go.

use apikey::id::KeyId;
use keyward_proto::v1::{
    self, BatchRevokeKeysRequest, BatchRevokeKeysResponse, Key, KeyIds,
    batch_revoke_keys_request::Target,
};
use keyward_store::{
    Store,
    bulk::BULK_MAX,
    list::{KeyFilter, KeySelection, WhichKeys},
};
use prost::Message as _;

use super::{
    Management,
    change::Changed,
    list::{business_ids_from_wire, filter_from_wire},
};
use crate::{
    access::rights,
    callers::Caller,
    errors::{Refusal, violations::Violations},
    wire::{key, page},
};

impl Management {
    pub(super) async fn batch_revoke_keys(
        &self,
        caller: &Caller,
        request: BatchRevokeKeysRequest,
    ) -> Result<BatchRevokeKeysResponse, Refusal> {
        let BatchRevokeKeysRequest { business_ids, target, reason, reason_text, validate_only } =
            request;
        let named: Vec<&str> = business_ids.iter().map(String::as_str).collect();
        rights::to_businesses(&self.store, caller, &named).await?;
        let mut v = Violations::default();
        let business_ids = business_ids_from_wire(&business_ids, &mut v);
        let which = which_from_wire(target, &mut v);
        let reason = key::reason_from_wire(reason, &reason_text, &mut v);
        let ((business_ids, which), (reason, text)) =
            v.finish(business_ids.zip(which).zip(reason))?;
        if let WhichKeys::Filter(KeyFilter { unused_since: Some(since), .. }) = &which {
            self.check_counted(*since).await?;
        }
        let selection = KeySelection { business_ids, which };
        if validate_only {
            let going = self.store.check_revoke_keys(selection, self.clock.now()).await?;
            return Ok(BatchRevokeKeysResponse {
                keys: fitting(self.keys(going).await?),
                receipt: None,
            });
        }
        let work =
            async move |store: Store, act| store.revoke_keys(selection, reason, text, act).await;
        let Changed { value, receipt, .. } = self.change(caller, work).await?;
        let keys = fitting(self.changed_keys(value).await);
        Ok(BatchRevokeKeysResponse { keys, receipt: Some(receipt) })
    }
}

/// Keys, and where they are too much for a message, what tells one from another.
fn fitting(mut keys: Vec<Key>) -> Vec<Key> {
    if keys.iter().map(Key::encoded_len).sum::<usize>() > page::BYTES_MAX {
        for key in &mut keys {
            key.description.clear();
            key.scopes.clear();
            key.retired_scopes.clear();
            key.annotations.clear();
            key.revoke_reason_text.clear();
        }
    }
    keys
}

fn which_from_wire(target: Option<Target>, violations: &mut Violations) -> Option<WhichKeys> {
    match target {
        None => {
            violations.add("key_ids", "one of key_ids and filter must be set");
            None
        }
        Some(Target::KeyIds(KeyIds { key_ids })) => {
            ids_from_wire(&key_ids, violations).map(WhichKeys::Ids)
        }
        Some(Target::Filter(filter)) if filter == v1::KeyFilter::default() => {
            violations.add("filter", "must set a condition: without one it matches every key");
            None
        }
        Some(Target::Filter(filter)) => {
            filter_from_wire(&filter, violations).map(WhichKeys::Filter)
        }
    }
}

fn ids_from_wire(ids: &[String], violations: &mut Violations) -> Option<Vec<KeyId>> {
    const FIELD: &str = "key_ids.key_ids";
    if ids.is_empty() || ids.len() > BULK_MAX {
        violations.add(FIELD, format!("must name 1 to {BULK_MAX} keys, not {}", ids.len()));
        return None;
    }
    let parsed: Vec<KeyId> = ids
        .iter()
        .enumerate()
        .filter_map(|(i, id)| violations.take(format!("{FIELD}[{i}]"), KeyId::parse(id)))
        .collect();
    (parsed.len() == ids.len()).then_some(parsed)
}
