//! Requests that are safe to repeat: what tells one from another, and what a repetition is answered with
//! although it breaks a rule by now, such as an `expire_time` that has passed meanwhile.

use apikey::id::BusinessId;
use keyward_store::{
    Store,
    error::ChangeError,
    record::{KeyRecord, RequestId},
};
use ring::digest::{Context, SHA256};
use uuid::Uuid;

use super::{Management, change::Changed};
use crate::{
    access::Rpc,
    callers::Caller,
    errors::{Refusal, violations::Violations},
};

/// A request that was answered before.
pub(super) struct Answered {
    business_id: BusinessId,
    request: RequestId,
}

impl Management {
    /// Asked about a request that is about to be refused: the refusal stands, unless this very request
    /// was answered before, and so broke no rule then.
    pub(super) async fn answered(
        &self,
        caller: &Caller,
        business_id: &str,
        request: Option<Option<RequestId>>,
        refusal: Refusal,
    ) -> Result<Answered, Refusal> {
        let (Ok(business_id), Some(request)) = (BusinessId::parse(business_id), request.flatten())
        else {
            return Err(refusal);
        };
        match self.store.was_answered(&business_id, request, &self.act(caller)).await {
            Ok(true) => Ok(Answered { business_id, request }),
            Ok(false) | Err(ChangeError::Refused(_)) => Err(refusal),
            Err(ChangeError::Store(fault)) => Err(fault.into()),
        }
    }

    /// Waits, as the first time, until what was done is in effect.
    pub(super) async fn repeat(
        &self,
        caller: &Caller,
        answered: Answered,
    ) -> Result<Changed<KeyRecord>, Refusal> {
        let Answered { business_id, request } = answered;
        let repeat = async move |store: Store, act| store.repeat(business_id, request, act).await;
        self.change(caller, repeat).await
    }
}

/// What tells one request from another: its kind, and every field. Maps are sorted, so that equal
/// messages have equal bytes.
pub(super) fn request_hash(rpc: Rpc, request: &impl prost::Message) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    hash.update(rpc.path().as_bytes());
    hash.update(&request.encode_to_vec());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.finish().as_ref());
    bytes
}

/// An idempotent request's id, if it has one.
pub(super) fn request_from_wire(
    request_id: &str,
    hash: [u8; 32],
    violations: &mut Violations,
) -> Option<Option<RequestId>> {
    if request_id.is_empty() {
        return Some(None);
    }
    let Ok(id) = Uuid::try_parse(request_id) else {
        violations.add("request_id", "must be a UUID, for instance one of version 4");
        return None;
    };
    Some(Some(RequestId { id: id.into_bytes(), hash }))
}
