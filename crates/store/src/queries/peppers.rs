//! Which peppers the digests need, and whether the ones at hand are the right ones.

use apikey::{clock::Timestamp, digest::PepperSet};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use super::engine;
use crate::{
    columns::TimeColumn,
    error::StoreError,
    peppers::PepperProblem,
    rows::pepper_version,
    schema::{keys, pepper_checks, secrets},
};

impl engine::Database {
    /// Compares each pepper with what the database remembers of it, and remembers new ones.
    pub(crate) async fn check_peppers(
        &self,
        peppers: &PepperSet,
        recognised_since: Timestamp,
        now: Timestamp,
    ) -> Result<Result<(), PepperProblem>, StoreError> {
        let mut conn = self.write().await?;
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
                .execute(&mut conn)
                .await?;
            let known: Vec<u8> = pepper_checks::table
                .find(version)
                .select(pepper_checks::check_value)
                .first(&mut conn)
                .await?;
            if known != pepper.check_value() {
                return Ok(Err(PepperProblem::Different { version: pepper.version() }));
            }
        }
        // Needed: by a current secret of a key that is not revoked, or by a denial still recognised.
        let held: Vec<i32> =
            peppers.iter().map(|pepper| i32::from(pepper.version().get())).collect();
        let missing: Option<(i32, i64)> = secrets::table
            .inner_join(keys::table)
            .filter(secrets::pepper_version.ne_all(held))
            .filter(
                keys::revoke_time.is_null().or(keys::revoke_time.gt(TimeColumn(recognised_since))),
            )
            .filter(
                secrets::rotate_time
                    .is_null()
                    .or(secrets::rotate_time.gt(TimeColumn(recognised_since))),
            )
            .group_by(secrets::pepper_version)
            .order(secrets::pepper_version)
            .select((secrets::pepper_version, count_star()))
            .first(&mut conn)
            .await
            .optional()?;
        Ok(match missing {
            None => Ok(()),
            Some((version, secrets)) => Err(PepperProblem::Missing {
                version: pepper_version(version).map_or(0, |version| version.get()),
                secrets,
            }),
        })
    }
}
