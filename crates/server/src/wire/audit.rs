//! `AuditEvent`.

use keyward_proto::v1;
use keyward_store::{
    audit::{AuditAction, AuditEvent},
    record::{Act, Actor},
};

use super::{access, key, time};

/// The event. Keys in it are shown as they stood at its time, but for their scopes' retirement, which
/// `is_retired` tells as of now.
#[must_use]
pub fn to_wire(event: AuditEvent, is_retired: impl Fn(&str) -> bool) -> v1::AuditEvent {
    let AuditEvent {
        revision,
        act:
            Act {
                actor: Actor { caller, user_issuer, user_subject },
                peer_address,
                time,
                admitted_at: _,
                by_grant: _,
            },
        action,
        business_id,
        key_id,
        scope,
        advisor,
        key_before,
        key_after,
    } = event;
    v1::AuditEvent {
        revision: revision.0,
        event_time: Some(time::to_wire(time)),
        action: action_to_wire(action).into(),
        business_id: business_id.map(|id| id.as_str().to_owned()).unwrap_or_default(),
        key_id: key_id.map(|id| id.to_string()).unwrap_or_default(),
        scope: scope.map(|name| name.as_str().to_owned()).unwrap_or_default(),
        advisor: advisor.map(access::advisor_to_wire),
        actor: Some(v1::Creator { caller, user_issuer, user_subject }),
        peer_address,
        key_before: key_before.map(|before| key::to_wire(before, &is_retired, time)),
        key_after: key_after.map(|after| key::to_wire(after, &is_retired, time)),
    }
}

fn action_to_wire(action: AuditAction) -> v1::AuditAction {
    match action {
        AuditAction::CreateKey => v1::AuditAction::CreateKey,
        AuditAction::UpdateKey => v1::AuditAction::UpdateKey,
        AuditAction::RotateKey => v1::AuditAction::RotateKey,
        AuditAction::RevokeKey => v1::AuditAction::RevokeKey,
        AuditAction::SuspendKey => v1::AuditAction::SuspendKey,
        AuditAction::ResumeKey => v1::AuditAction::ResumeKey,
        AuditAction::ImportKey => v1::AuditAction::ImportKey,
        AuditAction::LookupKey => v1::AuditAction::LookupKey,
        AuditAction::UpdateScope => v1::AuditAction::UpdateScope,
        AuditAction::RetireScope => v1::AuditAction::RetireScope,
        AuditAction::UpdateBusiness => v1::AuditAction::UpdateBusiness,
        AuditAction::GrantAccess => v1::AuditAction::GrantAccess,
        AuditAction::RevokeAccess => v1::AuditAction::RevokeAccess,
    }
}
