//! Secrets of keys: the first, the next, and one digest for another.

use apikey::{clock::Timestamp, id::KeyId};
use diesel::{dsl::max, prelude::*};
use diesel_async::RunQueryDsl;

use super::engine;
use crate::{
    columns::{TimeColumn, UidColumn},
    error::ChangeError,
    peppers::DigestMove,
    record::{Committed, NewSecret, Revision},
    rows::SecretRow,
    schema::{keys, secrets},
};

impl engine::Database {
    /// Gives secrets other digests. Each that is not the current one of its key any more, or has another
    /// digest by now, is passed over; so is one whose new digest is taken.
    pub(crate) async fn move_digests(
        &self,
        moves: Vec<DigestMove>,
        now: Timestamp,
    ) -> Result<Committed<usize>, ChangeError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            let revision = Revision(engine::next_revision(conn).await?);
            let mut moved = 0_usize;
            for one in moves {
                if move_digest(conn, one, revision, now).await? {
                    moved = moved.saturating_add(1);
                }
            }
            Ok(Committed::now(revision, moved))
        })
        .await
    }
}

/// Whether it was done.
async fn move_digest(
    conn: &mut engine::Connection,
    DigestMove { from, to }: DigestMove,
    revision: Revision,
    now: Timestamp,
) -> Result<bool, ChangeError> {
    let version = i32::from(to.pepper_version.get());
    // Decided on what stands there now: the secret may have been rotated away since it was seen, or its
    // key revoked, and what is over must not begin anew.
    let current: Option<(UidColumn, i32, TimeColumn)> = secrets::table
        .inner_join(keys::table)
        .filter(secrets::digest.eq(from.as_bytes().to_vec()))
        .filter(secrets::rotate_time.is_null())
        .filter(secrets::move_time.is_null())
        .filter(secrets::pepper_version.lt(version))
        .filter(keys::revoke_time.is_null())
        .select((secrets::key_id, secrets::generation, secrets::create_time))
        .first(conn)
        .await
        .optional()?;
    let taken: i64 = secrets::table
        .filter(secrets::digest.eq(to.digest.as_bytes().to_vec()))
        .count()
        .get_result(conn)
        .await?;
    let Some((UidColumn(key_id), generation, TimeColumn(create_time))) = current else {
        return Ok(false);
    };
    if taken > 0 {
        return Ok(false);
    }
    diesel::update(secrets::table.find(from.as_bytes().to_vec()))
        .set((secrets::move_time.eq(Some(TimeColumn(now))), secrets::rev.eq(revision.0)))
        .execute(conn)
        .await?;
    insert_secret(conn, key_id, generation, to, revision, create_time).await?;
    Ok(true)
}

/// A secret in force, of whichever generation.
pub(super) fn secret_row(
    key_id: KeyId,
    generation: i32,
    secret: NewSecret,
    revision: Revision,
    create_time: Timestamp,
) -> SecretRow {
    SecretRow {
        digest: secret.digest.as_bytes().to_vec(),
        pepper_version: i32::from(secret.pepper_version.get()),
        key_id: UidColumn(key_id),
        generation,
        rev: revision.0,
        create_time: TimeColumn(create_time),
        rotate_time: None,
        move_time: None,
    }
}

pub(super) async fn insert_secret(
    conn: &mut engine::Connection,
    key_id: KeyId,
    generation: i32,
    secret: NewSecret,
    revision: Revision,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let row = secret_row(key_id, generation, secret, revision, now);
    diesel::insert_into(secrets::table).values(&row).execute(conn).await?;
    Ok(())
}

/// The current secret becomes a past one before the new one takes its place.
pub(super) async fn replace_secret(
    conn: &mut engine::Connection,
    key_id: KeyId,
    secret: NewSecret,
    revision: Revision,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let of_key = || secrets::table.filter(secrets::key_id.eq(UidColumn(key_id)));
    let newest: Option<i32> = of_key().select(max(secrets::generation)).first(conn).await?;
    // A digest that was moved stays as it is: it stands for nothing any more.
    let current = of_key().filter(secrets::rotate_time.is_null());
    diesel::update(current.filter(secrets::move_time.is_null()))
        .set((secrets::rotate_time.eq(Some(TimeColumn(now))), secrets::rev.eq(revision.0)))
        .execute(conn)
        .await?;
    let generation = newest.unwrap_or(0).saturating_add(1);
    insert_secret(conn, key_id, generation, secret, revision, now).await
}
