//! ListKeys.

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
    scope::ScopeName,
    settings::DisplayName,
};
use keyward_proto::v1::{self, KeyOrder, ListKeysRequest, ListKeysResponse};
use keyward_store::{
    list::{KeyFilter, KeyPosition, KeyQuery, LastUsePosition, LastUseQuery},
    record::KeyRecord,
};

use super::Management;
use crate::{
    access::{
        Rpc,
        rights::{self, BUSINESSES_MAX, too_many_businesses},
    },
    callers::Caller,
    errors::{Refusal, violations::Violations},
    wire::{self, page, time},
};

/// In a place: before every use.
const NEVER: Timestamp = Timestamp::MIN;

/// A list, by one of its orders.
enum Query {
    CreateTime(KeyQuery),
    LastUseTime(LastUseQuery),
}

impl Query {
    const fn filter(&self) -> &KeyFilter {
        match self {
            Self::CreateTime(query) => &query.filter,
            Self::LastUseTime(query) => &query.filter,
        }
    }
}

impl Management {
    pub(super) async fn list_keys(
        &self,
        caller: &Caller,
        request: ListKeysRequest,
    ) -> Result<ListKeysResponse, Refusal> {
        let named: Vec<&str> = request.business_ids.iter().map(String::as_str).collect();
        rights::to_businesses(&self.store, caller, &named).await?;
        let bound_to = bound_to(&request);
        let (query, size) = self.key_query(&request, &bound_to)?;
        if let Some(since) = query.filter().unused_since {
            self.check_counted(since).await?;
        }
        let (found, positions): (Vec<_>, Vec<_>) = self.found(query).await?.into_iter().unzip();
        let found = self.keys(found).await?.into_iter().zip(positions).collect();
        let (keys, last) = page::cut(found, size, |placed| placed);
        let next_page_token = page::next(&self.peppers, &bound_to, last);
        Ok(ListKeysResponse { keys, next_page_token })
    }

    /// Keys, and the place of each in its order.
    async fn found(&self, query: Query) -> Result<Vec<(KeyRecord, Vec<u8>)>, Refusal> {
        let now = self.clock.now();
        Ok(match query {
            Query::CreateTime(query) => {
                let found = self.store.list_keys(query, now).await?.into_iter();
                let place = |key: KeyRecord| {
                    let place = position_bytes(key.create_time, key.key_id);
                    (key, place)
                };
                found.map(place).collect()
            }
            Query::LastUseTime(query) => {
                let found = self.store.list_keys_by_last_use(query, now).await?.into_iter();
                let place = |LastUsePosition { last_use_time, key_id }| {
                    position_bytes(last_use_time.unwrap_or(NEVER), key_id)
                };
                found.map(|(key, position)| (key, place(position))).collect()
            }
        })
    }

    fn key_query(
        &self,
        request: &ListKeysRequest,
        bound_to: &[u8],
    ) -> Result<(Query, u16), Refusal> {
        let ListKeysRequest { business_ids, filter, order, page_size, page_token } = request;
        let mut v = Violations::default();
        let no_filter = v1::KeyFilter::default();
        let filter = filter.as_ref().unwrap_or(&no_filter);
        let business_ids = business_ids_from_wire(business_ids, &mut v);
        let filter = filter_from_wire(filter, &mut v);
        let order = KeyOrder::try_from(*order).ok();
        if order.is_none() {
            v.add("order", "must be KEY_ORDER_CREATE_TIME or KEY_ORDER_LAST_USE_TIME");
        }
        let size = page::size(*page_size, &mut v);
        let after = page::position(&self.peppers, bound_to, page_token, &mut v);
        let whole = || {
            let size = size?;
            let (business_ids, filter) = (business_ids?, filter?);
            let after = after?.and_then(|bytes| position_from_bytes(&bytes));
            // One more than the page holds tells whether another page follows.
            let limit = i64::from(size).saturating_add(1);
            let query = match order? {
                KeyOrder::Unspecified | KeyOrder::CreateTime => {
                    let after =
                        after.map(|(create_time, key_id)| KeyPosition { create_time, key_id });
                    Query::CreateTime(KeyQuery { business_ids, filter, after, limit })
                }
                KeyOrder::LastUseTime => {
                    let after = after.map(|(time, key_id)| LastUsePosition {
                        last_use_time: Some(time).filter(|time| *time > NEVER),
                        key_id,
                    });
                    Query::LastUseTime(LastUseQuery { business_ids, filter, after, limit })
                }
            };
            Some((query, size))
        };
        let whole = whole();
        v.finish(whole)
    }
}

