//! What the store promises, over plain maps: obvious, slow, and for one caller at a time.

use std::{cmp::Reverse, collections::BTreeMap};

use apikey::{
    catalogue::AssignableBy,
    clock::Timestamp,
    digest::{Digest, PepperVersion},
    id::{BusinessId, KeyId},
    lifecycle::{Lifecycle, State},
    scope::{ScopeName, ScopeSet, built_in},
    verdict::Generation,
};
use keyward_store::{
    catalogue::{ScopeEdit, ScopeMask},
    change::{KeyChange, SettingsPatch},
    error::{Refused, ScopeProblem},
    peppers::DigestMove,
    record::{HeldBusiness, HeldSecret, KeyRecord, NewKey, NewSecret, Revision, ScopeRecord},
};

use crate::{
    operation::{ACME_LIMIT, Request, Step, first_key},
    view::{Answer, Done, SCOPE, STATES, Told, View},
};

const LIMIT_DEFAULT: i32 = 1_000;

#[derive(Debug, Clone, Default)]
pub(crate) struct Map {
    pub(crate) revision: Revision,
    businesses: BTreeMap<BusinessId, Business>,
    keys: BTreeMap<KeyId, KeyRecord>,
    secrets: BTreeMap<Digest, Secret>,
    /// Those that stand for nothing any more.
    moved: BTreeMap<Digest, Revision>,
    scopes: BTreeMap<ScopeName, ScopeRecord>,
}

#[derive(Debug, Clone, Copy)]
struct Business {
    revision: Revision,
    limit: i32,
}

#[derive(Debug, Clone)]
struct Secret {
    revision: Revision,
    key_id: KeyId,
    pepper_version: PepperVersion,
    generation: Generation,
}

impl Map {
    pub(crate) fn with_first_key() -> Map {
        let mut map = Map { revision: Revision(1), ..Map::default() };
        map.create(first_key(), AssignableBy::Users, Step::FIRST.now).unwrap();
        // And its business was given its limit.
        map.revision = Revision(2);
        let of_first = Business { revision: map.revision, limit: ACME_LIMIT };
        map.businesses.values_mut().for_each(|business| *business = of_first);
        map
    }

    /// Each key with its owner.
    pub(crate) fn owners(&self) -> Vec<(KeyId, BusinessId)> {
        self.keys.values().map(|key| (key.key_id, key.business_id.clone())).collect()
    }

    /// Every digest that ever was.
    pub(crate) fn digests(&self) -> Vec<Digest> {
        self.secrets.keys().chain(self.moved.keys()).copied().collect()
    }

    /// A request that is refused leaves everything as it was.
    pub(crate) fn answer(&mut self, request: Request, now: Timestamp) -> Answer {
        let mut next = self.clone();
        next.revision.0 += 1;
        let done = match request {
            Request::Create(new, by) => next.create(new, by, now),
            Request::Change(business_id, key_id, change) => {
                next.change(&business_id, key_id, change, now)
            }
            Request::Edit(name, edit, allow_missing) => next.edit(name, edit, allow_missing, now),
            Request::Move(moves) => Ok(next.move_digests(&moves)),
            Request::Retire(name, force) => next.retire(&name, force, now),
        }?;
        *self = next;
        Ok((self.revision, done))
    }

    pub(crate) fn view(&self, now: Timestamp) -> View {
        let mut keys: Vec<KeyRecord> = self.keys.values().cloned().collect();
        keys.sort_by_key(|key| Reverse((key.create_time, key.key_id)));
        let ids = |holds: &dyn Fn(&KeyRecord) -> bool| {
            keys.iter().filter(|key| holds(key)).map(|key| key.key_id).collect()
        };
        let secrets = self.secrets.iter();
        View {
            revision: self.revision,
            active_or_expired: ids(&|key| STATES.contains(&key.lifecycle.state(now))),
            readers: ids(&|key| key.settings.scopes.contains(SCOPE)),
            scopes: self.scopes.values().cloned().collect(),
            businesses: self.businesses.keys().map(held_business).collect(),
            secrets: secrets.map(|(digest, secret)| self.held_secret(*digest, secret)).collect(),
            keys,
        }
    }

    pub(crate) fn changes(&self, applied: Revision) -> Told {
        let businesses = self.businesses.iter().filter(|(_, is)| is.revision > applied);
        let scopes = self.scopes.values().filter(|is| is.revision > applied);
        let of_changed_key = |key_id: &KeyId| self.key(*key_id).revision > applied;
        let secrets = self
            .secrets
            .iter()
            .filter(|(_, is)| is.revision > applied || of_changed_key(&is.key_id));
        let moved = self.moved.iter().filter(|(_, revision)| **revision > applied);
        Told::sorted(
            self.revision,
            businesses.map(|(id, _)| held_business(id)).collect(),
            scopes.cloned().collect(),
            (
                secrets.map(|(digest, secret)| self.held_secret(*digest, secret)).collect(),
                moved.map(|(digest, _)| *digest).collect(),
            ),
        )
    }

