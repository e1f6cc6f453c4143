//! QueryUsage, and what each key's own answer says of its use.

use std::time::Duration;

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
};
use keyward_proto::v1::{ErrorReason, Key, QueryUsageRequest, QueryUsageResponse};
use keyward_store::{
    error::{Refused, StoreError},
    record::KeyRecord,
    usage::{DAYS_KEPT, KeyUsage, UsageQuery},
};
use tokio::time::timeout;

use super::Management;
use crate::{
    callers::Caller,
    errors::{Refusal, violations::Violations},
    wire::{self, time},
};

/// The longest time that is asked for at once, in days: for so long days are kept.
const DAYS_MAX: u64 = DAYS_KEPT.as_secs() / (24 * 60 * 60);
/// How long the answer to a change waits for what is only told besides: it may carry a secret.
const BESIDES_MAX: Duration = Duration::from_secs(1);

impl Management {
    pub(super) async fn query_usage(
        &self,
        caller: &Caller,
        request: QueryUsageRequest,
    ) -> Result<QueryUsageResponse, Refusal> {
        self.right_to(caller, &request.business_id).await?;
        let query = usage_query(request)?;
        let report = self.store.query_usage(query, self.clock.now()).await?;
        let report = report.ok_or_else(|| Refusal::from(Refused::KeyNotFound))?;
        Ok(wire::usage::report_to_wire(report))
    }

    /// Keys as a caller sees them now.
    pub(super) async fn keys(&self, records: Vec<KeyRecord>) -> Result<Vec<Key>, Refusal> {
        Ok(self.keys_with_usage(&records).await?)
    }

    /// A key that was just made. Of its use everything is known, but for when its period ends.
    pub(super) async fn new_key(&self, record: KeyRecord) -> Key {
        let (business_id, create_time) = (record.business_id.clone(), record.create_time);
        let mut key = self.key(record);
        let period = self.store.billing_period(&business_id, create_time);
        match timeout(BESIDES_MAX, period).await.unwrap_or_else(|_| late()) {
            Ok(period) => wire::usage::tell(&mut key, KeyUsage::none(period, create_time)),
            Err(error) => {
                tracing::warn!(error.cause = %error, "the period of a new key cannot be read");
            }
        }
        key
    }

    /// A key that a change left behind. The change is told of also where the key's use cannot be read, and
    /// then says nothing of it.
    pub(super) async fn changed_key(&self, record: KeyRecord) -> Key {
        let told = self.changed_keys(vec![record.clone()]).await.pop();
        told.unwrap_or_else(|| self.key(record))
    }

    /// As [`Self::changed_key`], of several.
    pub(super) async fn changed_keys(&self, records: Vec<KeyRecord>) -> Vec<Key> {
        let told = timeout(BESIDES_MAX, self.keys_with_usage(&records)).await;
        match told.unwrap_or_else(|_| late()) {
            Ok(keys) => keys,
            Err(error) => {
                tracing::warn!(error.cause = %error, "the use of changed keys cannot be read");
                records.into_iter().map(|record| self.key(record)).collect()
            }
        }
    }

    async fn keys_with_usage(&self, records: &[KeyRecord]) -> Result<Vec<Key>, StoreError> {
        let key_ids = records.iter().map(|record| record.key_id).collect();
        let usages = self.store.usage_of_keys(key_ids, self.clock.now()).await?;
        let told = |record: &KeyRecord| {
            let mut key = self.key(record.clone());
            if let Some(usage) = usages.get(&record.key_id) {
                wire::usage::tell(&mut key, *usage);
            }
            key
        };
        Ok(records.iter().map(told).collect())
    }

    /// Of what is not counted yet nobody can say that it did not happen.
    pub(super) async fn check_counted(&self, since: Timestamp) -> Result<(), Refusal> {
        let until = self.store.counted_until(self.clock.now()).await?;
        if since <= until {
            return Ok(());
        }
        Err(Refusal::new(
            ErrorReason::NotCountedYet,
            format!(
                "uses are counted until {until}, and filter.unused_since_time is later; try again \
                 shortly, or ask about an earlier time"
            ),
        )
        .with("counted_until_time", until))
    }
}

fn late<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("no answer in time".to_owned()))
}

fn usage_query(request: QueryUsageRequest) -> Result<UsageQuery, Refusal> {
    let QueryUsageRequest { business_id, key_id, start_time, end_time, granularity } = request;
    let mut v = Violations::default();
    let business_id = v.take("business_id", BusinessId::parse(&business_id));
    let key_id = if key_id.is_empty() {
        Some(None)
    } else {
        v.take("key_id", KeyId::parse(&key_id)).map(Some)
    };
    let start = moment("start_time", start_time, &mut v);
    let end = moment("end_time", end_time, &mut v);
    let span = start.zip(end).filter(|(start, end)| {
        let long = start.saturating_add(DAYS_KEPT) < *end;
        if long || end <= start {
            let what = format!("must be after start_time, by at most {DAYS_MAX} days");
            v.add("end_time", what);
        }
        !long && start < end
    });
    let granularity = wire::usage::granularity_from_wire(granularity, &mut v);
    let whole = || {
        let (start, end) = span?;
        let (business_id, key_id, granularity) = (business_id?, key_id?, granularity?);
        Some(UsageQuery { business_id, key_id, start, end, granularity })
    };
    let whole = whole();
    v.finish(whole)
}

fn moment(
    field: &str,
    time: Option<prost_types::Timestamp>,
    violations: &mut Violations,
) -> Option<Timestamp> {
    match time {
        None => {
            violations.add(field, "must be set");
            None
        }
        Some(time) => violations.take(field, time::from_wire(time)),
    }
}
