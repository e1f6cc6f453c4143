//! What each change makes of a key. Pure: decided on the row that the transaction read after its
//! bump, so that nothing stale is decided upon.

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    lifecycle::SuspendedBy,
    scope::ScopeSet,
    settings::{Annotations, Description, DisplayName, ReasonText, RevokeReason},
};

use crate::{
    audit::AuditAction,
    error::Refused,
    record::{KeyRecord, NewSecret},
};

/// The settings that an update names; `None` leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct SettingsPatch {
    /// What people call it.
    pub display_name: Option<DisplayName>,
    /// What people say about it.
    pub description: Option<Description>,
    /// What it may reach.
    pub scopes: Option<ScopeSet>,
    /// `Some(None)` clears it.
    pub expire_time: Option<Option<Timestamp>>,
    /// Comes back with each VALID verdict.
    pub annotations: Option<Annotations>,
}

/// A change of one key.
#[derive(Debug, Clone)]
pub enum KeyChange {
    /// New settings; added scopes must be ones that `assigner` may give.
    Update {
        /// What changes.
        patch: SettingsPatch,
        /// On whose behalf.
        assigner: AssignableBy,
    },
    /// A new secret.
    Rotate {
        /// Its stored form.
        secret: NewSecret,
        /// It, unrecognisable but for the ends.
        obfuscated_secret: String,
        /// A new expiry; `None` keeps the old one.
        expire_time: Option<Timestamp>,
    },
    /// The end.
    Revoke {
        /// Why.
        reason: RevokeReason,
        /// In whose words.
        text: ReasonText,
    },
    /// Refused until resumed.
    Suspend(
        /// By whom.
        SuspendedBy,
    ),
    /// Good again.
    Resume(
        /// By whom.
        SuspendedBy,
    ),
}

impl KeyChange {
    /// What an audit event calls it.
    pub(crate) const fn action(&self) -> AuditAction {
        match self {
            Self::Update { .. } => AuditAction::UpdateKey,
            Self::Rotate { .. } => AuditAction::RotateKey,
            Self::Revoke { .. } => AuditAction::RevokeKey,
            Self::Suspend(_) => AuditAction::SuspendKey,
            Self::Resume(_) => AuditAction::ResumeKey,
        }
    }

    /// The key after the change; equal to `before` where there is nothing to do.
    pub(crate) fn apply(&self, before: &KeyRecord, now: Timestamp) -> Result<KeyRecord, Refused> {
        let mut after = before.clone();
        match self {
            Self::Update { patch, assigner: _ } => {
                let SettingsPatch { display_name, description, scopes, expire_time, annotations } =
                    patch.clone();
                let settings = &mut after.settings;
                let kept = after.lifecycle.expire_time;
                // Asked with the old expiry too: only ACTIVE and SUSPENDED keys are updated.
                after.lifecycle =
                    after.lifecycle.update_expiry(expire_time.unwrap_or(kept), now)?;
                display_name.into_iter().for_each(|new| settings.display_name = new);
                description.into_iter().for_each(|new| settings.description = new);
                scopes.into_iter().for_each(|new| settings.scopes = new);
                annotations.into_iter().for_each(|new| settings.annotations = new);
            }
            Self::Rotate { secret: _, obfuscated_secret, expire_time } => {
                after.lifecycle = after.lifecycle.rotate(*expire_time, now)?;
                after.obfuscated_secret.clone_from(obfuscated_secret);
                after.rotate_time = Some(now);
            }
            Self::Revoke { reason, text } => {
                // The first revocation stands.
                if let Some(revoked) = before.lifecycle.revoke(now) {
                    after.lifecycle = revoked;
                    after.revocation = Some((*reason, text.clone()));
                }
            }
            Self::Suspend(by) => after.lifecycle = after.lifecycle.suspend(*by, now)?,
            Self::Resume(by) => after.lifecycle = after.lifecycle.resume(*by, now)?,
        }
        if after != *before {
            after.update_time = now;
        }
        Ok(after)
    }

    /// Scopes that the change would add, and on whose behalf.
    pub(crate) fn added_scopes(&self, before: &KeyRecord) -> Option<(ScopeSet, AssignableBy)> {
        let Self::Update { patch: SettingsPatch { scopes: Some(scopes), .. }, assigner } = self
        else {
            return None;
        };
        let added = scopes.iter().filter(|scope| !before.settings.scopes.contains(scope.as_str()));
        // A part of a set is no larger than the set.
        ScopeSet::from_names(added.cloned()).ok().map(|added| (added, *assigner))
    }
}