pub(super) fn business_ids_from_wire(
    ids: &[String],
    violations: &mut Violations,
) -> Option<Vec<BusinessId>> {
    if ids.is_empty() || ids.len() > BUSINESSES_MAX {
        violations.add("business_ids", too_many_businesses(ids.len()));
        return None;
    }
    let parsed: Vec<_> = ids
        .iter()
        .enumerate()
        .filter_map(|(i, id)| violations.take(format!("business_ids[{i}]"), BusinessId::parse(id)))
        .collect();
    (parsed.len() == ids.len()).then_some(parsed)
}

pub(super) fn filter_from_wire(
    filter: &v1::KeyFilter,
    violations: &mut Violations,
) -> Option<KeyFilter> {
    let v1::KeyFilter {
        states,
        scope,
        never_used,
        unused_since_time,
        expire_before_time,
        obfuscated_secret,
        display_name_part,
    } = filter;
    let v = violations;
    let mut wanted = Vec::with_capacity(states.len());
    for state in states {
        match v1::KeyState::try_from(*state).ok().and_then(wire::key::state_from_wire) {
            Some(state) if !wanted.contains(&state) => wanted.push(state),
            Some(_) => {}
            None => v.add("filter.states", "must be ACTIVE, SUSPENDED, EXPIRED or REVOKED"),
        }
    }
    let scope = optional(scope, |scope| v.take("filter.scope", ScopeName::parse(scope)));
    let expire_before = match expire_before_time {
        None => Some(None),
        Some(time) => v.take("filter.expire_before_time", time::from_wire(*time)).map(Some),
    };
    let unused_since = match unused_since_time {
        None => Some(None),
        Some(time) => v.take("filter.unused_since_time", time::from_wire(*time)).map(Some),
    };
    if obfuscated_secret.contains(char::is_control) {
        v.add("filter.obfuscated_secret", "must have no control characters");
    }
    let part = |part: &str| {
        v.take("filter.display_name_part", DisplayName::parse(part)).map(|_| part.to_owned())
    };
    let display_name_part = optional(display_name_part, part);
    Some(KeyFilter {
        states: wanted,
        scope: scope?,
        expire_before: expire_before?,
        obfuscated_secret: (!obfuscated_secret.is_empty()).then(|| obfuscated_secret.clone()),
        display_name_part: display_name_part?,
        never_used: *never_used,
        unused_since: unused_since?,
    })
}

/// An empty text stands for none.
fn optional<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { parse(text).map(Some) }
}

fn bound_to(request: &ListKeysRequest) -> Vec<u8> {
    let anywhere = ListKeysRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    page::bound_to(Rpc::ListKeys, &anywhere)
}

fn position_bytes(time: Timestamp, key_id: KeyId) -> Vec<u8> {
    [&time.as_micros().to_be_bytes()[..], key_id.as_bytes()].concat()
}

/// The inverse; the token's signature has vouched for the bytes.
fn position_from_bytes(bytes: &[u8]) -> Option<(Timestamp, KeyId)> {
    let (time, key_id) = bytes.split_first_chunk()?;
    let time = Timestamp::from_micros(i64::from_be_bytes(*time));
    Some((time, KeyId::from_bytes(key_id.try_into().ok()?)))
}
