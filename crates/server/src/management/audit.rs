//! ListAuditEvents.

use apikey::id::{BusinessId, KeyId};
use keyward_proto::v1::{ListAuditEventsRequest, ListAuditEventsResponse};
use keyward_store::{audit::AuditQuery, record::Revision};
use prost::Message as _;

use super::Management;
use crate::{
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
        let ListAuditEventsRequest { business_id, key_id, after_revision, page_size } = request;
        self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let business_id = (!business_id.is_empty())
            .then(|| v.take("business_id", BusinessId::parse(&business_id)));
        let key_id = (!key_id.is_empty()).then(|| v.take("key_id", KeyId::parse(&key_id)));
        if after_revision < 0 {
            v.add("after_revision", "must not be negative; 0 begins with the first event");
        }
        let size = page::size(page_size, &mut v);
        let size = v.finish(size)?;
        let query = AuditQuery {
            business_id: business_id.flatten(),
            key_id: key_id.flatten(),
            after: Revision(after_revision),
            limit: i64::from(size),
        };
        let found = self.store.list_audit_events(query).await?;
        let is_retired = self.is_retired();
        let mut events = Vec::with_capacity(found.len());
        let mut last_revision = after_revision;
        let mut bytes = 0_usize;
        for record in found {
            let event = wire::audit::to_wire(record, &is_retired);
            bytes = bytes.saturating_add(event.encoded_len());
            // Too large a page ends sooner, but between two revisions.
            if bytes > page::BYTES_MAX && event.revision != last_revision && !events.is_empty() {
                break;
            }
            last_revision = event.revision;
            events.push(event);
        }
        Ok(ListAuditEventsResponse { events, last_revision })
    }
}
