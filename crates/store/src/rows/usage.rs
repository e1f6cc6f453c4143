//! Rows of usage.

use apikey::{
    id::KeyId,
    usage::{CountedVerdict, Slot},
};
use diesel::prelude::*;

use super::Place;
use crate::{
    columns::{TimeColumn, UidColumn},
    error::StoreError,
    schema::{usage_flushers, usage_slots},
    usage::{Flusher, FlusherId, UsageCount},
};

/// A count on its way into whichever table: what `at` and `last_time` are, the statement says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountRow {
    pub(crate) key_id: UidColumn,
    pub(crate) at: TimeColumn,
    pub(crate) verdict: i16,
    pub(crate) count: i64,
    pub(crate) last_time: TimeColumn,
}

#[derive(Debug, Clone, Copy, Queryable, Selectable)]
#[diesel(table_name = usage_slots)]
pub(crate) struct SlotRow {
    slot_start: TimeColumn,
    key_id: UidColumn,
    verdict: i16,
    count: i64,
    last_time: TimeColumn,
}

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = usage_flushers)]
pub(crate) struct FlusherRow {
    flusher_id: UidColumn,
    batch: i64,
    flushed_through: TimeColumn,
}

impl From<&UsageCount> for CountRow {
    fn from(count: &UsageCount) -> Self {
        let UsageCount { slot, key_id, verdict, count, last_time } = *count;
        Self {
            key_id: UidColumn(key_id),
            at: TimeColumn(slot.start()),
            verdict: verdict_code(verdict),
            count,
            last_time: TimeColumn(last_time),
        }
    }
}

impl TryFrom<SlotRow> for UsageCount {
    type Error = StoreError;

    fn try_from(row: SlotRow) -> Result<Self, StoreError> {
        let SlotRow { slot_start, key_id: UidColumn(key_id), verdict, count, last_time } = row;
        let slot = Slot::of(slot_start.0);
        let verdict = counted_verdict(verdict, "usage_slots", key_id)?;
        Ok(Self { slot, key_id, verdict, count, last_time: last_time.0 })
    }
}

impl From<Flusher> for FlusherRow {
    fn from(Flusher { id, batch, through }: Flusher) -> Self {
        Self { flusher_id: flusher_uid(id), batch, flushed_through: TimeColumn(through) }
    }
}

impl From<FlusherRow> for Flusher {
    fn from(FlusherRow { flusher_id, batch, flushed_through }: FlusherRow) -> Self {
        let id = FlusherId::from_bytes(*flusher_id.0.as_bytes());
        Self { id, batch, through: flushed_through.0 }
    }
}

/// Its 16 bytes travel as a key's do.
pub(crate) fn flusher_uid(id: FlusherId) -> UidColumn {
    UidColumn(KeyId::from_bytes(*id.as_bytes()))
}

/// As the contract numbers them.
pub(crate) const fn verdict_code(verdict: CountedVerdict) -> i16 {
    match verdict {
        CountedVerdict::Valid => 1,
        CountedVerdict::BusinessSuspended => 3,
        CountedVerdict::Revoked => 4,
        CountedVerdict::SecretRotated => 5,
        CountedVerdict::Expired => 6,
        CountedVerdict::Suspended => 7,
        CountedVerdict::EndpointNotMapped => 8,
        CountedVerdict::InsufficientScope => 9,
    }
}

/// The inverse; `table` and `row` name what holds another code.
pub(crate) fn counted_verdict(
    code: i16,
    table: &'static str,
    row: impl ToString,
) -> Result<CountedVerdict, StoreError> {
    let found = CountedVerdict::ALL.into_iter().find(|verdict| verdict_code(*verdict) == code);
    found.ok_or_else(|| {
        let at = Place { table, row: row.to_string() };
        at.corrupt("verdict", format_args!("unknown code {code}"))
    })
}
