//! Requests that are safe to repeat: what a `request_id` stood for, remembered for a day.

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{access::still_granted, begin, engine, keys::find_key};
use crate::{
    columns::{TimeColumn, UidColumn},
    error::{ChangeError, Refused, StoreError},
    record::{Act, Actor, Committed, IDEMPOTENCE, KeyRecord, RequestId},
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

impl engine::Database {
    /// Whether this very request was answered before.
    pub(crate) async fn was_answered(
        &self,
        business_id: &BusinessId,
        request: RequestId,
        act: &Act,
    ) -> Result<bool, ChangeError> {
        let mut conn = self.read().await?;
        Ok(answered_before(&mut conn, act, business_id, request).await?.is_some())
    }

    /// Answers a request as it was answered before.
    pub(crate) async fn repeat(
        &self,
        business_id: BusinessId,
        request: RequestId,
        act: Act,
    ) -> Result<Committed<KeyRecord>, ChangeError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            still_granted(conn, &act, &business_id).await?;
            match repeated(conn, &act, &business_id, Some(request)).await? {
                Some(value) => Ok(Committed { revision, value, repeated: true }),
                None => Err(StoreError::Conflict("the request's day is over".to_owned()).into()),
            }
        })
        .await
    }
}

/// The key that a repeated request is answered with, as it stands now.
pub(super) async fn repeated(
    conn: &mut engine::Connection,
    act: &Act,
    business_id: &BusinessId,
    request: Option<RequestId>,
) -> Result<Option<KeyRecord>, ChangeError> {
    let Some(request) = request else { return Ok(None) };
    match answered_before(conn, act, business_id, request).await? {
        None => Ok(None),
        Some(key_id) => Ok(find_key(conn, business_id, key_id).await?),
    }
}

/// The key that this very request was answered with before.
async fn answered_before(
    conn: &mut engine::Connection,
    act: &Act,
    business_id: &BusinessId,
    request: RequestId,
) -> Result<Option<KeyId>, ChangeError> {
    let Actor { caller, user_issuer, user_subject } = &act.actor;
    let before: Option<(Vec<u8>, UidColumn)> = requests::table
        .filter(requests::actor_caller.eq(caller))
        .filter(requests::actor_user_issuer.eq(user_issuer))
        .filter(requests::actor_user_subject.eq(user_subject))
        .filter(requests::business_id.eq(business_id.as_str()))
        .filter(requests::request_id.eq(uid(request)))
        .filter(requests::create_time.gt(forgotten_since(act.time)))
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

/// Remembers what the request is answered with, and forgets those that stand for nothing any more.
pub(super) async fn remember(
    conn: &mut engine::Connection,
    act: &Act,
    business_id: &BusinessId,
    request: RequestId,
    key_id: KeyId,
) -> Result<(), ChangeError> {
    let over = requests::table.filter(requests::create_time.le(forgotten_since(act.time)));
    diesel::delete(over).execute(conn).await?;
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

/// A request of this moment or an earlier one stands for nothing any more.
fn forgotten_since(now: Timestamp) -> TimeColumn {
    TimeColumn(now.saturating_sub(IDEMPOTENCE))
}

/// A UUID's 16 bytes travel as a key's do.
fn uid(request: RequestId) -> UidColumn {
    UidColumn(KeyId::from_bytes(request.id))
}
