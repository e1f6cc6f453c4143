//! BatchImportKeys: keys of another system, each on its own. What is wrong with one is told of that one,
//! and the others are taken over.

use keyward_proto::v1::{
    BatchImportKeysRequest, BatchImportKeysResponse, ImportKey, ImportKeyResult,
};
use keyward_store::{Store, bulk::BULK_MAX, import::ImportedKey};

use super::{Management, change::Changed};
use crate::{
    callers::Caller,
    errors::{Refusal, violations::Violations},
    wire::import::{Importing, invalid, result_to_wire},
};

impl Management {
    pub(super) async fn batch_import_keys(
        &self,
        caller: &Caller,
        request: BatchImportKeysRequest,
    ) -> Result<BatchImportKeysResponse, Refusal> {
        let BatchImportKeysRequest { keys, validate_only } = request;
        if keys.is_empty() || keys.len() > BULK_MAX {
            let mut v = Violations::default();
            v.add("keys", format!("must be 1 to {BULK_MAX} keys, not {}", keys.len()));
            return Err(v.into());
        }
        let (good, faults) = self.sort(keys)?;
        let (outcomes, receipt) = if validate_only {
            (self.store.check_import_keys(good, self.act(caller)).await?, None)
        } else {
            let work = async move |store: Store, act| store.import_keys(good, act).await;
            let Changed { value, receipt, .. } = self.change(caller, work).await?;
            (value, Some(receipt))
        };
        let mut outcomes = outcomes.into_iter().map(result_to_wire);
        let results: Option<Vec<ImportKeyResult>> = faults
            .into_iter()
            .map(|fault| fault.map(invalid).or_else(|| outcomes.next()))
            .collect();
        let results = results.ok_or_else(|| Refusal::internal("fewer outcomes than keys"))?;
        Ok(BatchImportKeysResponse { results, receipt })
    }
    /// The keys that break no rule of their own; and of every key what is wrong with it, if anything.
    fn sort(&self, keys: Vec<ImportKey>) -> Result<Sorted, Refusal> {
        let prefix = self.prefixes.first();
        let importing = Importing {
            peppers: &self.peppers,
            random: &*self.random,
            prefix: prefix.ok_or_else(|| Refusal::internal("no secret prefix"))?,
            now: self.clock.now(),
        };
        let mut good = Vec::with_capacity(keys.len());
        let mut faults = Vec::with_capacity(keys.len());
        for key in keys {
            match importing.key_from_wire(key)? {
                Ok(key) => {
                    good.push(key);
                    faults.push(None);
                }
                Err(fault) => faults.push(Some(fault)),
            }
        }
        Ok((good, faults))
    }
}

type Sorted = (Vec<ImportedKey>, Vec<Option<String>>);
