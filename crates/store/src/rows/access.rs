//! Rows of `access_grants`.

use diesel::prelude::*;

use super::Place;
use crate::{
    access::{AccessGrant, Advisor},
    columns::TimeColumn,
    error::StoreError,
    record::{Actor, Revision},
    schema::access_grants,
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = access_grants, primary_key(business_id, rev))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct AccessRow {
    business_id: String,
    rev: i64,
    user_issuer: String,
    user_subject: String,
    grant_time: TimeColumn,
    end_time: Option<TimeColumn>,
    granted_by_caller: String,
    granted_by_user_issuer: String,
    granted_by_user_subject: String,
}

impl AccessRow {
    pub(crate) fn new(grant: &AccessGrant) -> Self {
        let AccessGrant {
            business_id,
            advisor: Advisor { issuer, subject },
            revision,
            grant_time,
            end_time,
            granted_by: Actor { caller, user_issuer, user_subject },
        } = grant;
        Self {
            business_id: business_id.as_str().to_owned(),
            rev: revision.0,
            user_issuer: issuer.clone(),
            user_subject: subject.clone(),
            grant_time: TimeColumn(*grant_time),
            end_time: end_time.map(TimeColumn),
            granted_by_caller: caller.clone(),
            granted_by_user_issuer: user_issuer.clone(),
            granted_by_user_subject: user_subject.clone(),
        }
    }
}

impl TryFrom<AccessRow> for AccessGrant {
    type Error = StoreError;

    fn try_from(row: AccessRow) -> Result<Self, StoreError> {
        let AccessRow {
            business_id,
            rev,
            user_issuer: issuer,
            user_subject: subject,
            grant_time: TimeColumn(grant_time),
            end_time,
            granted_by_caller: caller,
            granted_by_user_issuer: user_issuer,
            granted_by_user_subject: user_subject,
        } = row;
        let at = Place { table: "access_grants", row: format!("{business_id}/{rev}") };
        Ok(Self {
            business_id: at.business_id(&business_id)?,
            advisor: Advisor { issuer, subject },
            revision: Revision(rev),
            grant_time,
            end_time: end_time.map(|time| time.0),
            granted_by: Actor { caller, user_issuer, user_subject },
        })
    }
}
