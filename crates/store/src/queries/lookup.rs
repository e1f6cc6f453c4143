//! Which key a digest is of.

use apikey::digest::Digest;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{audit, begin, engine};
use crate::{
    audit::{AuditAction, AuditEvent},
    columns::{TimeColumn, UidColumn},
    error::{ChangeError, StoreError},
    lookup::FoundSecret,
    record::{Act, Committed, KeyRecord},
    rows::KeyRow,
    schema::{keys, secrets},
};

impl engine::Database {
    pub(crate) async fn look_up(
        &self,
        digests: Vec<Digest>,
        act: Act,
    ) -> Result<Committed<Option<FoundSecret>>, ChangeError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            let found = find(conn, &digests).await?;
            let key = found.as_ref().map(|found| &found.key);
            let event = AuditEvent {
                business_id: key.map(|key| key.business_id.clone()),
                key_id: key.map(|key| key.key_id),
                ..AuditEvent::new(revision, act, AuditAction::LookupKey)
            };
            audit::record(conn, vec![event]).await?;
            Ok(Committed::now(revision, found))
        })
        .await
    }
}

async fn find(
    conn: &mut engine::Connection,
    digests: &[Digest],
) -> Result<Option<FoundSecret>, StoreError> {
    let digests: Vec<Vec<u8>> = digests.iter().map(|digest| digest.as_bytes().to_vec()).collect();
    let place: Option<(UidColumn, i32)> = secrets::table
        .filter(secrets::digest.eq_any(digests))
        .select((secrets::key_id, secrets::generation))
        .first(conn)
        .await
        .optional()?;
    let Some((key_id, generation)) = place else { return Ok(None) };
    // Whichever of its digests was found: the one in force tells of the secret.
    let (TimeColumn(create_time), rotate_time): (TimeColumn, Option<TimeColumn>) = secrets::table
        .filter(secrets::key_id.eq(key_id))
        .filter(secrets::generation.eq(generation))
        .filter(secrets::move_time.is_null())
        .select((secrets::create_time, secrets::rotate_time))
        .first(conn)
        .await?;
    let key: KeyRow = keys::table.find(key_id).select(KeyRow::as_select()).first(conn).await?;
    let rotate_time = rotate_time.map(|time| time.0);
    Ok(Some(FoundSecret { key: KeyRecord::try_from(key)?, generation, create_time, rotate_time }))
}
