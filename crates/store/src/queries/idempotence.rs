//! Requests that are safe to repeat: what a `request_id` stood for, remembered for a day.

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::engine;
use crate::{
    columns::{TimeColumn, UidColumn},
    error::{ChangeError, Refused},
    record::{Act, Actor, IDEMPOTENCE, RequestId},
    schema::idempotent_requests as requests,
};

#[derive(Debug, Insertable)]
#[diesel(table_name = requests)]
struct RequestRow<'a> {
    actor_caller: &'a str,
    actor_user_issuer: &'a str,
    actor_user_subject: &'a str,
    business_id: &'a str,
    request_id: UidColumn,
    request_hash: &'a [u8],
    key_id: UidColumn,
    create_time: TimeColumn,
}

/// The key that this very request was answered with before.
pub(super) async fn answered_before(
    conn: &mut engine::Connection,
    act: &Act,
    business_id: &BusinessId,
    request: RequestId,
) -> Result<Option<KeyId>, ChangeError> {
    forget(conn, act.time).await?;
    let Actor { caller, user_issuer, user_subject } = &act.actor;
    let before: Option<(Vec<u8>, UidColumn)> = requests::table
        .filter(requests::actor_caller.eq(caller))
        .filter(requests::actor_user_issuer.eq(user_issuer))
        .filter(requests::actor_user_subject.eq(user_subject))
        .filter(requests::business_id.eq(business_id.as_str()))
        .filter(requests::request_id.eq(uid(request)))
        .select((requests::request_hash, requests::key_id))
        .first(conn)
        .await
        .optional()?;
    match before {
        None => Ok(None),
        Some((hash, UidColumn(key_id))) if hash == request.hash => Ok(Some(key_id)),
        Some(_) => Err(Refused::RequestIdReused.into()),
    }
}

/// Remembers what the request is answered with.
pub(super) async fn remember(
    conn: &mut engine::Connection,
    act: &Act,
    business_id: &BusinessId,
    request: RequestId,
    key_id: KeyId,
) -> Result<(), ChangeError> {
    let Actor { caller, user_issuer, user_subject } = &act.actor;
    let row = RequestRow {
        actor_caller: caller,
        actor_user_issuer: user_issuer,
        actor_user_subject: user_subject,
        business_id: business_id.as_str(),
        request_id: uid(request),
        request_hash: &request.hash,
        key_id: UidColumn(key_id),
        create_time: TimeColumn(act.time),
    };
    diesel::insert_into(requests::table).values(&row).execute(conn).await?;
    Ok(())
}

/// Requests older than a day stand for nothing any more.
async fn forget(conn: &mut engine::Connection, now: Timestamp) -> Result<(), ChangeError> {
    let since = TimeColumn(now.saturating_sub(IDEMPOTENCE));
    diesel::delete(requests::table.filter(requests::create_time.le(since))).execute(conn).await?;
    Ok(())
}

/// A UUID's 16 bytes travel as a key's do.
fn uid(request: RequestId) -> UidColumn {
    UidColumn(KeyId::from_bytes(request.id))
}
