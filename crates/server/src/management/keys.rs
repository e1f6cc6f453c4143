//! GetKey, UpdateKey, RevokeKey, SuspendKey, ResumeKey: one key that is there.

use apikey::id::{BusinessId, KeyId};
use keyward_proto::v1::{
    ChangeReceipt, GetKeyRequest, GetKeyResponse, Key, ResumeKeyRequest, ResumeKeyResponse,
    RevokeKeyRequest, RevokeKeyResponse, SuspendKeyRequest, SuspendKeyResponse, UpdateKeyRequest,
    UpdateKeyResponse,
};
use keyward_store::{
    Store,
    change::{KeyChange, SettingsPatch},
    error::Refused,
    record::{KeyRecord, KeyTarget, RevokedKey},
};
use prost_types::FieldMask;

use super::{Management, change::Changed, create::check_scopes};
use crate::{
    callers::Caller,
    errors::{Refusal, violations::Violations},
    wire::key::{self, SettableFields, SettableMask, target_from_wire},
};

impl Management {
    pub(super) async fn get_key(
        &self,
        caller: &Caller,
        request: GetKeyRequest,
    ) -> Result<GetKeyResponse, Refusal> {
        let GetKeyRequest { business_id, key_id } = request;
        self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let target = target_from_wire(&business_id, ("key_id", &key_id), "", &mut v);
        let KeyTarget { business_id, key_id, etag: _ } = v.finish(target)?;
        let key = self.found_key(&business_id, key_id).await?;
        let effective_everywhere = key.revision <= self.index().applied();
        let key = self.keys(vec![key]).await?.pop();
        Ok(GetKeyResponse { key, effective_everywhere })
    }

    pub(super) async fn update_key(
        &self,
        caller: &Caller,
        request: UpdateKeyRequest,
    ) -> Result<UpdateKeyResponse, Refusal> {
        let UpdateKeyRequest { business_id, key, update_mask, etag } = request;
        let right = self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let key = key.unwrap_or_default();
        let target = target_from_wire(&business_id, ("key.key_id", &key.key_id), &etag, &mut v);
        let mask = mask_from_wire(update_mask, &mut v);
        let fields = SettableFields::from_wire(key, mask, self.clock.now(), &mut v);
        if let (Some(target), Some(scopes)) = (&target, &fields.scopes) {
            check_scopes(caller, &target.business_id, scopes, &mut v);
        }
        let target = v.finish(target)?;
        let SettableFields { display_name, description, scopes, annotations, expire_time } = fields;
        let patch = SettingsPatch { display_name, description, scopes, expire_time, annotations };
        let change = KeyChange::Update { patch, assigner: right.assigner() };
        let (key, receipt) = self.change_key(caller, target, change).await?;
        Ok(UpdateKeyResponse { key: Some(key), receipt: Some(receipt) })
    }

    pub(super) async fn revoke_key(
        &self,
        caller: &Caller,
        request: RevokeKeyRequest,
    ) -> Result<RevokeKeyResponse, Refusal> {
        let RevokeKeyRequest { business_id, key_id, reason, reason_text } = request;
        self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let target = target_from_wire(&business_id, ("key_id", &key_id), "", &mut v);
        let reason = key::reason_from_wire(reason, &reason_text, &mut v);
        let (target, (reason, text)) = v.finish(target.zip(reason))?;
        let revoke =
            async move |store: Store, act| store.revoke_key(target, reason, text, act).await;
        let Changed { value: RevokedKey { key, left_behind }, receipt, .. } =
            self.change(caller, revoke).await?;
        let left_behind_key_ids = left_behind.iter().map(KeyId::to_string).collect();
        let key = self.changed_key(key).await;
        Ok(RevokeKeyResponse { key: Some(key), receipt: Some(receipt), left_behind_key_ids })
    }

    pub(super) async fn suspend_key(
        &self,
        caller: &Caller,
        request: SuspendKeyRequest,
    ) -> Result<SuspendKeyResponse, Refusal> {
        let SuspendKeyRequest { business_id, key_id } = request;
        let right = self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let target = target_from_wire(&business_id, ("key_id", &key_id), "", &mut v);
        let target = v.finish(target)?;
        let change = KeyChange::Suspend(right.suspends_as());
        let (key, receipt) = self.change_key(caller, target, change).await?;
        Ok(SuspendKeyResponse { key: Some(key), receipt: Some(receipt) })
    }

    pub(super) async fn resume_key(
        &self,
        caller: &Caller,
        request: ResumeKeyRequest,
    ) -> Result<ResumeKeyResponse, Refusal> {
        let ResumeKeyRequest { business_id, key_id } = request;
        let right = self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let target = target_from_wire(&business_id, ("key_id", &key_id), "", &mut v);
        let target = v.finish(target)?;
        let change = KeyChange::Resume(right.suspends_as());
        let (key, receipt) = self.change_key(caller, target, change).await?;
        Ok(ResumeKeyResponse { key: Some(key), receipt: Some(receipt) })
    }

    /// A key that must be there.
    pub(super) async fn found_key(
        &self,
        business_id: &BusinessId,
        key_id: KeyId,
    ) -> Result<KeyRecord, Refusal> {
        let key = self.store.get_key(business_id, key_id).await?;
        key.ok_or_else(|| Refused::KeyNotFound.into())
    }

    async fn change_key(
        &self,
        caller: &Caller,
        target: KeyTarget,
        change: KeyChange,
    ) -> Result<(Key, ChangeReceipt), Refusal> {
        let work = async move |store: Store, act| store.change_key(target, change, None, act).await;
        let Changed { value, receipt, .. } = self.change(caller, work).await?;
        Ok((self.changed_key(value).await, receipt))
    }

    /// A key as a caller sees it now, but for its use.
    pub(super) fn key(&self, key: KeyRecord) -> Key {
        key::to_wire(key, self.is_retired(), self.clock.now())
    }
}

/// The fields that an update names; `*` and output-only fields are not among them.
fn mask_from_wire(mask: Option<FieldMask>, violations: &mut Violations) -> SettableMask {
    const FIELD: &str = "update_mask";
    const ALLOWED: &str = "any of display_name, description, scopes, expire_time, annotations (with grpcurl: \
         {\"paths\": [\"display_name\"]})";
    let paths = mask.unwrap_or_default().paths;
    if paths.is_empty() {
        violations.add(FIELD, format!("must name what changes: {ALLOWED}"));
    }
    let mut named = SettableMask::default();
    for path in paths {
        match path.as_str() {
            "display_name" => named.display_name = true,
            "description" => named.description = true,
            "scopes" => named.scopes = true,
            "expire_time" => named.expire_time = true,
            "annotations" => named.annotations = true,
            _ => violations.add(FIELD, format!("{path:?} cannot be changed here; name {ALLOWED}")),
        }
    }
    named
}
