//! Rows of `businesses`.

use diesel::prelude::*;

use super::Place;
use crate::{columns::TimeColumn, error::StoreError, record::HeldBusiness, schema::businesses};

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = businesses, treat_none_as_default_value = false)]
pub(crate) struct BusinessRow {
    pub(crate) business_id: String,
    pub(crate) rev: i64,
    pub(crate) key_limit: i32,
    pub(crate) suspend_time: Option<TimeColumn>,
    pub(crate) create_time: TimeColumn,
    pub(crate) update_time: TimeColumn,
}

impl TryFrom<BusinessRow> for HeldBusiness {
    type Error = StoreError;

    fn try_from(row: BusinessRow) -> Result<Self, StoreError> {
        let BusinessRow {
            business_id,
            rev: _,
            key_limit: _,
            suspend_time,
            create_time: _,
            update_time: _,
        } = row;
        let at = Place { table: "businesses", row: business_id.clone() };
        let business_id = at.business_id(&business_id)?;
        Ok(Self { business_id, suspended: suspend_time.is_some() })
    }
}
