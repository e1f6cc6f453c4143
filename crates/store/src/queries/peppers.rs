//! Which peppers the digests need, and whether the ones at hand are the right ones.

use apikey::{clock::Timestamp, digest::PepperSet};
use diesel::{dsl::count_star, prelude::*, result::Error as DieselError};
use diesel_async::RunQueryDsl;

use super::engine;
use crate::{
    columns::TimeColumn,
    error::StoreError,
    peppers::PepperProblem,
    rows::pepper_version,
    schema::{keys, pepper_checks, secrets},
};

/// Why peppers are not taken. As an error, it rolls back: what does not fit is not remembered.
enum Unfit {
    Problem(PepperProblem),
    Fault(StoreError),
}

impl engine::Database {
    /// Compares each pepper with what the database remembers of it, and remembers new ones, all of
    /// them or none: a mistaken file must not make the right one wrong.
    pub(crate) async fn check_peppers(
        &self,
        peppers: &PepperSet,
        recognised_since: Timestamp,
        now: Timestamp,
    ) -> Result<Result<(), PepperProblem>, StoreError> {
        let mut conn = self.write().await?;
        let peppers = peppers.clone();
        let checked = write_transaction!(conn, async move |conn| {
            compare(conn, &peppers, now).await?;
            require(conn, &peppers, recognised_since).await
        });
        match checked.await {
            Ok(()) => Ok(Ok(())),
            Err(Unfit::Problem(problem)) => Ok(Err(problem)),
            Err(Unfit::Fault(error)) => Err(error),
        }
    }
}

impl From<DieselError> for Unfit {
    fn from(error: DieselError) -> Self {
        Self::Fault(error.into())
    }
}

/// Each pepper is the one of its version that was first seen.
async fn compare(
    conn: &mut engine::Connection,
    peppers: &PepperSet,
    now: Timestamp,
) -> Result<(), Unfit> {
    for pepper in peppers.iter() {
        let version = i32::from(pepper.version().get());
        let check = (
            pepper_checks::pepper_version.eq(version),
            pepper_checks::check_value.eq(pepper.check_value().to_vec()),
            pepper_checks::create_time.eq(TimeColumn(now)),
        );
        diesel::insert_into(pepper_checks::table)
            .values(check)
            .on_conflict(pepper_checks::pepper_version)
            .do_nothing()
            .execute(conn)
            .await?;
        let known: Vec<u8> = pepper_checks::table
            .find(version)
            .select(pepper_checks::check_value)
            .first(conn)
            .await?;
        if known != pepper.check_value() {
            return Err(Unfit::Problem(PepperProblem::Different { version: pepper.version() }));
        }
    }
    Ok(())
}

/// No other pepper is needed: by a current secret of a key that is not revoked, or by a denial still
/// recognised.
async fn require(
    conn: &mut engine::Connection,
    peppers: &PepperSet,
    recognised_since: Timestamp,
) -> Result<(), Unfit> {
    let held: Vec<i32> = peppers.iter().map(|pepper| i32::from(pepper.version().get())).collect();
    let since = TimeColumn(recognised_since);
    let missing: Option<(i32, i64)> = secrets::table
        .inner_join(keys::table)
        .filter(secrets::pepper_version.ne_all(held))
        .filter(keys::revoke_time.is_null().or(keys::revoke_time.gt(since)))
        .filter(secrets::rotate_time.is_null().or(secrets::rotate_time.gt(since)))
        .group_by(secrets::pepper_version)
        .order(secrets::pepper_version)
        .select((secrets::pepper_version, count_star()))
        .first(conn)
        .await
        .optional()?;
    match missing {
        None => Ok(()),
        Some((version, secrets)) => Err(Unfit::Problem(PepperProblem::Missing {
            version: pepper_version(version).map_or(0, |version| version.get()),
            secrets,
        })),
    }
}
