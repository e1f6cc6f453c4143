//! AdvisorAccess: which advisors may manage the keys of which client businesses.

use apikey::id::BusinessId;
use keyward_proto::v1::{
    GrantAccessRequest, GrantAccessResponse, Key, ListAccessRequest, ListAccessResponse,
    ListMyBusinessesRequest, ListMyBusinessesResponse, RevokeAccessRequest, RevokeAccessResponse,
};
use keyward_store::{
    Store,
    access::{AccessGrant, AccessPosition, AccessQuery, EndedAccess},
    record::Revision,
};

use super::{Management, change::Changed};
use crate::{
    access::{Rpc, rights},
    callers::{
        Caller,
        user::{User, UserRole},
    },
    errors::{Refusal, violations::Violations},
    wire::{access, page},
};

/// How many of the keys that an advisor leaves behind one answer holds at most.
const KEYS_MAX: u16 = 1_000;

impl Management {
    pub(super) async fn grant_access(
        &self,
        caller: &Caller,
        request: GrantAccessRequest,
    ) -> Result<GrantAccessResponse, Refusal> {
        let GrantAccessRequest { business_id, advisor } = request;
        self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let business_id = access::client_from_wire(&business_id, &mut v);
        let advisor = access::advisor_from_wire(advisor, &mut v);
        let (business_id, advisor) = v.finish(business_id.zip(advisor))?;
        let grant =
            async move |store: Store, act| store.grant_access(&business_id, &advisor, act).await;
        let Changed { value: grant, .. } = self.change(caller, grant).await?;
        Ok(GrantAccessResponse { grant: Some(access::to_wire(grant)) })
    }

    pub(super) async fn revoke_access(
        &self,
        caller: &Caller,
        request: RevokeAccessRequest,
    ) -> Result<RevokeAccessResponse, Refusal> {
        let RevokeAccessRequest { business_id, advisor, revoke_keys } = request;
        self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let business_id = access::client_from_wire(&business_id, &mut v);
        let advisor = access::advisor_from_wire(advisor, &mut v);
        let (business_id, advisor) = v.finish(business_id.zip(advisor))?;
        let revoke = async move |store: Store, act| {
            store.revoke_access(&business_id, &advisor, revoke_keys, act).await
        };
        let Changed { value, receipt, .. } = self.change(caller, revoke).await?;
        let EndedAccess { grant, keys } = value;
        let key_count = i32::try_from(keys.len()).unwrap_or(i32::MAX);
        let keys = self.changed_keys(keys).await;
        let (keys, _): (Vec<Key>, _) = page::cut(keys, KEYS_MAX, |key| (key, Vec::new()));
        Ok(RevokeAccessResponse {
            grant: Some(access::to_wire(grant)),
            keys,
            receipt: (revoke_keys && key_count > 0).then_some(receipt),
            key_count,
        })
    }

    pub(super) async fn list_access(
        &self,
        caller: &Caller,
        request: ListAccessRequest,
    ) -> Result<ListAccessResponse, Refusal> {
        let anywhere =
            ListAccessRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let bound_to = page::bound_to(Rpc::ListAccess, &anywhere);
        let ListAccessRequest { business_id, include_ended, page_size, page_token } = request;
        self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let business_id = access::client_from_wire(&business_id, &mut v);
        let size = page::size(page_size, &mut v);
        let after = page::position(&self.peppers, &bound_to, &page_token, &mut v);
        let ((business_id, size), after) = v.finish(business_id.zip(size).zip(after))?;
        let after = after.and_then(|bytes| position_from_bytes(&bytes));
        // One more than the page holds tells whether another page follows.
        let limit = i64::from(size).saturating_add(1);
        let query = AccessQuery { business_id, include_ended, after, limit };
        let found = self.store.list_access(query).await?;
        let (grants, last) = page::cut(found, size, |grant| {
            let position = position_bytes(&grant);
            (access::to_wire(grant), position)
        });
        let next_page_token = page::next(&self.peppers, &bound_to, last);
        Ok(ListAccessResponse { grants, next_page_token })
    }

    pub(super) async fn list_my_businesses(
        &self,
        caller: &Caller,
        request: ListMyBusinessesRequest,
    ) -> Result<ListMyBusinessesResponse, Refusal> {
        let ListMyBusinessesRequest { page_size, page_token } = request;
        let user = caller.user.as_deref().ok_or_else(Refusal::permission_denied)?;
        let bound_to = bound_to(user);
        let mut v = Violations::default();
        let size = page::size(page_size, &mut v);
        let after = page::position(&self.peppers, &bound_to, &page_token, &mut v);
        let (size, after) = v.finish(size.zip(after))?;
        let after = after
            .and_then(|id| String::from_utf8(id).ok())
            .and_then(|id| BusinessId::parse(&id).ok());
        let found = match &user.role {
            UserRole::BusinessAdmin(own) => {
                rights::to_businesses(&self.store, caller, &[own.as_str()]).await?;
                vec![own.clone()]
            }
            UserRole::Advisor => {
                // One more than the page holds tells whether another page follows.
                let limit = i64::from(size).saturating_add(1);
                self.store.businesses_of(&rights::advisor(user), after, limit).await?
            }
            UserRole::Other => return Err(Refusal::permission_denied()),
        };
        let (business_ids, last) = page::cut(found, size, |id| {
            let id = id.as_str().to_owned();
            (id.clone(), id.into_bytes())
        });
        let next_page_token = page::next(&self.peppers, &bound_to, last);
        Ok(ListMyBusinessesResponse { business_ids, next_page_token })
    }
}

/// What the page tokens of a user's businesses are bound to. Nothing else tells one list from another.
fn bound_to(user: &User) -> Vec<u8> {
    let advisor = access::advisor_to_wire(rights::advisor(user));
    page::bound_to(Rpc::ListMyBusinesses, &advisor)
}

fn position_bytes(grant: &AccessGrant) -> Vec<u8> {
    let ended = u8::from(grant.end_time.is_some());
    [&[ended][..], &grant.revision.0.to_be_bytes()].concat()
}

/// The inverse; the token's signature has vouched for the bytes.
fn position_from_bytes(bytes: &[u8]) -> Option<AccessPosition> {
    let (ended, revision) = bytes.split_first()?;
    let revision = Revision(i64::from_be_bytes(revision.try_into().ok()?));
    Some(AccessPosition { ended: *ended == 1, revision })
}
