//! Rows of `scopes`. An endpoint template is a text, as it displays: `<service> <METHOD> <path>`, or
//! `<service> gRPC <method>`.

use apikey::{
    catalogue::AssignableBy, endpoint::Template, scope::ScopeName, settings::Description,
};
use diesel::prelude::*;

use super::Place;
use crate::{
    columns::{TextListColumn, TimeColumn},
    error::StoreError,
    record::{Revision, ScopeRecord},
    schema::scopes,
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = scopes, primary_key(name))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct ScopeRow {
    name: String,
    rev: i64,
    description: String,
    assignable_by: i16,
    endpoints: TextListColumn,
    retire_time: Option<TimeColumn>,
    create_time: TimeColumn,
    update_time: TimeColumn,
}

impl ScopeRow {
    pub(crate) fn new(record: &ScopeRecord, revision: Revision) -> Self {
        let ScopeRecord {
            name,
            revision: _,
            description,
            assignable_by,
            endpoints,
            retire_time,
            create_time,
            update_time,
        } = record;
        Self {
            name: name.as_str().to_owned(),
            rev: revision.0,
            description: description.as_str().to_owned(),
            assignable_by: assignable_by_code(*assignable_by),
            endpoints: TextListColumn(endpoints.iter().map(Template::to_string).collect()),
            retire_time: retire_time.map(TimeColumn),
            create_time: TimeColumn(*create_time),
            update_time: TimeColumn(*update_time),
        }
    }
}

impl TryFrom<ScopeRow> for ScopeRecord {
    type Error = StoreError;

    fn try_from(row: ScopeRow) -> Result<Self, StoreError> {
        let ScopeRow {
            name,
            rev,
            description,
            assignable_by,
            endpoints,
            retire_time,
            create_time: TimeColumn(create_time),
            update_time: TimeColumn(update_time),
        } = row;
        let at = Place { table: "scopes", row: name.clone() };
        let endpoints = endpoints.0.iter().map(|text| {
            Template::parse(text)
                .map_err(|error| at.corrupt("endpoints", format_args!("{text}: {error}")))
        });
        Ok(Self {
            name: ScopeName::parse(&name).map_err(|error| at.corrupt("name", error))?,
            revision: Revision(rev),
            description: Description::parse(&description)
                .map_err(|error| at.corrupt("description", error))?,
            assignable_by: match assignable_by {
                1 => AssignableBy::Users,
                2 => AssignableBy::Operators,
                code => {
                    let problem = format_args!("unknown code {code}");
                    return Err(at.corrupt("assignable_by", problem));
                }
            },
            endpoints: endpoints.collect::<Result<_, _>>()?,
            retire_time: retire_time.map(|time| time.0),
            create_time,
            update_time,
        })
    }
}

/// Who may assign a scope, as a column says it.
pub(crate) fn assignable_by_code(by: AssignableBy) -> i16 {
    match by {
        AssignableBy::Users => 1,
        AssignableBy::Operators => 2,
    }
}
