//! Rows of `secrets`, alone and with the key's columns that replicas hold.

use std::collections::BTreeMap;

use apikey::{
    digest::{Digest, PepperVersion},
    lifecycle::Lifecycle,
    settings::{Annotations, DisplayName},
    verdict::Generation,
};
use diesel::prelude::*;

use super::Place;
use crate::{
    columns::{JsonColumn, TextListColumn, TimeColumn, UidColumn},
    error::StoreError,
    record::HeldSecret,
    schema::{keys, secrets},
};

#[derive(Debug, Insertable)]
#[diesel(table_name = secrets, treat_none_as_default_value = false)]
pub(crate) struct SecretRow {
    pub(crate) digest: Vec<u8>,
    pub(crate) pepper_version: i32,
    pub(crate) key_id: UidColumn,
    pub(crate) generation: i32,
    pub(crate) rev: i64,
    pub(crate) create_time: TimeColumn,
    pub(crate) rotate_time: Option<TimeColumn>,
    pub(crate) move_time: Option<TimeColumn>,
}

/// A secret with the columns of its key that replicas hold.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = secrets)]
pub(crate) struct HeldSecretRow {
    pub(crate) digest: Vec<u8>,
    pub(crate) pepper_version: i32,
    pub(crate) rotate_time: Option<TimeColumn>,
    pub(crate) move_time: Option<TimeColumn>,
    #[diesel(embed)]
    pub(crate) key: HeldKeyRow,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = keys)]
pub(crate) struct HeldKeyRow {
    key_id: UidColumn,
    business_id: String,
    display_name: String,
    scopes: TextListColumn,
    annotations: JsonColumn<BTreeMap<String, String>>,
    expire_time: Option<TimeColumn>,
    suspended_by: Option<i16>,
    revoke_time: Option<TimeColumn>,
}

impl HeldSecretRow {
    /// The digest alone, where it no longer stands for its secret.
    pub(crate) fn moved(&self) -> Option<Result<Digest, StoreError>> {
        self.move_time?;
        let UidColumn(key_id) = self.key.key_id;
        let at = Place { table: "secrets", row: format!("of {key_id}") };
        Some(stored_digest(&at, self.digest.clone()))
    }
}

impl TryFrom<HeldSecretRow> for HeldSecret {
    type Error = StoreError;

    fn try_from(row: HeldSecretRow) -> Result<Self, StoreError> {
        let HeldSecretRow { digest, pepper_version, rotate_time, move_time: _, key } = row;
        let HeldKeyRow {
            key_id: UidColumn(key_id),
            business_id,
            display_name,
            scopes,
            annotations,
            expire_time,
            suspended_by,
            revoke_time,
        } = key;
        let at = Place { table: "secrets", row: format!("of {key_id}") };
        Ok(Self {
            digest: stored_digest(&at, digest)?,
            pepper_version: self::pepper_version(pepper_version)
                .ok_or_else(|| at.corrupt("pepper_version", "not in 1 to 65535"))?,
            generation: match rotate_time {
                None => Generation::Current,
                Some(TimeColumn(rotate_time)) => Generation::Superseded { rotate_time },
            },
            key_id,
            business_id: at.business_id(&business_id)?,
            display_name: DisplayName::parse(&display_name)
                .map_err(|error| at.corrupt("display_name", error))?,
            scopes: at.scopes(scopes.0)?,
            annotations: Annotations::from_entries(annotations.0)
                .map_err(|error| at.corrupt("annotations", error))?,
            lifecycle: Lifecycle {
                expire_time: expire_time.map(|time| time.0),
                revoke_time: revoke_time.map(|time| time.0),
                suspended_by: at.suspended_by(suspended_by)?,
            },
        })
    }
}

fn stored_digest(at: &Place, bytes: Vec<u8>) -> Result<Digest, StoreError> {
    let length = bytes.len();
    let bytes = bytes.try_into().ok();
    bytes
        .map(Digest::from_bytes)
        .ok_or_else(|| at.corrupt("digest", format_args!("{length} bytes, not 32")))
}

/// The version in a column, which is wider than a version.
pub(crate) fn pepper_version(version: i32) -> Option<PepperVersion> {
    u16::try_from(version).ok().and_then(PepperVersion::new)
}
