//! What replicas hold: everything, page by page, and then whatever changed after a revision.

use apikey::digest::Digest;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::engine;
use crate::{
    error::StoreError,
    record::{Changes, HeldBusiness, HeldSecret, Revision},
    rows::{HeldBusinessRow, HeldSecretRow, ScopeRow},
    schema::{businesses, change_counter, keys, scopes, secrets},
};

type Told = (Vec<i64>, Vec<HeldBusinessRow>, Vec<ScopeRow>, Vec<HeldSecretRow>);

impl engine::Database {
    /// The newest committed change.
    pub(crate) async fn revision(&self) -> Result<Revision, StoreError> {
        let mut conn = self.follow().await?;
        current_revision(&mut conn).await
    }

    /// All that changed after `applied`, as one moment shows it: of a transaction that touched several
    /// tables either everything is told or nothing.
    pub(crate) async fn changes_after(&self, applied: Revision) -> Result<Changes, StoreError> {
        let mut conn = self.follow().await?;
        read_snapshot!(conn, async move |conn| changes_in(conn, applied).await).await
    }

    /// Businesses by id, after `after`; at most `limit`.
    pub(crate) async fn held_businesses(
        &self,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<HeldBusiness>, StoreError> {
        let mut conn = self.follow().await?;
        let rows: Vec<HeldBusinessRow> = businesses::table
            .filter(businesses::business_id.gt(after.unwrap_or_default()))
            .order(businesses::business_id)
            .limit(limit)
            .select(HeldBusinessRow::as_select())
            .load(&mut conn)
            .await?;
        convert(rows)
    }

    /// Secrets by digest, after `after`; at most `limit`.
    pub(crate) async fn held_secrets(
        &self,
        after: Option<Digest>,
        limit: i64,
    ) -> Result<Vec<HeldSecret>, StoreError> {
        let mut conn = self.follow().await?;
        let after = after.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec());
        let rows: Vec<HeldSecretRow> = secrets::table
            .inner_join(keys::table)
            .filter(secrets::digest.gt(after))
            .filter(secrets::move_time.is_null())
            .order(secrets::digest)
            .limit(limit)
            .select(HeldSecretRow::as_select())
            .load(&mut conn)
            .await?;
        convert(rows)
    }
}

/// Every change waits for this; so between the snapshot's begin and its end all is asked in one go.
async fn changes_in(
    conn: &mut engine::Connection,
    applied: Revision,
) -> Result<Changes, StoreError> {
    let counter = change_counter::table.select(change_counter::rev);
    let businesses = businesses::table
        .filter(businesses::rev.gt(applied.0))
        .order(businesses::rev)
        .select(HeldBusinessRow::as_select());
    let scopes = scopes::table
        .filter(scopes::rev.gt(applied.0))
        .order(scopes::rev)
        .select(ScopeRow::as_select());
    // Two queries and not an OR over two tables, which no index could serve.
    let joined = || secrets::table.inner_join(keys::table);
    let of_changed_keys = joined()
        .filter(keys::rev.gt(applied.0))
        .filter(secrets::rev.le(applied.0))
        .filter(secrets::move_time.is_null())
        .select(HeldSecretRow::as_select());
    let changed = joined().filter(secrets::rev.gt(applied.0)).select(HeldSecretRow::as_select());
    let secrets = of_changed_keys.union_all(changed);
    let told: Told = load_together!(conn, counter, businesses, scopes, secrets)?;
    let (counter, businesses, scopes, secrets) = told;
    let [through] = counter[..] else { return Err(diesel::result::Error::NotFound.into()) };
    let (moved, secrets): (Vec<_>, Vec<_>) =
        secrets.into_iter().partition(|row| row.move_time.is_some());
    Ok(Changes {
        through: Revision(through),
        businesses: convert(businesses)?,
        scopes: convert(scopes)?,
        secrets: convert(secrets)?,
        moved: moved.iter().filter_map(HeldSecretRow::moved).collect::<Result<_, _>>()?,
    })
}

async fn current_revision(conn: &mut engine::Connection) -> Result<Revision, StoreError> {
    let rev = change_counter::table.select(change_counter::rev).first(conn).await?;
    Ok(Revision(rev))
}

fn convert<Row, Record>(rows: Vec<Row>) -> Result<Vec<Record>, StoreError>
where
    Record: TryFrom<Row, Error = StoreError>,
{
    rows.into_iter().map(Record::try_from).collect()
}
