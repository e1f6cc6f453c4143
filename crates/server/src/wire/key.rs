//! `Key` and its parts.

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
    lifecycle::{Lifecycle, State, SuspendedBy},
    scope::{SCOPES_MAX, ScopeName, ScopeSet},
    settings::{Annotations, Description, DisplayName, ReasonText, RevokeReason},
};
use keyward_proto::v1;
use keyward_store::record::{Actor, KeyRecord, KeyTarget, Settings};

use super::time;
use crate::errors::violations::Violations;

/// The key as it stands at `now`. `is_retired` tells of each scope whether it was.
#[must_use]
pub fn to_wire(key: KeyRecord, is_retired: impl Fn(&str) -> bool, now: Timestamp) -> v1::Key {
    let etag = key.etag();
    let KeyRecord {
        key_id,
        business_id,
        revision: _,
        settings: Settings { display_name, description, scopes, annotations },
        lifecycle,
        revocation,
        rotate_time,
        prefix: _,
        obfuscated_secret,
        creator: Actor { caller, user_issuer, user_subject },
        create_time,
        update_time,
        external_id,
    } = key;
    let state = state_to_wire(lifecycle.state(now));
    let Lifecycle { expire_time, revoke_time, suspended_by } = lifecycle;
    let (revoke_reason, revoke_reason_text) = match revocation {
        Some((reason, text)) => (reason_to_wire(reason), text.as_str().to_owned()),
        None => (v1::RevokeReason::Unspecified, String::new()),
    };
    let scopes: Vec<String> = scopes.iter().map(|name| name.as_str().to_owned()).collect();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    v1::Key {
        key_id: key_id.to_string(),
        business_id: business_id.as_str().to_owned(),
        display_name: display_name.as_str().to_owned(),
        description: description.as_str().to_owned(),
        retired_scopes: scopes.iter().filter(|name| is_retired(name)).cloned().collect(),
        scopes,
        expire_time: expire_time.map(time::to_wire),
        annotations: annotations.iter().map(owned).collect(),
        state: state.into(),
        creator: Some(v1::Creator { caller, user_issuer, user_subject }),
        create_time: Some(time::to_wire(create_time)),
        update_time: Some(time::to_wire(update_time)),
        rotate_time: rotate_time.map(time::to_wire),
        revoke_time: revoke_time.map(time::to_wire),
        revoke_reason: revoke_reason.into(),
        revoke_reason_text,
        obfuscated_secret,
        etag,
        suspended_by: suspended_by
            .map_or(v1::SuspendedBy::Unspecified, suspended_by_to_wire)
            .into(),
        // What was counted is told by whoever asked for it.
        last_use_time: None,
        last_denied_use_time: None,
        request_count: 0,
        billing_period: None,
        counted_until_time: None,
        usage_incomplete: false,
        external_id: external_id.map_or_else(String::new, |id| id.as_str().to_owned()),
    }
}

fn state_to_wire(state: State) -> v1::KeyState {
    match state {
        State::Active => v1::KeyState::Active,
        State::Suspended => v1::KeyState::Suspended,
        State::Expired => v1::KeyState::Expired,
        State::Revoked => v1::KeyState::Revoked,
    }
}

/// A state in a filter; `None` for one that is none.
#[must_use]
pub fn state_from_wire(state: v1::KeyState) -> Option<State> {
    match state {
        v1::KeyState::Unspecified => None,
        v1::KeyState::Active => Some(State::Active),
        v1::KeyState::Suspended => Some(State::Suspended),
        v1::KeyState::Expired => Some(State::Expired),
        v1::KeyState::Revoked => Some(State::Revoked),
    }
}

fn suspended_by_to_wire(by: SuspendedBy) -> v1::SuspendedBy {
    match by {
        SuspendedBy::Business => v1::SuspendedBy::Business,
        SuspendedBy::Platform => v1::SuspendedBy::Platform,
    }
}

fn reason_to_wire(reason: RevokeReason) -> v1::RevokeReason {
    match reason {
        RevokeReason::Leaked => v1::RevokeReason::Leaked,
        RevokeReason::Unused => v1::RevokeReason::Unused,
        RevokeReason::Replaced => v1::RevokeReason::Replaced,
        RevokeReason::OwnerLeft => v1::RevokeReason::OwnerLeft,
        RevokeReason::Other => v1::RevokeReason::Other,
    }
}

/// Why a key is revoked, from the two fields that say so.
pub fn reason_from_wire(
    reason: i32,
    text: &str,
    violations: &mut Violations,
) -> Option<(RevokeReason, ReasonText)> {
    let reason = match v1::RevokeReason::try_from(reason) {
        Ok(v1::RevokeReason::Leaked) => Some(RevokeReason::Leaked),
        Ok(v1::RevokeReason::Unused) => Some(RevokeReason::Unused),
        Ok(v1::RevokeReason::Replaced) => Some(RevokeReason::Replaced),
        Ok(v1::RevokeReason::OwnerLeft) => Some(RevokeReason::OwnerLeft),
        Ok(v1::RevokeReason::Other) => Some(RevokeReason::Other),
        Ok(v1::RevokeReason::Unspecified) | Err(_) => {
            violations.add("reason", "must be LEAKED, UNUSED, REPLACED, OWNER_LEFT or OTHER");
            None
        }
    };
    // Without a reason the text is held to what is asked of it with any of them.
    let of = reason.unwrap_or(RevokeReason::Leaked);
    let text = violations.take("reason_text", ReasonText::parse(of, text));
    reason.zip(text)
}

