//! Rows of `audit_events`. A key before and after is a row of `keys` in JSON.

use apikey::scope::ScopeName;
use diesel::prelude::*;

use super::{KeyRow, Place};
use crate::{
    access::Advisor,
    audit::{AuditAction, AuditEvent},
    columns::{JsonColumn, TimeColumn, UidColumn},
    error::StoreError,
    record::{Act, Actor, KeyRecord, Revision},
    schema::audit_events,
};

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
pub(crate) struct AuditRow {
    rev: i64,
    seq: i32,
    event_time: TimeColumn,
    action: i16,
    business_id: String,
    key_id: Option<UidColumn>,
    scope: String,
    actor_caller: String,
    actor_user_issuer: String,
    actor_user_subject: String,
    peer_address: String,
    key_before: Option<JsonColumn<KeyRow>>,
    key_after: Option<JsonColumn<KeyRow>>,
    advisor_issuer: String,
    advisor_subject: String,
}

impl AuditRow {
    /// The event of a change with this number among its events.
    pub(crate) fn new(event: &AuditEvent, seq: i32) -> Self {
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
        let (advisor_issuer, advisor_subject) = match advisor {
            Some(Advisor { issuer, subject }) => (issuer.clone(), subject.clone()),
            None => (String::new(), String::new()),
        };
        let snapshot = |key: &KeyRecord| JsonColumn(KeyRow::new(key, key.revision));
        Self {
            rev: revision.0,
            seq,
            event_time: TimeColumn(*time),
            action: action_code(*action),
            business_id: business_id.as_ref().map_or("", |id| id.as_str()).to_owned(),
            key_id: key_id.map(UidColumn),
            scope: scope.as_ref().map_or("", |name| name.as_str()).to_owned(),
            actor_caller: caller.clone(),
            actor_user_issuer: user_issuer.clone(),
            actor_user_subject: user_subject.clone(),
            peer_address: peer_address.clone(),
            key_before: key_before.as_ref().map(snapshot),
            key_after: key_after.as_ref().map(snapshot),
            advisor_issuer,
            advisor_subject,
        }
    }
}

impl TryFrom<AuditRow> for AuditEvent {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let AuditRow {
            rev,
            seq,
            event_time: TimeColumn(time),
            action,
            business_id,
            key_id,
            scope,
            actor_caller: caller,
            actor_user_issuer: user_issuer,
            actor_user_subject: user_subject,
            peer_address,
            key_before,
            key_after,
            advisor_issuer: issuer,
            advisor_subject: subject,
        } = row;
        let at = Place { table: "audit_events", row: format!("{rev}/{seq}") };
        let business_id = (!business_id.is_empty()).then(|| at.business_id(&business_id));
        let scope = (!scope.is_empty())
            .then(|| ScopeName::parse(&scope).map_err(|error| at.corrupt("scope", error)));
        let key = |snapshot: Option<JsonColumn<KeyRow>>| {
            snapshot.map(|JsonColumn(row)| KeyRecord::try_from(row)).transpose()
        };
        Ok(Self {
            revision: Revision(rev),
            act: Act {
                actor: Actor { caller, user_issuer, user_subject },
                peer_address,
                time,
                admitted_at: None,
                by_grant: false,
            },
            action: self::action(action)
                .ok_or_else(|| at.corrupt("action", format_args!("unknown code {action}")))?,
            business_id: business_id.transpose()?,
            key_id: key_id.map(|UidColumn(key_id)| key_id),
            scope: scope.transpose()?,
            advisor: (!issuer.is_empty()).then_some(Advisor { issuer, subject }),
            key_before: key(key_before)?,
            key_after: key(key_after)?,
        })
    }
}

/// The numbers are the contract's, so that a reader of the table needs no other list.
pub(crate) fn action_code(action: AuditAction) -> i16 {
    match action {
        AuditAction::CreateKey => 1,
        AuditAction::UpdateKey => 2,
        AuditAction::RotateKey => 3,
        AuditAction::RevokeKey => 4,
        AuditAction::SuspendKey => 5,
        AuditAction::ResumeKey => 6,
        AuditAction::ImportKey => 7,
        AuditAction::LookupKey => 8,
        AuditAction::UpdateScope => 9,
        AuditAction::RetireScope => 10,
        AuditAction::UpdateBusiness => 11,
        AuditAction::GrantAccess => 12,
        AuditAction::RevokeAccess => 13,
    }
}

fn action(code: i16) -> Option<AuditAction> {
    match code {
        1 => Some(AuditAction::CreateKey),
        2 => Some(AuditAction::UpdateKey),
        3 => Some(AuditAction::RotateKey),
        4 => Some(AuditAction::RevokeKey),
        5 => Some(AuditAction::SuspendKey),
        6 => Some(AuditAction::ResumeKey),
        7 => Some(AuditAction::ImportKey),
        8 => Some(AuditAction::LookupKey),
        9 => Some(AuditAction::UpdateScope),
        10 => Some(AuditAction::RetireScope),
        11 => Some(AuditAction::UpdateBusiness),
        12 => Some(AuditAction::GrantAccess),
        13 => Some(AuditAction::RevokeAccess),
        _ => None,
    }
}
