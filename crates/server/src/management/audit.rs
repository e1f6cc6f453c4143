//! ListAuditEvents.

use apikey::id::{BusinessId, KeyId};
use keyward_proto::v1::{AuditEvent, ListAuditEventsRequest, ListAuditEventsResponse};
use keyward_store::{audit::AuditQuery, record::Revision};
use prost::Message as _;

use super::Management;
use crate::{
    access::Rpc,
    callers::Caller,
    errors::{Refusal, violations::Violations},
    wire::{self, page},
};

impl Management {
    pub(super) async fn list_audit_events(
        &self,
        caller: &Caller,
        request: ListAuditEventsRequest,
    ) -> Result<ListAuditEventsResponse, Refusal> {
        let anywhere =
            ListAuditEventsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let bound_to = page::bound_to(Rpc::ListAuditEvents, &anywhere);
        let ListAuditEventsRequest { business_id, key_id, after_revision, page_size, page_token } =
            request;
        self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let business_id = (!business_id.is_empty())
            .then(|| v.take("business_id", BusinessId::parse(&business_id)));
        let key_id = (!key_id.is_empty()).then(|| v.take("key_id", KeyId::parse(&key_id)));
        if after_revision < 0 {
            v.add("after_revision", "must not be negative; 0 begins with the first event");
        }
        let size = page::size(page_size, &mut v);
        let token = page::position(&self.peppers, &bound_to, &page_token, &mut v);
        let (size, token) = v.finish(size.zip(token))?;
        let query = AuditQuery {
            business_id: business_id.flatten(),
            key_id: key_id.flatten(),
            after: Revision(after_revision),
            limit: i64::from(size),
        };
        let found = self.store.list_audit_events(query).await?;
        let told_before = token.map_or(0, |bytes| told_from_bytes(&bytes));
        let is_retired = self.is_retired();
        let to_wire = |record| wire::audit::to_wire(record, &is_retired);
        let rest = found.into_iter().skip(told_before).map(to_wire);
        let Page { events, last_revision, is_cut } = page_of(rest, after_revision);
        // Events are only ever added behind, so that a number of them says where to go on.
        let told = is_cut.then(|| told_bytes(told_before.saturating_add(events.len())));
        let next_page_token = page::next(&self.peppers, &bound_to, told);
        Ok(ListAuditEventsResponse { events, last_revision, next_page_token })
    }
}

struct Page {
    events: Vec<AuditEvent>,
    /// All its events, and those of the ones before it, are told.
    last_revision: i64,
    /// Whether it ends within a revision, which is then the only one.
    is_cut: bool,
}

/// As many whole revisions as one answer holds; or as much of the first as it does.
fn page_of(found: impl Iterator<Item = AuditEvent>, after_revision: i64) -> Page {
    let mut events: Vec<AuditEvent> = Vec::new();
    let (mut bytes, mut whole, mut last_revision) = (0_usize, 0, after_revision);
    for event in found {
        if let Some(before) = events.last().filter(|before| before.revision != event.revision) {
            (whole, last_revision) = (events.len(), before.revision);
        }
        bytes = bytes.saturating_add(event.encoded_len());
        if bytes > page::BYTES_MAX && !events.is_empty() {
            let is_cut = whole == 0;
            if !is_cut {
                events.truncate(whole);
            }
            return Page { events, last_revision, is_cut };
        }
        events.push(event);
    }
    let last_revision = events.last().map_or(after_revision, |last| last.revision);
    Page { events, last_revision, is_cut: false }
}

fn told_bytes(told: usize) -> Vec<u8> {
    u64::try_from(told).unwrap_or(u64::MAX).to_be_bytes().to_vec()
}

/// The inverse; the token's signature has vouched for the bytes.
fn told_from_bytes(bytes: &[u8]) -> usize {
    let told = bytes.try_into().map_or(0, u64::from_be_bytes);
    usize::try_from(told).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::iter::zip;

    use super::*;

    /// An event of so many bytes, and a few.
    fn event(revision: i64, bytes: usize) -> AuditEvent {
        AuditEvent { revision, peer_address: "x".repeat(bytes), ..AuditEvent::default() }
    }

    /// Whatever the sizes, and wherever revisions begin: a reader that does what the contract says is told
    /// each event once, in answers that a client takes.
    #[test]
    fn pages_tell_each_event_once() {
        const MOST: usize = page::BYTES_MAX;
        for (revisions, bytes) in [
            (vec![1, 2, 3, 4], vec![9, 9, 9, 9]),
            (vec![1, 1, 1, 2], vec![MOST / 2, MOST / 3, MOST / 2, 9]),
            (vec![1, 2, 2, 2, 3, 3], vec![9, MOST / 2, MOST / 3, MOST / 2, MOST, 9]),
            (vec![1, 1, 1, 1, 1], vec![MOST, MOST, 9, 9, MOST - 99]),
            (vec![5, 5, 6], vec![MOST / 3, MOST / 3, MOST - 99]),
        ] {
            let all: Vec<AuditEvent> =
                zip(revisions, bytes).map(|(revision, bytes)| event(revision, bytes)).collect();
            let (mut told, mut after, mut skip) = (Vec::new(), 0, 0);
            loop {
                let found = all.iter().filter(|event| event.revision > after).skip(skip).cloned();
                let Page { events, last_revision, is_cut } = page_of(found, after);
                if events.is_empty() {
                    break;
                }
                let bytes: usize = events.iter().map(AuditEvent::encoded_len).sum();
                assert!(bytes <= MOST || events.len() == 1, "{bytes}");
                (after, skip) =
                    if is_cut { (after, skip + events.len()) } else { (last_revision, 0) };
                told.extend(events);
            }
            assert!(told == all, "{} of {}", told.len(), all.len());
        }
    }
}