/// The parts of a `Key` that a request may set; each field that breaks a rule is noted.
#[derive(Debug)]
pub struct SettableFields {
    /// The name, if it is one.
    pub display_name: Option<DisplayName>,
    /// The description, if it is one.
    pub description: Option<Description>,
    /// The scopes, if they all are.
    pub scopes: Option<ScopeSet>,
    /// The annotations, if they are some.
    pub annotations: Option<Annotations>,
    /// The expiry; an outer `None` where it is not one.
    pub expire_time: Option<Option<Timestamp>>,
}

/// Which of the settable fields count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SettableMask {
    /// `display_name`
    pub display_name: bool,
    /// `description`
    pub description: bool,
    /// `scopes`
    pub scopes: bool,
    /// `annotations`
    pub annotations: bool,
    /// `expire_time`
    pub expire_time: bool,
}

impl SettableMask {
    /// All of them.
    pub const ALL: Self = Self {
        display_name: true,
        description: true,
        scopes: true,
        annotations: true,
        expire_time: true,
    };
}

impl SettableFields {
    /// Reads those of the fields that `mask` names.
    pub fn from_wire(
        key: v1::Key,
        mask: SettableMask,
        now: Timestamp,
        violations: &mut Violations,
    ) -> Self {
        let v1::Key {
            display_name,
            description,
            scopes,
            annotations,
            expire_time,
            // Output only, or named elsewhere in the request.
            key_id: _,
            business_id: _,
            state: _,
            creator: _,
            create_time: _,
            update_time: _,
            rotate_time: _,
            revoke_time: _,
            revoke_reason: _,
            revoke_reason_text: _,
            obfuscated_secret: _,
            etag: _,
            last_use_time: _,
            last_denied_use_time: _,
            request_count: _,
            billing_period: _,
            counted_until_time: _,
            usage_incomplete: _,
            retired_scopes: _,
            external_id: _,
            suspended_by: _,
        } = key;
        let v = violations;
        Self {
            display_name: mask
                .display_name
                .then(|| v.take("key.display_name", DisplayName::parse(&display_name)))
                .flatten(),
            description: mask
                .description
                .then(|| v.take("key.description", Description::parse(&description)))
                .flatten(),
            scopes: mask.scopes.then(|| scopes_from_wire("key.scopes", &scopes, v)).flatten(),
            annotations: mask
                .annotations
                .then(|| v.take("key.annotations", Annotations::from_entries(annotations)))
                .flatten(),
            expire_time: mask
                .expire_time
                .then(|| expiry_from_wire("key.expire_time", expire_time, now, v))
                .flatten(),
        }
    }
}

/// An expiry to be set: none, or one in the future.
pub fn expiry_from_wire(
    field: &str,
    expire_time: Option<prost_types::Timestamp>,
    now: Timestamp,
    violations: &mut Violations,
) -> Option<Option<Timestamp>> {
    let Some(expire_time) = expire_time else { return Some(None) };
    let expire_time = violations.take(field, time::from_wire(expire_time))?;
    if expire_time <= now {
        violations.add(field, format!("must be in the future; it is {now} now"));
        return None;
    }
    Some(Some(expire_time))
}

/// A set of scope names.
pub fn scopes_from_wire(
    field: &str,
    names: &[String],
    violations: &mut Violations,
) -> Option<ScopeSet> {
    if names.len() > SCOPES_MAX {
        violations.add(field, format!("has {} names, and {SCOPES_MAX} is the most", names.len()));
        return None;
    }
    let parsed: Vec<_> = names
        .iter()
        .enumerate()
        .filter_map(|(i, name)| violations.take(format!("{field}[{i}]"), ScopeName::parse(name)))
        .collect();
    if parsed.len() < names.len() {
        return None;
    }
    violations.take(field, ScopeSet::from_names(parsed))
}

/// The key that a request names, by business and id together, the latter with the name of its field;
/// an empty etag leaves it open.
pub fn target_from_wire(
    business_id: &str,
    (field, key_id): (&str, &str),
    etag: &str,
    violations: &mut Violations,
) -> Option<KeyTarget> {
    let business_id = violations.take("business_id", BusinessId::parse(business_id));
    let key_id = violations.take(field, KeyId::parse(key_id));
    let etag = (!etag.is_empty()).then(|| etag.to_owned());
    Some(KeyTarget { business_id: business_id?, key_id: key_id?, etag })
}
