//! Advisors' grants: given, ended, listed, and asked for.

use std::collections::BTreeSet;

use apikey::{
    id::BusinessId,
    settings::{ReasonText, RevokeReason},
};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use super::{audit, begin, bulk::revoke_all, businesses::mention_business, engine, left_behind};
use crate::{
    access::{AccessGrant, AccessPosition, AccessQuery, Advisor, EndedAccess},
    audit::{AuditAction, AuditEvent},
    error::{ChangeError, Refused, StoreError},
    record::{Act, Committed, Revision},
    rows::AccessRow,
    schema::access_grants as grants,
};

impl engine::Database {
    pub(crate) async fn grant_access(
        &self,
        business_id: &BusinessId,
        advisor: &Advisor,
        act: Act,
    ) -> Result<Committed<AccessGrant>, ChangeError> {
        let mut conn = self.write().await?;
        let (business_id, advisor) = (business_id.clone(), advisor.clone());
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            mention_business(conn, &business_id, revision, act.time).await?;
            let newest = newest_grant(conn, &business_id, &advisor).await?;
            let grant = match newest.filter(|newest| newest.end_time.is_none()) {
                Some(live) => live,
                None => {
                    let grant = AccessGrant {
                        business_id,
                        advisor,
                        revision,
                        grant_time: act.time,
                        end_time: None,
                        granted_by: act.actor.clone(),
                    };
                    let row = AccessRow::new(&grant);
                    diesel::insert_into(grants::table).values(&row).execute(conn).await?;
                    grant
                }
            };
            let event = access_event(revision, act, AuditAction::GrantAccess, &grant);
            audit::record(conn, vec![event]).await?;
            Ok(Committed::now(revision, grant))
        })
        .await
    }

    pub(crate) async fn revoke_access(
        &self,
        business_id: &BusinessId,
        advisor: &Advisor,
        revoke_keys: bool,
        act: Act,
    ) -> Result<Committed<EndedAccess>, ChangeError> {
        let mut conn = self.write().await?;
        let (business_id, advisor) = (business_id.clone(), advisor.clone());
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            let newest = newest_grant(conn, &business_id, &advisor).await?;
            let mut grant = newest.ok_or(Refused::GrantNotFound)?;
            if grant.end_time.is_none() {
                grant.end_time = Some(act.time);
                diesel::update(grants::table.find((business_id.as_str(), grant.revision.0)))
                    .set(&AccessRow::new(&grant))
                    .execute(conn)
                    .await?;
            }
            let mut events =
                vec![access_event(revision, act.clone(), AuditAction::RevokeAccess, &grant)];
            let mut keys = left_behind::by_advisor(conn, &business_id, &advisor, act.time).await?;
            if revoke_keys {
                let (reason, text) = (RevokeReason::OwnerLeft, ReasonText::default());
                let (revoked, of_keys) =
                    revoke_all(conn, revision, keys, reason, text, &act).await?;
                keys = revoked;
                events.extend(of_keys);
            }
            audit::record(conn, events).await?;
            Ok(Committed::now(revision, EndedAccess { grant, keys }))
        })
        .await
    }

    pub(crate) async fn list_access(
        &self,
        query: AccessQuery,
    ) -> Result<Vec<AccessGrant>, StoreError> {
        let AccessQuery { business_id, include_ended, after, limit } = query;
        let mut rows = grants::table
            .filter(grants::business_id.eq(business_id.as_str().to_owned()))
            .select(AccessRow::as_select())
            .order((grants::end_time.is_not_null(), grants::rev.desc()))
            .limit(limit)
            .into_boxed::<engine::Backend>();
        if !include_ended {
            rows = rows.filter(grants::end_time.is_null());
        }
        rows = match after {
            None => rows,
            Some(AccessPosition { ended: false, revision }) => {
                rows.filter(grants::end_time.is_not_null().or(grants::rev.lt(revision.0)))
            }
            Some(AccessPosition { ended: true, revision }) => {
                rows.filter(grants::end_time.is_not_null()).filter(grants::rev.lt(revision.0))
            }
        };
        let mut conn = self.read().await?;
        let rows: Vec<AccessRow> = rows.load(&mut conn).await?;
        rows.into_iter().map(AccessGrant::try_from).collect()
    }

    pub(crate) async fn businesses_of(
        &self,
        advisor: &Advisor,
        after: Option<BusinessId>,
        limit: i64,
    ) -> Result<Vec<BusinessId>, StoreError> {
        let Advisor { issuer, subject } = advisor;
        let mut rows = grants::table
            .filter(grants::user_issuer.eq(issuer.clone()))
            .filter(grants::user_subject.eq(subject.clone()))
            .filter(grants::end_time.is_null())
            .select(AccessRow::as_select())
            .order(grants::business_id)
            .limit(limit)
            .into_boxed::<engine::Backend>();
        if let Some(after) = after {
            rows = rows.filter(grants::business_id.gt(after.as_str().to_owned()));
        }
        let mut conn = self.read().await?;
        let rows: Vec<AccessRow> = rows.load(&mut conn).await?;
        rows.into_iter().map(|row| AccessGrant::try_from(row).map(|row| row.business_id)).collect()
    }

    pub(crate) async fn has_access(
        &self,
        advisor: &Advisor,
        business_ids: &[BusinessId],
    ) -> Result<bool, StoreError> {
        let mut conn = self.read().await?;
        holds_grants(&mut conn, advisor, business_ids).await
    }
}