    fn create(&mut self, new: NewKey, by: AssignableBy, now: Timestamp) -> Result<Done, Refused> {
        let revision = self.revision;
        let business = Business { revision, limit: LIMIT_DEFAULT };
        self.businesses.entry(new.business_id.clone()).or_insert(business);
        self.check_limit(&new.business_id, now)?;
        self.check_scopes(&new.business_id, &new.settings.scopes, by)?;
        let key = KeyRecord {
            key_id: new.key_id,
            business_id: new.business_id,
            revision,
            settings: new.settings,
            lifecycle: Lifecycle { expire_time: new.expire_time, ..Lifecycle::default() },
            revocation: None,
            rotate_time: None,
            prefix: new.prefix,
            obfuscated_secret: new.obfuscated_secret,
            creator: new.creator,
            create_time: now,
            update_time: now,
            external_id: None,
        };
        self.add_secret(key.key_id, new.secret);
        self.keys.insert(key.key_id, key.clone());
        Ok(Done::Key(Box::new(key)))
    }

    fn change(
        &mut self,
        business_id: &BusinessId,
        key_id: KeyId,
        change: KeyChange,
        now: Timestamp,
    ) -> Result<Done, Refused> {
        let before = self.keys.get(&key_id).filter(|key| key.business_id == *business_id).cloned();
        let before = before.ok_or(Refused::KeyNotFound)?;
        let mut after = before.clone();
        match change {
            KeyChange::Update { patch, assigner } => {
                update(&mut after, patch, now)?;
                let added = after.settings.scopes.iter();
                let added = added.filter(|name| !before.settings.scopes.contains(name.as_str()));
                let added = ScopeSet::from_names(added.cloned()).unwrap();
                self.check_scopes(business_id, &added, assigner)?;
            }
            KeyChange::Rotate { secret, obfuscated_secret, expire_time } => {
                after.lifecycle = before.lifecycle.rotate(expire_time, now)?;
                if !before.lifecycle.is_live(now) {
                    self.check_limit(business_id, now)?;
                }
                after.obfuscated_secret = obfuscated_secret;
                after.rotate_time = Some(now);
                self.supersede(key_id, now);
                self.add_secret(key_id, secret);
            }
            KeyChange::Revoke { reason, text } => {
                if let Some(revoked) = before.lifecycle.revoke(now) {
                    after.lifecycle = revoked;
                    after.revocation = Some((reason, text));
                }
            }
            KeyChange::Suspend(by) => after.lifecycle = before.lifecycle.suspend(by, now)?,
            KeyChange::Resume(by) => after.lifecycle = before.lifecycle.resume(by, now)?,
        }
        if after != before {
            after.update_time = now;
            after.revision = self.revision;
        }
        self.keys.insert(key_id, after.clone());
        let had_operator = is_operator(&before, now);
        // One that lasts is succeeded only by one that lasts.
        let succeeds = |key: &KeyRecord| is_operator(key, now) && (lasts(key) || !lasts(&before));
        if had_operator && !self.keys.values().any(succeeds) {
            return Err(Refused::LastOperatorKey);
        }
        Ok(Done::Key(Box::new(after)))
    }

    fn edit(
        &mut self,
        name: ScopeName,
        edit: ScopeEdit,
        allow_missing: bool,
        now: Timestamp,
    ) -> Result<Done, Refused> {
        let before = self.scopes.get(&name);
        if before.is_none() && !allow_missing {
            return Err(Refused::ScopeNotFound);
        }
        if before.is_some_and(|scope| scope.retire_time.is_some()) {
            return Err(Refused::ScopeRetired);
        }
        let ScopeEdit { description, assignable_by, endpoints, mask } = edit;
        let revision = self.revision;
        let mask = if before.is_none() { ScopeMask::ALL } else { mask };
        let mut after = before.cloned().unwrap_or(ScopeRecord {
            name: name.clone(),
            revision,
            description: description.clone(),
            assignable_by,
            endpoints: endpoints.clone(),
            retire_time: None,
            create_time: now,
            update_time: now,
        });
        if mask.description {
            after.description = description;
        }
        if mask.assignable_by {
            after.assignable_by = assignable_by;
        }
        if mask.endpoints {
            after.endpoints = endpoints;
        }
        if Some(&after) != before {
            after.update_time = now;
            after.revision = revision;
        }
        self.scopes.insert(name, after.clone());
        Ok(Done::Scope(after))
    }

    fn retire(&mut self, name: &ScopeName, force: bool, now: Timestamp) -> Result<Done, Refused> {
        let holds = |key: &&KeyRecord| key.settings.scopes.contains(name.as_str());
        let live = self.keys.values().filter(|key| key.lifecycle.is_live(now));
        let live_keys = i64::try_from(live.filter(holds).count()).unwrap();
        let scope = self.scopes.get_mut(name).ok_or(Refused::ScopeNotFound)?;
        if scope.retire_time.is_none() {
            if live_keys > 0 && !force {
                return Err(Refused::ScopeInUse { live_keys });
            }
            scope.retire_time = Some(now);
            scope.update_time = now;
            scope.revision = self.revision;
        }
        Ok(Done::Retired(scope.clone(), live_keys))
    }

