//! How what changed becomes visible: a verdict is never given from half of it.
//!
//! A verdict looks at three things: a secret with its key, the key's business, and the catalogue. Each
//! of them is replaced in one step, so what touches only one kind goes straight into the view that is
//! read from. What touches several may not, in whatever order: say one transaction revokes a key and
//! resumes its business. Business first, and the key is VALID for a moment; it never was. Secrets
//! first helps here, and fails where a scope gets an endpoint while keys lose the scope.
//!
//! So such changes are put into a copy of the view, a few milliseconds' work, and the copy takes the
//! view's place. Businesses are shared by both, as one store suspends all their keys: suspensions
//! come before, which denies early what both states or the new one deny, and resumptions after. Who
//! still reads from the old view finds that out when he is done, and reads again.

use std::sync::Arc;

use keyward_store::record::{Changes, HeldBusiness};

use super::view::{Index, View};

impl Index {
    /// Takes in what changed. Only ever called by one thread at a time.
    pub(super) fn apply(&self, changes: Changes) {
        let view = self.current();
        if touches_one_kind(&view, &changes) {
            view.put(changes);
            return;
        }
        let Changes { through, businesses, scopes, secrets, moved } = changes;
        let is_suspended = |business: &HeldBusiness| business.suspended;
        let (suspended, active) = businesses.into_iter().partition(is_suspended);
        let next = Arc::new(view.copy());
        next.put_businesses(suspended);
        next.put_scopes(scopes, &secrets);
        next.put_secrets(secrets, &moved);
        self.replace(Arc::clone(&next));
        next.put_businesses(active);
        next.set_applied(through);
    }
}

impl View {
    /// Takes in what changed, one kind after the other.
    pub(super) fn put(&self, changes: Changes) {
        let Changes { through, businesses, scopes, secrets, moved } = changes;
        self.put_businesses(businesses);
        self.put_scopes(scopes, &secrets);
        self.put_secrets(secrets, &moved);
        self.set_applied(through);
    }
}

/// A business that is only mentioned for the first time, or given another limit, touches no verdict.
fn touches_one_kind(view: &View, changes: &Changes) -> bool {
    let Changes { through: _, businesses, scopes, secrets, moved } = changes;
    let turns =
        |business: &HeldBusiness| business.suspended != view.is_suspended(&business.business_id);
    let touches_secrets = !secrets.is_empty() || !moved.is_empty();
    let kinds = [businesses.iter().any(turns), !scopes.is_empty(), touches_secrets];
    kinds.into_iter().filter(|touched| *touched).count() <= 1
}

#[cfg(test)]
mod tests;
