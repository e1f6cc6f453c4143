//! Which peppers the digests need, and whether the ones at hand are the right ones.

use apikey::{
    clock::Timestamp,
    digest::{PepperSet, PepperVersion},
};
use diesel::{dsl::count_star, prelude::*, result::Error as DieselError};
use diesel_async::RunQueryDsl;

use super::{engine, keys::is_live};
use crate::{
    columns::TimeColumn,
    error::StoreError,
    peppers::{PepperProblem, PepperUse, RetireRefused},
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

    /// How many secrets are digested under each pepper that is not retired.
    pub(crate) async fn pepper_uses(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(PepperVersion, PepperUse)>, StoreError> {
        let mut conn = self.read().await?;
        let known: Vec<i32> = pepper_checks::table
            .filter(pepper_checks::retire_time.is_null())
            .select(pepper_checks::pepper_version)
            .order(pepper_checks::pepper_version)
            .load(&mut conn)
            .await?;
        let mut uses = Vec::with_capacity(known.len());
        for version in known.into_iter().filter_map(pepper_version) {
            uses.push((version, pepper_use(&mut conn, version, now).await?));
        }
        Ok(uses)
    }

    pub(crate) async fn retire_pepper(
        &self,
        version: PepperVersion,
        expected: PepperUse,
        now: Timestamp,
    ) -> Result<Result<(), RetireRefused>, StoreError> {
        let mut conn = self.write().await?;
        let retired = write_transaction!(conn, async move |conn| {
            retire(conn, version, expected, now).await
        });
        match retired.await {
            Ok(()) => Ok(Ok(())),
            Err(Unretired::Refused(refused)) => Ok(Err(refused)),
            Err(Unretired::Fault(error)) => Err(error),
        }
    }
}

/// Why a pepper is not retired. As an error, it rolls back.
enum Unretired {
    Refused(RetireRefused),
    Fault(StoreError),
}

impl From<DieselError> for Unretired {
    fn from(error: DieselError) -> Self {
        Self::Fault(error.into())
    }
}

async fn retire(
    conn: &mut engine::Connection,
    version: PepperVersion,
    expected: PepperUse,
    now: Timestamp,
) -> Result<(), Unretired> {
    // All other changes wait: what is counted is what will be.
    engine::next_revision(conn).await?;
    let of_version = || pepper_checks::table.find(i32::from(version.get()));
    let known: Option<Option<TimeColumn>> =
        of_version().select(pepper_checks::retire_time).first(conn).await.optional()?;
    match known {
        None => return Err(Unretired::Refused(RetireRefused::Unknown)),
        Some(Some(_)) => return Err(Unretired::Refused(RetireRefused::Again)),
        Some(None) => {}
    }
    let found = pepper_use(conn, version, now).await?;
    if found != expected {
        return Err(Unretired::Refused(RetireRefused::OtherUse(found)));
    }
    diesel::update(of_version())
        .set(pepper_checks::retire_time.eq(Some(TimeColumn(now))))
        .execute(conn)
        .await?;
    Ok(())
}

/// Digests that were moved count for nothing: their secrets are known under a newer pepper.
async fn pepper_use(
    conn: &mut engine::Connection,
    version: PepperVersion,
    now: Timestamp,
) -> Result<PepperUse, DieselError> {
    let all = || {
        secrets::table
            .inner_join(keys::table)
            .filter(secrets::pepper_version.eq(i32::from(version.get())))
            .filter(secrets::move_time.is_null())
    };
    let total: i64 = all().count().get_result(conn).await?;
    let live: i64 = all()
        .filter(secrets::rotate_time.is_null())
        .filter(is_live(TimeColumn(now)))
        .count()
        .get_result(conn)
        .await?;
    Ok(PepperUse { live, dead: total.saturating_sub(live) })
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
        let (known, retire_time): (Vec<u8>, Option<TimeColumn>) = pepper_checks::table
            .find(version)
            .select((pepper_checks::check_value, pepper_checks::retire_time))
            .first(conn)
            .await?;
        if retire_time.is_some() {
            return Err(Unfit::Problem(PepperProblem::Retired { version: pepper.version() }));
        }
        if known != pepper.check_value() {
            return Err(Unfit::Problem(PepperProblem::Different { version: pepper.version() }));
        }
    }
    Ok(())
}

/// No other pepper is needed: by a current secret of a key that is not revoked, or by a denial still
/// recognised. What was moved is known under a newer one, and what was retired is given up.
async fn require(
    conn: &mut engine::Connection,
    peppers: &PepperSet,
    recognised_since: Timestamp,
) -> Result<(), Unfit> {
    let held: Vec<i32> = peppers.iter().map(|pepper| i32::from(pepper.version().get())).collect();
    let since = TimeColumn(recognised_since);
    let retired: Vec<i32> = pepper_checks::table
        .filter(pepper_checks::retire_time.is_not_null())
        .select(pepper_checks::pepper_version)
        .load(conn)
        .await?;
    let missing: Option<(i32, i64)> = secrets::table
        .inner_join(keys::table)
        .filter(secrets::pepper_version.ne_all(held))
        .filter(secrets::pepper_version.ne_all(retired))
        .filter(secrets::move_time.is_null())
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
