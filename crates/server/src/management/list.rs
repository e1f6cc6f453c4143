//! ListKeys.

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
    scope::ScopeName,
    settings::DisplayName,
};
use keyward_proto::v1::{self, KeyOrder, ListKeysRequest, ListKeysResponse};
use keyward_store::list::{KeyFilter, KeyPosition, KeyQuery};

use super::Management;
use crate::{
    access::{
        Rpc,
        rights::{self, BUSINESSES_MAX, too_many_businesses},
    },
    callers::Caller,
    errors::{Refusal, violations::Violations},
    not_yet::{self, Field},
    wire::{self, page, time},
};

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
        let found = self.store.list_keys(query, self.clock.now()).await?;
        let (keys, last) = page::cut(found, size, |record| {
            let position = position_bytes(record.create_time, record.key_id);
            (self.key(record), position)
        });
        let next_page_token = page::next(&self.peppers, &bound_to, last);
        Ok(ListKeysResponse { keys, next_page_token })
    }

    fn key_query(
        &self,
        request: &ListKeysRequest,
        bound_to: &[u8],
    ) -> Result<(KeyQuery, u16), Refusal> {
        let ListKeysRequest { business_ids, filter, order, page_size, page_token } = request;
        let mut v = Violations::default();
        let no_filter = v1::KeyFilter::default();
        let filter = filter.as_ref().unwrap_or(&no_filter);
        refuse_usage(filter)?;
        not_yet::refuse_set([(
            Field::ListKeysOrderLastUseTime,
            *order == i32::from(KeyOrder::LastUseTime),
        )])?;
        let business_ids = business_ids_from_wire(business_ids, &mut v);
        let filter = filter_from_wire(filter, &mut v);
        if KeyOrder::try_from(*order).is_err() {
            v.add("order", "must be KEY_ORDER_CREATE_TIME or KEY_ORDER_LAST_USE_TIME");
        }
        let size = page::size(*page_size, &mut v);
        let after = page::position(&self.peppers, bound_to, page_token, &mut v);
        let whole = || {
            let size = size?;
            let query = KeyQuery {
                business_ids: business_ids?,
                filter: filter?,
                after: after?.and_then(|bytes| position_from_bytes(&bytes)),
                // One more than the page holds tells whether another page follows.
                limit: i64::from(size).saturating_add(1),
            };
            Some((query, size))
        };
        let whole = whole();
        v.finish(whole)
    }
}

/// Conditions on use, which is not counted yet.
pub(super) fn refuse_usage(filter: &v1::KeyFilter) -> Result<(), Refusal> {
    not_yet::refuse_set([
        (Field::ListKeysNeverUsed, filter.never_used),
        (Field::ListKeysUnusedSinceTime, filter.unused_since_time.is_some()),
    ])
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
        never_used: _,
        unused_since_time: _,
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

fn position_bytes(create_time: Timestamp, key_id: KeyId) -> Vec<u8> {
    [&create_time.as_micros().to_be_bytes()[..], key_id.as_bytes()].concat()
}

/// The inverse; the token's signature has vouched for the bytes.
fn position_from_bytes(bytes: &[u8]) -> Option<KeyPosition> {
    let (create_time, key_id) = bytes.split_first_chunk()?;
    Some(KeyPosition {
        create_time: Timestamp::from_micros(i64::from_be_bytes(*create_time)),
        key_id: KeyId::from_bytes(key_id.try_into().ok()?),
    })
}