    /// A secret that is over gets no other digest.
    fn move_digests(&mut self, moves: &[DigestMove]) -> Done {
        let mut count = 0;
        for DigestMove { from, to } in moves {
            let Some(secret) = self.secrets.get(from) else { continue };
            let revoked = self.key(secret.key_id).lifecycle.revoke_time.is_some();
            let over = secret.generation != Generation::Current || revoked;
            let taken =
                self.secrets.contains_key(&to.digest) || self.moved.contains_key(&to.digest);
            if over || taken || secret.pepper_version >= to.pepper_version {
                continue;
            }
            let (key_id, to) = (secret.key_id, *to);
            self.secrets.remove(from);
            self.moved.insert(*from, self.revision);
            self.add_secret(key_id, to);
            count += 1;
        }
        Done::Moved(count)
    }

    fn check_limit(&self, business_id: &BusinessId, now: Timestamp) -> Result<(), Refused> {
        let limit = self.businesses.get(business_id).unwrap().limit;
        let of_business = self.keys.values().filter(|key| key.business_id == *business_id);
        let live = of_business.filter(|key| key.lifecycle.is_live(now)).count();
        if live >= usize::try_from(limit).unwrap() {
            return Err(Refused::KeyLimitReached { limit });
        }
        Ok(())
    }

    fn check_scopes(
        &self,
        business_id: &BusinessId,
        wanted: &ScopeSet,
        by: AssignableBy,
    ) -> Result<(), Refused> {
        if business_id.is_reserved() {
            return Ok(());
        }
        let mut problems = Vec::new();
        for name in wanted.iter() {
            let problem = match self.scopes.get(name) {
                None => ScopeProblem::Unknown,
                Some(scope) if scope.assignable_by > by => ScopeProblem::Unknown,
                Some(scope) if scope.retire_time.is_some() => ScopeProblem::Retired,
                Some(_) => continue,
            };
            problems.push((name.clone(), problem));
        }
        if problems.is_empty() { Ok(()) } else { Err(Refused::Scopes(problems)) }
    }

    fn add_secret(&mut self, key_id: KeyId, secret: NewSecret) {
        let NewSecret { digest, pepper_version } = secret;
        let generation = Generation::Current;
        let secret = Secret { revision: self.revision, key_id, pepper_version, generation };
        self.secrets.insert(digest, secret);
    }

    fn supersede(&mut self, key_id: KeyId, now: Timestamp) {
        let current = |secret: &&mut Secret| {
            secret.key_id == key_id && secret.generation == Generation::Current
        };
        for secret in self.secrets.values_mut().filter(current) {
            secret.generation = Generation::Superseded { rotate_time: now };
            secret.revision = self.revision;
        }
    }

    fn key(&self, key_id: KeyId) -> &KeyRecord {
        self.keys.get(&key_id).unwrap()
    }

    fn held_secret(&self, digest: Digest, secret: &Secret) -> HeldSecret {
        let key = self.key(secret.key_id);
        HeldSecret {
            digest,
            pepper_version: secret.pepper_version,
            generation: secret.generation,
            key_id: key.key_id,
            business_id: key.business_id.clone(),
            display_name: key.settings.display_name.clone(),
            scopes: key.settings.scopes.clone(),
            annotations: key.settings.annotations.clone(),
            lifecycle: key.lifecycle,
        }
    }
}

fn update(key: &mut KeyRecord, patch: SettingsPatch, now: Timestamp) -> Result<(), Refused> {
    let SettingsPatch { display_name, description, scopes, expire_time, annotations } = patch;
    let expire_time = expire_time.unwrap_or(key.lifecycle.expire_time);
    key.lifecycle = key.lifecycle.update_expiry(expire_time, now)?;
    let settings = &mut key.settings;
    settings.display_name = display_name.unwrap_or(settings.display_name.clone());
    settings.description = description.unwrap_or(settings.description.clone());
    settings.scopes = scopes.unwrap_or(settings.scopes.clone());
    settings.annotations = annotations.unwrap_or(settings.annotations.clone());
    Ok(())
}

fn lasts(key: &KeyRecord) -> bool {
    key.lifecycle.expire_time.is_none()
}

fn is_operator(key: &KeyRecord, now: Timestamp) -> bool {
    key.business_id.is_reserved()
        && key.lifecycle.state(now) == State::Active
        && key.settings.scopes.contains(built_in::OPERATE)
}

fn held_business(business_id: &BusinessId) -> HeldBusiness {
    HeldBusiness { business_id: business_id.clone(), suspended: false }
}