/// A change that rests on a grant needs it to be live still, now that no other change can come before.
/// Asked when the call began and not again here, a key could be made after the answer that told which
/// keys the advisor leaves behind.
pub(super) async fn still_granted(
    conn: &mut engine::Connection,
    act: &Act,
    business_id: &BusinessId,
) -> Result<(), ChangeError> {
    if !act.by_grant {
        return Ok(());
    }
    let (issuer, subject) = (act.actor.user_issuer.clone(), act.actor.user_subject.clone());
    let advisor = Advisor { issuer, subject };
    if holds_grants(conn, &advisor, std::slice::from_ref(business_id)).await? {
        Ok(())
    } else {
        Err(Refused::AccessEnded.into())
    }
}

async fn holds_grants(
    conn: &mut engine::Connection,
    advisor: &Advisor,
    business_ids: &[BusinessId],
) -> Result<bool, StoreError> {
    let distinct: BTreeSet<&str> = business_ids.iter().map(BusinessId::as_str).collect();
    let wanted = i64::try_from(distinct.len()).unwrap_or(i64::MAX);
    let Advisor { issuer, subject } = advisor;
    // At most one of them is live for each business.
    let live: i64 = grants::table
        .filter(grants::user_issuer.eq(issuer))
        .filter(grants::user_subject.eq(subject))
        .filter(grants::business_id.eq_any(distinct))
        .filter(grants::end_time.is_null())
        .select(count_star())
        .first(conn)
        .await?;
    Ok(live == wanted)
}

/// The live grant, or the one that ended last.
async fn newest_grant(
    conn: &mut engine::Connection,
    business_id: &BusinessId,
    advisor: &Advisor,
) -> Result<Option<AccessGrant>, StoreError> {
    let Advisor { issuer, subject } = advisor;
    grants::table
        .filter(grants::business_id.eq(business_id.as_str()))
        .filter(grants::user_issuer.eq(issuer))
        .filter(grants::user_subject.eq(subject))
        .select(AccessRow::as_select())
        .order(grants::rev.desc())
        .first(conn)
        .await
        .optional()?
        .map(AccessGrant::try_from)
        .transpose()
}

fn access_event(
    revision: Revision,
    act: Act,
    action: AuditAction,
    grant: &AccessGrant,
) -> AuditEvent {
    AuditEvent {
        business_id: Some(grant.business_id.clone()),
        advisor: Some(grant.advisor.clone()),
        ..AuditEvent::new(revision, act, action)
    }
}
