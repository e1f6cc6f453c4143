//! Keys of another system: what is here is read once for all of them, each is decided upon, and what is
//! new is written at once.

use std::collections::{HashMap, HashSet};

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    digest::Digest,
    id::{BusinessId, ExternalId, KeyId},
    scope::ScopeName,
};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{
    audit, begin, engine,
    keys::{is_live, scope_problems, scopes_named},
    secrets::secret_row,
    usage::NEVER,
};
use crate::{
    audit::{AuditAction, AuditEvent},
    business::KEY_LIMIT_DEFAULT,
    columns::{TimeColumn, UidColumn},
    error::{ChangeError, Refused, StoreError},
    import::{ImportOutcome, ImportedKey},
    record::{Act, Actor, BusinessRecord, Committed, KeyRecord, Revision, ScopeRecord},
    rows::{BusinessRow, KeyRow, SecretRow},
    schema::{businesses, keys, secrets, usage_last},
};

impl engine::Database {
    pub(crate) async fn import_keys(
        &self,
        keys: Vec<ImportedKey>,
        act: Act,
    ) -> Result<Committed<Vec<ImportOutcome>>, ChangeError> {
        let mut conn = self.write().await?;
        write_transaction!(conn, async move |conn| {
            let revision = begin(conn, &act).await?;
            let mut plan = Plan::read(conn, &keys, act.time).await?;
            let outcomes = plan.decide_all(keys, &act, revision);
            plan.carry_out(conn, &act, revision).await?;
            Ok(Committed::now(revision, outcomes))
        })
        .await
    }

    /// What `import_keys` would do.
    pub(crate) async fn check_import_keys(
        &self,
        keys: Vec<ImportedKey>,
        act: Act,
    ) -> Result<Vec<ImportOutcome>, ChangeError> {
        let mut conn = self.read().await?;
        let mut plan = Plan::read(&mut conn, &keys, act.time).await?;
        Ok(plan.decide_all(keys, &act, Revision::default()))
    }
}

/// What is here, as far as it decides on some keys, and what is to be made. What is decided to be made
/// counts as here for the keys after it.
struct Plan {
    here: HashMap<(BusinessId, ExternalId), KeyRecord>,
    owners: HashMap<Digest, KeyId>,
    scopes: HashMap<ScopeName, ScopeRecord>,
    rooms: HashMap<BusinessId, Room>,
    new: Vec<(KeyRecord, SecretRow)>,
    /// When new ones were last used where they come from.
    uses: Vec<(KeyId, Timestamp)>,
    /// Businesses that are not here.
    mentioned: Vec<BusinessId>,
}

/// A business's limit, and how many live keys it holds.
struct Room {
    limit: i32,
    live: i64,
}

impl Plan {
    async fn read(
        conn: &mut engine::Connection,
        imported: &[ImportedKey],
        now: Timestamp,
    ) -> Result<Self, ChangeError> {
        let business_ids: HashSet<&str> =
            imported.iter().map(|key| key.business_id.as_str()).collect();
        let business_ids: Vec<String> = business_ids.into_iter().map(str::to_owned).collect();
        let names: HashSet<&ScopeName> =
            imported.iter().flat_map(|key| key.settings.scopes.iter()).collect();
        let names: Vec<String> = names.into_iter().map(|name| name.as_str().to_owned()).collect();
        Ok(Self {
            here: keys_here(conn, imported).await?,
            owners: owners(conn, imported).await?,
            scopes: scopes_named(conn, names).await?,
            rooms: rooms(conn, &business_ids, now).await?,
            new: Vec::new(),
            uses: Vec::new(),
            mentioned: Vec::new(),
        })
    }

    fn decide_all(
        &mut self,
        keys: Vec<ImportedKey>,
        act: &Act,
        revision: Revision,
    ) -> Vec<ImportOutcome> {
        let decide = |key| self.decide(&key, &act.actor, revision, act.time);
        keys.into_iter().map(decide).collect()
    }

    fn decide(
        &mut self,
        key: &ImportedKey,
        creator: &Actor,
        revision: Revision,
        now: Timestamp,
    ) -> ImportOutcome {
        let owner = key.digests.iter().find_map(|digest| self.owners.get(digest)).copied();
        let place = (key.business_id.clone(), key.external_id.clone());
        if let Some(same) = self.here.get(&place) {
            let mut differences = key.differences(same);
            if owner != Some(same.key_id) {
                differences.push("sha256");
            }
            return match differences.as_slice() {
                [] => ImportOutcome::AlreadyImported(same.key_id),
                _ => ImportOutcome::Differs(same.key_id, differences),
            };
        }
        if let Some(owner) = owner {
            return ImportOutcome::SecretTaken(owner);
        }
        let problems = scope_problems(&key.settings.scopes, &self.scopes, AssignableBy::Operators);
        if !problems.is_empty() {
            return ImportOutcome::Refused(Refused::Scopes(problems));
        }
        let room = self.rooms.entry(key.business_id.clone()).or_insert_with(|| {
            self.mentioned.push(key.business_id.clone());
            Room { limit: KEY_LIMIT_DEFAULT, live: 0 }
        });
        if key.lifecycle.is_live(now) {
            if room.live >= i64::from(room.limit) {
                return ImportOutcome::Refused(Refused::KeyLimitReached { limit: room.limit });
            }
            room.live = room.live.saturating_add(1);
        }
        let record = key.record(creator.clone(), revision, now);
        let secret = secret_row(key.key_id, 1, key.secret, revision, key.create_time);
        self.owners.extend(key.digests.iter().map(|digest| (*digest, key.key_id)));
        self.here.insert(place, record.clone());
        self.uses.extend(key.last_use_time.map(|time| (key.key_id, time)));
        self.new.push((record, secret));
        ImportOutcome::Imported(key.key_id)
    }

