//! ListScopes, UpdateScope, RetireScope: the catalogue.

use apikey::{catalogue::AssignableBy, scope::ScopeName};
use keyward_proto::v1::{
    ListScopesRequest, ListScopesResponse, RetireScopeRequest, RetireScopeResponse,
    UpdateScopeRequest, UpdateScopeResponse,
};
use keyward_store::{
    Store,
    catalogue::{ScopeChange, ScopeEdit, ScopeMask},
};
use prost_types::FieldMask;

use super::{Management, change::Changed};
use crate::{
    access::Rpc,
    callers::Caller,
    errors::{Refusal, violations::Violations},
    resident::Roles,
    wire::{page, scope},
};

impl Management {
    pub(super) async fn list_scopes(
        &self,
        caller: &Caller,
        request: ListScopesRequest,
    ) -> Result<ListScopesResponse, Refusal> {
        let bound_to = bound_to(&request);
        let ListScopesRequest { include_retired, page_size, page_token } = request;
        let mut v = Violations::default();
        let size = page::size(page_size, &mut v);
        let after = page::position(&self.peppers, &bound_to, &page_token, &mut v);
        let (size, after) = v.finish(size.zip(after))?;
        let after = after
            .and_then(|name| String::from_utf8(name).ok())
            .and_then(|name| ScopeName::parse(&name).ok());
        // One more than the page holds tells whether another page follows.
        let limit = i64::from(size).saturating_add(1);
        let visible = visible_to(caller);
        let found = self.store.list_scopes(after, include_retired, visible, limit).await?;
        let (scopes, last) = page::cut(found, size, |record| {
            let position = record.name.as_str().as_bytes().to_vec();
            (scope::to_wire(record), position)
        });
        let next_page_token = page::next(&self.peppers, &bound_to, last);
        Ok(ListScopesResponse { scopes, next_page_token })
    }

    pub(super) async fn update_scope(
        &self,
        caller: &Caller,
        request: UpdateScopeRequest,
    ) -> Result<UpdateScopeResponse, Refusal> {
        let UpdateScopeRequest { scope, update_mask, allow_missing, validate_only } = request;
        let mut v = Violations::default();
        let mask = mask_from_wire(update_mask, &mut v);
        let Some(scope) = scope else {
            v.add("scope", "must be set: a scope needs at least a name and assignable_by");
            return Err(v.into());
        };
        // What is made is made whole, whatever the mask.
        let needed = if allow_missing { ScopeMask::ALL } else { mask };
        let (name, edit) = scope::edit_from_wire(scope, needed, &mut v);
        let (name, edit) = v.finish(name.zip(edit))?;
        let edit = ScopeEdit { mask, ..edit };
        let (change, receipt) = if validate_only {
            let now = self.clock.now();
            (self.store.check_update_scope(&name, edit, allow_missing, now).await?, None)
        } else {
            let work = async move |store: Store, act| {
                store.update_scope(&name, edit, allow_missing, act).await
            };
            let Changed { value, receipt, .. } = self.change(caller, work).await?;
            (value, Some(receipt))
        };
        let ScopeChange { scope, widened_keys, narrowed_keys } = change;
        Ok(UpdateScopeResponse {
            scope: Some(scope::to_wire(scope)),
            receipt,
            widened_key_count: widened_keys,
            narrowed_key_count: narrowed_keys,
        })
    }

    pub(super) async fn retire_scope(
        &self,
        caller: &Caller,
        request: RetireScopeRequest,
    ) -> Result<RetireScopeResponse, Refusal> {
        let RetireScopeRequest { name, force, validate_only } = request;
        let mut v = Violations::default();
        let name = scope::name_from_wire("name", &name, &mut v);
        let name = v.finish(name)?;
        let (change, receipt) = if validate_only {
            (self.store.check_retire_scope(&name, force, self.clock.now()).await?, None)
        } else {
            let work = async move |store: Store, act| store.retire_scope(&name, force, act).await;
            let Changed { value, receipt, .. } = self.change(caller, work).await?;
            (value, Some(receipt))
        };
        let ScopeChange { scope, widened_keys: _, narrowed_keys } = change;
        Ok(RetireScopeResponse {
            scope: Some(scope::to_wire(scope)),
            receipt,
            narrowed_key_count: narrowed_keys,
        })
    }
}

/// Users see what users may assign, and so does who only presents them.
fn visible_to(caller: &Caller) -> Option<AssignableBy> {
    let all = Roles::OPERATE.and(Roles::TRIAGE).and(Roles::IMPORT).and(Roles::AUDIT);
    (caller.user.is_some() || !caller.roles.any(all)).then_some(AssignableBy::Users)
}

/// The fields that an update names; all of them where there is no mask.
fn mask_from_wire(mask: Option<FieldMask>, violations: &mut Violations) -> ScopeMask {
    let Some(FieldMask { paths }) = mask.filter(|mask| !mask.paths.is_empty()) else {
        return ScopeMask::ALL;
    };
    let mut named = ScopeMask { description: false, assignable_by: false, endpoints: false };
    for path in paths {
        match path.as_str() {
            "description" => named.description = true,
            "assignable_by" => named.assignable_by = true,
            "endpoints" => named.endpoints = true,
            _ => violations.add(
                "update_mask",
                format!(
                    "{path:?} cannot be changed here; name any of description, assignable_by, \
                     endpoints (with grpcurl: {{\"paths\": [\"description\"]}})"
                ),
            ),
        }
    }
    named
}

fn bound_to(request: &ListScopesRequest) -> Vec<u8> {
    let anywhere = ListScopesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    page::bound_to(Rpc::ListScopes, &anywhere)
}
