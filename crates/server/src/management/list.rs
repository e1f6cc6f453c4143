//! ListKeys.

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
    scope::ScopeName,
    settings::DisplayName,
};
use keyward_proto::v1::{self, KeyOrder, ListKeysRequest, ListKeysResponse};
use keyward_store::list::{KeyFilter, KeyPosition, KeyQuery};
use prost::Message as _;

use super::Management;
use crate::{
    errors::{Refusal, violations::Violations},
    not_yet::{self, Field},
    wire::{self, page, time},
};

/// How many businesses one list covers at most: an advisor's view.
const BUSINESSES_MAX: usize = 100;

impl Management {
    pub(super) async fn list_keys(
        &self,
        request: ListKeysRequest,
    ) -> Result<ListKeysResponse, Refusal> {
        let bound_to = query_bytes(request.clone());
        let query = self.key_query(&request, &bound_to)?;
        let size = usize::try_from(query.limit).unwrap_or(usize::MAX);
        // One more than the page holds tells whether another page follows.
        let query = KeyQuery { limit: query.limit.saturating_add(1), ..query };
        let found = self.store.list_keys(query, self.clock.now()).await?;
        let total = found.len();
        let mut keys = Vec::with_capacity(size.min(total));
        let mut bytes = 0_usize;
        let mut last = None;
        for record in found.into_iter().take(size) {
            let position = KeyPosition { create_time: record.create_time, key_id: record.key_id };
            let key = self.key(record);
            bytes = bytes.saturating_add(key.encoded_len());
            if bytes > page::BYTES_MAX && !keys.is_empty() {
                break;
            }
            keys.push(key);
            last = Some(position);
        }
        let next_page_token = match last {
            Some(last) if keys.len() < total => {
                page::token(&self.peppers, &bound_to, &position_bytes(last))
            }
            _ => String::new(),
        };
        Ok(ListKeysResponse { keys, next_page_token })
    }

    fn key_query(&self, request: &ListKeysRequest, bound_to: &[u8]) -> Result<KeyQuery, Refusal> {
        let ListKeysRequest { business_ids, filter, order, page_size, page_token } = request;
        let mut v = Violations::default();
        let no_filter = v1::KeyFilter::default();
        let filter = filter.as_ref().unwrap_or(&no_filter);
        not_yet::refuse_set([
            (Field::ListKeysNeverUsed, filter.never_used),
            (Field::ListKeysUnusedSinceTime, filter.unused_since_time.is_some()),
            (Field::ListKeysOrderLastUseTime, *order == i32::from(KeyOrder::LastUseTime)),
        ])?;
        let business_ids = business_ids_from_wire(business_ids, &mut v);
        let filter = filter_from_wire(filter, &mut v);
        if KeyOrder::try_from(*order).is_err() {
            v.add("order", "must be KEY_ORDER_CREATE_TIME or KEY_ORDER_LAST_USE_TIME");
        }
        let limit = page::size(*page_size, &mut v);
        let after = page::position(&self.peppers, bound_to, page_token, &mut v);
        let whole = || {
            Some(KeyQuery {
                business_ids: business_ids?,
                filter: filter?,
                after: after?.and_then(|bytes| position_from_bytes(&bytes)),
                limit: i64::from(limit?),
            })
        };
        let whole = whole();
        v.finish(whole)
    }
}

fn business_ids_from_wire(ids: &[String], violations: &mut Violations) -> Option<Vec<BusinessId>> {
    if ids.is_empty() || ids.len() > BUSINESSES_MAX {
        let problem = format!("must name 1 to {BUSINESSES_MAX} businesses, not {}", ids.len());
        violations.add("business_ids", problem);
        return None;
    }
    let parsed: Vec<_> = ids
        .iter()
        .enumerate()
        .filter_map(|(i, id)| violations.take(format!("business_ids[{i}]"), BusinessId::parse(id)))
        .collect();
    (parsed.len() == ids.len()).then_some(parsed)
}

fn filter_from_wire(filter: &v1::KeyFilter, violations: &mut Violations) -> Option<KeyFilter> {
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

/// What a page token is bound to: the request without its place and its size.
fn query_bytes(request: ListKeysRequest) -> Vec<u8> {
    ListKeysRequest { page_size: 0, page_token: String::new(), ..request }.encode_to_vec()
}

fn position_bytes(position: KeyPosition) -> Vec<u8> {
    let KeyPosition { create_time, key_id } = position;
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
