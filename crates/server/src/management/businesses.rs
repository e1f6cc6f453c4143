//! GetBusiness, UpdateBusiness, ListBusinesses.

use apikey::id::BusinessId;
use keyward_proto::v1::{
    BusinessState, GetBusinessRequest, GetBusinessResponse, ListBusinessesRequest,
    ListBusinessesResponse, UpdateBusinessRequest, UpdateBusinessResponse,
};
use keyward_store::{Store, business::BusinessQuery, error::Refused};

use super::{Management, change::Changed};
use crate::{
    access::Rpc,
    callers::Caller,
    errors::{Refusal, violations::Violations},
    wire::{business, page},
};

impl Management {
    pub(super) async fn get_business(
        &self,
        caller: &Caller,
        request: GetBusinessRequest,
    ) -> Result<GetBusinessResponse, Refusal> {
        let GetBusinessRequest { business_id } = request;
        self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let business_id = v.take("business_id", BusinessId::parse(&business_id));
        let business_id = v.finish(business_id)?;
        let now = self.clock.now();
        let business = self.store.get_business(&business_id, now).await?;
        let business = business.ok_or(Refused::BusinessNotFound)?;
        Ok(GetBusinessResponse { business: Some(business::to_wire(business, now)) })
    }

    pub(super) async fn update_business(
        &self,
        caller: &Caller,
        request: UpdateBusinessRequest,
    ) -> Result<UpdateBusinessResponse, Refusal> {
        let UpdateBusinessRequest { business, update_mask, etag } = request;
        let mut v = Violations::default();
        let business = business.unwrap_or_default();
        let mask = update_mask.unwrap_or_default();
        let (business_id, patch) = business::patch_from_wire(&business, &mask, &mut v);
        let (business_id, patch) = v.finish(business_id.zip(patch))?;
        let etag = (!etag.is_empty()).then_some(etag);
        let work = async move |store: Store, act| {
            store.update_business(&business_id, patch, etag, act).await
        };
        let Changed { value: business, receipt, .. } = self.change(caller, work).await?;
        let business = business::to_wire(business, self.clock.now());
        Ok(UpdateBusinessResponse { business: Some(business), receipt: Some(receipt) })
    }

    pub(super) async fn list_businesses(
        &self,
        request: ListBusinessesRequest,
    ) -> Result<ListBusinessesResponse, Refusal> {
        let bound_to = bound_to(&request);
        let ListBusinessesRequest { states, page_size, page_token } = request;
        let mut v = Violations::default();
        let suspended = states_from_wire(&states, &mut v);
        let size = page::size(page_size, &mut v);
        let after = page::position(&self.peppers, &bound_to, &page_token, &mut v);
        let ((suspended, size), after) = v.finish(suspended.zip(size).zip(after))?;
        let after = after
            .and_then(|id| String::from_utf8(id).ok())
            .and_then(|id| BusinessId::parse(&id).ok());
        // One more than the page holds tells whether another page follows.
        let limit = i64::from(size).saturating_add(1);
        let now = self.clock.now();
        let query = BusinessQuery { suspended, after, limit };
        let found = self.store.list_businesses(query, now).await?;
        let (businesses, last) = page::cut(found, size, |record| {
            let position = record.business_id.as_str().as_bytes().to_vec();
            (business::to_wire(record, now), position)
        });
        let next_page_token = page::next(&self.peppers, &bound_to, last);
        Ok(ListBusinessesResponse { businesses, next_page_token })
    }
}

/// Which of the two states are asked for; an inner `None` for both.
fn states_from_wire(states: &[i32], violations: &mut Violations) -> Option<Option<bool>> {
    let (mut active, mut suspended) = (false, false);
    for state in states {
        match BusinessState::try_from(*state) {
            Ok(BusinessState::Active) => active = true,
            Ok(BusinessState::Suspended) => suspended = true,
            Ok(BusinessState::Unspecified) | Err(_) => {
                violations.add("states", "must be ACTIVE or SUSPENDED");
                return None;
            }
        }
    }
    Some((active != suspended).then_some(suspended))
}

fn bound_to(request: &ListBusinessesRequest) -> Vec<u8> {
    let anywhere =
        ListBusinessesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    page::bound_to(Rpc::ListBusinesses, &anywhere)
}