    async fn carry_out(
        self,
        conn: &mut engine::Connection,
        act: &Act,
        revision: Revision,
    ) -> Result<(), ChangeError> {
        let mention = |id: BusinessId| {
            BusinessRow::new(&BusinessRecord::mentioned(id, revision, act.time), revision)
        };
        let mentioned: Vec<BusinessRow> = self.mentioned.into_iter().map(mention).collect();
        let (records, secrets): (Vec<KeyRecord>, Vec<SecretRow>) = self.new.into_iter().unzip();
        let last_use = |(key_id, time): (KeyId, Timestamp)| {
            (
                usage_last::key_id.eq(UidColumn(key_id)),
                usage_last::last_use_time.eq(TimeColumn(time)),
                usage_last::last_denied_use_time.eq(TimeColumn(NEVER)),
            )
        };
        let last_uses: Vec<_> = self.uses.into_iter().map(last_use).collect();
        let rows: Vec<KeyRow> = records.iter().map(|key| KeyRow::new(key, revision)).collect();
        let events: Vec<AuditEvent> = records
            .iter()
            .map(|key| AuditEvent::of_key(revision, act.clone(), AuditAction::ImportKey, None, key))
            .collect();
        insert_all!(conn, businesses::table, &mentioned);
        insert_all!(conn, keys::table, &rows);
        insert_all!(conn, secrets::table, &secrets);
        insert_all!(conn, usage_last::table, &last_uses);
        audit::record(conn, events).await
    }
}

/// Keys that have the external id of one of these, in its business.
async fn keys_here(
    conn: &mut engine::Connection,
    imported: &[ImportedKey],
) -> Result<HashMap<(BusinessId, ExternalId), KeyRecord>, StoreError> {
    let place =
        |key: &ImportedKey| json!([key.business_id.as_str(), key.external_id.as_str()]).to_string();
    let rows: Vec<KeyRow> = keys::table
        .filter(came_from!(imported.iter().map(place).collect()))
        .select(KeyRow::as_select())
        .load(conn)
        .await?;
    let mut here = HashMap::new();
    for row in rows {
        let record = KeyRecord::try_from(row)?;
        if let Some(external_id) = &record.external_id {
            here.insert((record.business_id.clone(), external_id.clone()), record);
        }
    }
    Ok(here)
}

/// Whose the digests are.
async fn owners(
    conn: &mut engine::Connection,
    imported: &[ImportedKey],
) -> Result<HashMap<Digest, KeyId>, StoreError> {
    let all: Vec<Digest> = imported.iter().flat_map(|key| key.digests.iter().copied()).collect();
    let bytes: Vec<Vec<u8>> = all.iter().map(|digest| digest.as_bytes().to_vec()).collect();
    let rows: Vec<(Vec<u8>, UidColumn)> = secrets::table
        .filter(secrets::digest.eq_any(bytes))
        .select((secrets::digest, secrets::key_id))
        .load(conn)
        .await?;
    let by_bytes: HashMap<Vec<u8>, UidColumn> = rows.into_iter().collect();
    let mut owners = HashMap::new();
    for digest in all {
        if let Some(UidColumn(key_id)) = by_bytes.get(digest.as_bytes().as_slice()) {
            owners.insert(digest, *key_id);
        }
    }
    Ok(owners)
}

/// How much room the businesses have that are here.
async fn rooms(
    conn: &mut engine::Connection,
    business_ids: &[String],
    now: Timestamp,
) -> Result<HashMap<BusinessId, Room>, StoreError> {
    let live: Vec<(String, i64)> = keys::table
        .filter(keys::business_id.eq_any(business_ids.to_vec()))
        .filter(is_live(TimeColumn(now)))
        .group_by(keys::business_id)
        .select((keys::business_id, count_star()))
        .load(conn)
        .await?;
    let live: HashMap<String, i64> = live.into_iter().collect();
    let rows: Vec<BusinessRow> = businesses::table
        .filter(businesses::business_id.eq_any(business_ids.to_vec()))
        .select(BusinessRow::as_select())
        .load(conn)
        .await?;
    let mut rooms = HashMap::new();
    for row in rows {
        let live = live.get(row.business_id()).copied().unwrap_or(0);
        let BusinessRecord { business_id, key_limit, .. } = row.into_record(live)?;
        rooms.insert(business_id, Room { limit: key_limit, live });
    }
    Ok(rooms)
}
