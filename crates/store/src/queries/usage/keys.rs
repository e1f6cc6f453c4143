//! What can be said of keys' use: what is rolled up, and what is not yet, from one snapshot.

use std::collections::BTreeMap;

use apikey::{
    billing::BillingPeriod,
    clock::Timestamp,
    id::{BusinessId, KeyId},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{NEVER, counted_until, engine, gaps, open_slots, progress, schedules};
use crate::{
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    rows::SlotRow,
    schema::{keys, usage_last, usage_slots, usage_totals},
    usage::{Gap, KeyUsage, UsageCount},
};

impl engine::Database {
    pub(crate) async fn billing_period(
        &self,
        business_id: &BusinessId,
        time: Timestamp,
    ) -> Result<BillingPeriod, StoreError> {
        let mut conn = self.read().await?;
        let schedules = schedules(&mut conn, vec![business_id.as_str()]).await?;
        let schedule = schedules.into_values().next().unwrap_or_default();
        Ok(schedule.period_at(time))
    }

    pub(crate) async fn usage_of_keys(
        &self,
        key_ids: Vec<KeyId>,
        now: Timestamp,
    ) -> Result<BTreeMap<KeyId, KeyUsage>, StoreError> {
        let mut conn = self.read().await?;
        read_snapshot!(conn, async move |conn| {
            let mut usages = unused(conn, &key_ids, now).await?;
            add_rolled_up(conn, &mut usages).await?;
            add_open(conn, &mut usages).await?;
            Ok(usages)
        })
        .await
    }
}

/// The keys that are known, in the current periods of their businesses.
async fn unused(
    conn: &mut engine::Connection,
    key_ids: &[KeyId],
    now: Timestamp,
) -> Result<BTreeMap<KeyId, KeyUsage>, StoreError> {
    let counted_until = counted_until(conn, now).await?;
    let owners: Vec<(UidColumn, String)> = keys::table
        .filter(keys::key_id.eq_any(key_ids.iter().copied().map(UidColumn)))
        .select((keys::key_id, keys::business_id))
        .load(conn)
        .await?;
    let mut business_ids: Vec<&str> = owners.iter().map(|(_, id)| id.as_str()).collect();
    business_ids.sort_unstable();
    business_ids.dedup();
    let schedules = schedules(conn, business_ids).await?;
    let periods: BTreeMap<&str, BillingPeriod> =
        schedules.iter().map(|(id, schedule)| (id.as_str(), schedule.period_at(now))).collect();
    let start = periods.values().map(|period| period.start).min().unwrap_or(now);
    let end = periods.values().map(|period| period.end).max().unwrap_or(now);
    let gaps = gaps(conn, start, end).await?;
    let unused = |(UidColumn(key_id), business_id): &(UidColumn, String)| {
        let billing_period = *periods.get(business_id.as_str())?;
        let BillingPeriod { start, end } = billing_period;
        let incomplete = gaps.iter().any(|gap: &Gap| gap.start < end && gap.end >= start);
        let none = KeyUsage::none(billing_period, counted_until);
        Some((*key_id, KeyUsage { incomplete, ..none }))
    };
    Ok(owners.iter().filter_map(unused).collect())
}

async fn add_rolled_up(
    conn: &mut engine::Connection,
    usages: &mut BTreeMap<KeyId, KeyUsage>,
) -> Result<(), StoreError> {
    let key_ids = || usages.keys().copied().map(UidColumn);
    let last: Vec<(UidColumn, TimeColumn, TimeColumn)> =
        usage_last::table.filter(usage_last::key_id.eq_any(key_ids())).load(conn).await?;
    let mut starts: Vec<Timestamp> =
        usages.values().map(|usage| usage.billing_period.start).collect();
    starts.sort_unstable();
    starts.dedup();
    let totals: Vec<(UidColumn, TimeColumn, i64)> = usage_totals::table
        .filter(usage_totals::key_id.eq_any(key_ids()))
        .filter(usage_totals::period_start.eq_any(starts.into_iter().map(TimeColumn)))
        .load(conn)
        .await?;
    for (UidColumn(key_id), TimeColumn(used), TimeColumn(denied)) in last {
        if let Some(usage) = usages.get_mut(&key_id) {
            usage.last_use_time = Some(used).filter(|time| *time > NEVER);
            usage.last_denied_use_time = Some(denied).filter(|time| *time > NEVER);
        }
    }
    for (UidColumn(key_id), TimeColumn(start), count) in totals {
        let usage = usages.get_mut(&key_id);
        if let Some(usage) = usage.filter(|usage| usage.billing_period.start == start) {
            usage.request_count = count;
        }
    }
    Ok(())
}

async fn add_open(
    conn: &mut engine::Connection,
    usages: &mut BTreeMap<KeyId, KeyUsage>,
) -> Result<(), StoreError> {
    let progress = progress(conn).await?;
    let slots = open_slots(conn, progress).await?;
    let rows: Vec<SlotRow> = usage_slots::table
        .filter(usage_slots::slot_start.eq_any(slots))
        .filter(usage_slots::key_id.eq_any(usages.keys().copied().map(UidColumn)))
        .select(SlotRow::as_select())
        .load(conn)
        .await?;
    for row in rows {
        let count = UsageCount::try_from(row)?;
        let Some(usage) = usages.get_mut(&count.key_id) else { continue };
        let last = if count.verdict.is_use() {
            if !progress.includes(&count) && usage.billing_period.contains(count.slot.start()) {
                usage.request_count = usage.request_count.saturating_add(count.count);
            }
            &mut usage.last_use_time
        } else {
            &mut usage.last_denied_use_time
        };
        *last = (*last).max(Some(count.last_time));
    }
    Ok(())
}
