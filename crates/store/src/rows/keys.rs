//! Rows of `keys`.

use std::collections::BTreeMap;

use apikey::{
    id::ExternalId,
    lifecycle::{Lifecycle, SuspendedBy},
    secret::Prefix,
    settings::{Annotations, Description, DisplayName, ReasonText, RevokeReason},
};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::Place;
use crate::{
    columns::{JsonColumn, TextListColumn, TimeColumn, UidColumn},
    error::StoreError,
    record::{Actor, KeyRecord, Revision, Settings},
    schema::keys,
};

/// In JSON it is a key's snapshot in an audit event.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = keys, primary_key(key_id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct KeyRow {
    key_id: UidColumn,
    business_id: String,
    rev: i64,
    display_name: String,
    description: String,
    scopes: TextListColumn,
    annotations: JsonColumn<BTreeMap<String, String>>,
    expire_time: Option<TimeColumn>,
    suspended_by: Option<i16>,
    revoke_time: Option<TimeColumn>,
    revoke_reason: Option<i16>,
    revoke_reason_text: String,
    rotate_time: Option<TimeColumn>,
    prefix: String,
    obfuscated_secret: String,
    creator_caller: String,
    creator_user_issuer: String,
    creator_user_subject: String,
    create_time: TimeColumn,
    update_time: TimeColumn,
    // Snapshots of before keys came from elsewhere have none.
    #[serde(default)]
    external_id: String,
}

impl KeyRow {
    pub(crate) fn new(record: &KeyRecord, revision: Revision) -> Self {
        let KeyRecord {
            key_id,
            business_id,
            revision: _,
            settings: Settings { display_name, description, scopes, annotations },
            lifecycle: Lifecycle { expire_time, revoke_time, suspended_by },
            revocation,
            rotate_time,
            prefix,
            obfuscated_secret,
            creator: Actor { caller, user_issuer, user_subject },
            create_time,
            update_time,
            external_id,
        } = record;
        Self {
            key_id: UidColumn(*key_id),
            business_id: business_id.as_str().to_owned(),
            rev: revision.0,
            display_name: display_name.as_str().to_owned(),
            description: description.as_str().to_owned(),
            scopes: TextListColumn(scopes.iter().map(|name| name.as_str().to_owned()).collect()),
            annotations: JsonColumn(owned(annotations)),
            expire_time: expire_time.map(TimeColumn),
            suspended_by: suspended_by.map(suspended_by_code),
            revoke_time: revoke_time.map(TimeColumn),
            revoke_reason: revocation.as_ref().map(|(reason, _)| reason_code(*reason)),
            revoke_reason_text: revocation
                .as_ref()
                .map_or_else(String::new, |(_, text)| text.as_str().to_owned()),
            rotate_time: rotate_time.map(TimeColumn),
            prefix: prefix.as_str().to_owned(),
            obfuscated_secret: obfuscated_secret.clone(),
            creator_caller: caller.clone(),
            creator_user_issuer: user_issuer.clone(),
            creator_user_subject: user_subject.clone(),
            create_time: TimeColumn(*create_time),
            update_time: TimeColumn(*update_time),
            external_id: external_id.as_ref().map_or_else(String::new, |id| id.as_str().to_owned()),
        }
    }
}

impl TryFrom<KeyRow> for KeyRecord {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let KeyRow {
            key_id: UidColumn(key_id),
            business_id,
            rev,
            display_name,
            description,
            scopes,
            annotations,
            expire_time,
            suspended_by,
            revoke_time,
            revoke_reason,
            revoke_reason_text,
            rotate_time,
            prefix,
            obfuscated_secret,
            creator_caller: caller,
            creator_user_issuer: user_issuer,
            creator_user_subject: user_subject,
            create_time: TimeColumn(create_time),
            update_time: TimeColumn(update_time),
            external_id,
        } = row;
        let at = Place { table: "keys", row: key_id.to_string() };
        let revocation = match revoke_reason {
            None => None,
            Some(code) => {
                let reason = reason(code).ok_or_else(|| {
                    at.corrupt("revoke_reason", format_args!("unknown code {code}"))
                })?;
                let text = ReasonText::parse(reason, &revoke_reason_text)
                    .map_err(|error| at.corrupt("revoke_reason_text", error))?;
                Some((reason, text))
            }
        };
        let external_id = (!external_id.is_empty()).then(|| {
            ExternalId::parse(&external_id).map_err(|error| at.corrupt("external_id", error))
        });
        Ok(Self {
            key_id,
            business_id: at.business_id(&business_id)?,
            revision: Revision(rev),
            settings: Settings {
                display_name: DisplayName::parse(&display_name)
                    .map_err(|error| at.corrupt("display_name", error))?,
                description: Description::parse(&description)
                    .map_err(|error| at.corrupt("description", error))?,
                scopes: at.scopes(scopes.0)?,
                annotations: Annotations::from_entries(annotations.0)
                    .map_err(|error| at.corrupt("annotations", error))?,
            },
            lifecycle: Lifecycle {
                expire_time: expire_time.map(|time| time.0),
                revoke_time: revoke_time.map(|time| time.0),
                suspended_by: at.suspended_by(suspended_by)?,
            },
            revocation,
            rotate_time: rotate_time.map(|time| time.0),
            prefix: Prefix::parse(&prefix).map_err(|error| at.corrupt("prefix", error))?,
            obfuscated_secret,
            creator: Actor { caller, user_issuer, user_subject },
            create_time,
            update_time,
            external_id: external_id.transpose()?,
        })
    }
}

fn owned(annotations: &Annotations) -> BTreeMap<String, String> {
    annotations.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn reason(code: i16) -> Option<RevokeReason> {
    match code {
        1 => Some(RevokeReason::Leaked),
        2 => Some(RevokeReason::Unused),
        3 => Some(RevokeReason::Replaced),
        4 => Some(RevokeReason::OwnerLeft),
        5 => Some(RevokeReason::Other),
        _ => None,
    }
}

/// A reason, as a column says it.
pub(crate) fn reason_code(reason: RevokeReason) -> i16 {
    match reason {
        RevokeReason::Leaked => 1,
        RevokeReason::Unused => 2,
        RevokeReason::Replaced => 3,
        RevokeReason::OwnerLeft => 4,
        RevokeReason::Other => 5,
    }
}

fn suspended_by_code(by: SuspendedBy) -> i16 {
    match by {
        SuspendedBy::Business => 1,
        SuspendedBy::Platform => 2,
    }
}
