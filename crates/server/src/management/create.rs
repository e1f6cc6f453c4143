//! CreateKey and RotateKey: the two that issue a secret. It lives in one variable and one field of
//! the response, and is stored as its digest alone.

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
    scope::{ScopeSet, built_in},
    secret::{IssuedSecret, Prefix},
};
use keyward_proto::v1::{
    CreateKeyRequest, CreateKeyResponse, Key, RotateKeyRequest, RotateKeyResponse,
};
use keyward_store::{
    Store,
    change::KeyChange,
    record::{KeyRecord, KeyTarget, NewKey, NewSecret, Settings},
};

use super::{
    Management,
    change::Changed,
    repetition::{request_from_wire, request_hash},
    scope_fits,
};
use crate::{
    access::Rpc,
    callers::Caller,
    errors::{Refusal, violations::Violations},
    peppers::writing,
    resident::Roles,
    wire::{
        self,
        key::{SettableFields, SettableMask, expiry_from_wire},
    },
};

/// A CreateKey that breaks no rule of its own.
struct Wanted {
    business_id: BusinessId,
    settings: Settings,
    expire_time: Option<Timestamp>,
    prefix: Prefix,
}

impl Management {
    pub(super) async fn create_key(
        &self,
        caller: &Caller,
        request: CreateKeyRequest,
    ) -> Result<CreateKeyResponse, Refusal> {
        let hash = request_hash(
            Rpc::CreateKey,
            &CreateKeyRequest {
                request_id: String::new(),
                validate_only: false,
                ..request.clone()
            },
        );
        let CreateKeyRequest { business_id, key, prefix, request_id, validate_only } = request;
        let assigner = self.right_to(caller, &business_id).await?.assigner();
        let mut v = Violations::default();
        let request = request_from_wire(&request_id, hash, &mut v);
        let wanted = self.wanted(caller, &business_id, key, &prefix, &mut v);
        let (wanted, request) = match v.finish(wanted.zip(request)) {
            Ok(checked) => checked,
            Err(refusal) => {
                let answered = self.answered(caller, &business_id, request, refusal).await?;
                if validate_only {
                    return Ok(CreateKeyResponse::default());
                }
                return Ok(self.created(self.repeat(caller, answered).await?, None).await);
            }
        };
        let Wanted { business_id, settings, expire_time, prefix } = wanted;
        if validate_only {
            let (scopes, act) = (&settings.scopes, self.act(caller));
            self.store.check_new_key(&business_id, scopes, assigner, request, &act).await?;
            return Ok(CreateKeyResponse::default());
        }
        let (issued, secret) = self.issue(&prefix)?;
        let new = NewKey {
            key_id: KeyId::generate(self.clock.now(), &*self.random).map_err(Refusal::internal)?,
            business_id,
            settings,
            expire_time,
            prefix,
            obfuscated_secret: issued.obfuscated(),
            creator: caller.actor(),
            secret,
        };
        let create =
            async move |store: Store, act| store.create_key(new, assigner, request, act).await;
        Ok(self.created(self.change(caller, create).await?, Some(&issued)).await)
    }

    async fn created(
        &self,
        changed: Changed<KeyRecord>,
        issued: Option<&IssuedSecret>,
    ) -> CreateKeyResponse {
        let Changed { value: key, receipt, repeated } = changed;
        CreateKeyResponse {
            key: Some(if repeated { self.changed_key(key).await } else { self.new_key(key).await }),
            secret: shown_once(issued, repeated),
            receipt: Some(receipt),
            secret_already_shown: repeated,
        }
    }

    fn wanted(
        &self,
        caller: &Caller,
        business_id: &str,
        key: Option<Key>,
        prefix: &str,
        v: &mut Violations,
    ) -> Option<Wanted> {
        let business_id = v.take("business_id", BusinessId::parse(business_id));
        let now = self.clock.now();
        let fields = match key {
            Some(key) => Some(SettableFields::from_wire(key, SettableMask::ALL, now, v)),
            None => {
                v.add("key", "must be set: a key needs at least a display_name");
                None
            }
        };
        let prefix = self.prefix(prefix, v);
        let scopes = fields.as_ref().and_then(|fields| fields.scopes.as_ref());
        if let (Some(business_id), Some(scopes)) = (&business_id, scopes) {
            check_scopes(caller, business_id, scopes, v);
        }
        let fields = fields?;
        Some(Wanted {
            business_id: business_id?,
            settings: Settings {
                display_name: fields.display_name?,
                description: fields.description?,
                scopes: fields.scopes?,
                annotations: fields.annotations?,
            },
            expire_time: fields.expire_time?,
            prefix: prefix?,
        })
    }

    /// One of the configured prefixes.
    fn prefix(&self, prefix: &str, violations: &mut Violations) -> Option<Prefix> {
        let configured = if prefix.is_empty() {
            self.prefixes.first()
        } else {
            self.prefixes.iter().find(|configured| configured.as_str() == prefix)
        };
        if configured.is_none() {
            let all: Vec<&str> = self.prefixes.iter().map(Prefix::as_str).collect();
            violations.add("prefix", format!("must be one of: {}", all.join(", ")));
        }
        configured.cloned()
    }

    fn issue(&self, prefix: &Prefix) -> Result<(IssuedSecret, NewSecret), Refusal> {
        let issued = IssuedSecret::generate(prefix, &*self.random).map_err(Refusal::internal)?;
        let pepper = writing(&self.peppers);
        let digest = pepper.digest(&issued.hash());
        let secret = NewSecret { digest, pepper_version: pepper.version() };
        Ok((issued, secret))
    }

    pub(super) async fn rotate_key(
        &self,
        caller: &Caller,
        request: RotateKeyRequest,
    ) -> Result<RotateKeyResponse, Refusal> {
        let hash = request_hash(
            Rpc::RotateKey,
            &RotateKeyRequest { request_id: String::new(), ..request.clone() },
        );
        let RotateKeyRequest { business_id, key_id, expire_time, etag, request_id } = request;
        self.right_to(caller, &business_id).await?;
        let mut v = Violations::default();
        let request = request_from_wire(&request_id, hash, &mut v);
        let target = wire::key::target_from_wire(&business_id, ("key_id", &key_id), &etag, &mut v);
        let expire_time = expiry_from_wire("expire_time", expire_time, self.clock.now(), &mut v);
        let checked = match v.finish(target.zip(expire_time)) {
            // The prefix stays, and only the key knows it.
            Ok((target, expire_time)) => {
                let key = self.found_key(&target.business_id, target.key_id).await?;
                let target = within_power(caller, target, &key);
                target.map(|target| (target, key.prefix, expire_time))
            }
            Err(refusal) => Err(refusal),
        };
        let (target, prefix, expire_time) = match checked {
            Ok(checked) => checked,
            Err(refusal) => {
                let answered = self.answered(caller, &business_id, request, refusal).await?;
                return Ok(self.rotated(self.repeat(caller, answered).await?, None).await);
            }
        };
        let request = request.flatten();
        let (issued, secret) = self.issue(&prefix)?;
        let change =
            KeyChange::Rotate { secret, obfuscated_secret: issued.obfuscated(), expire_time };
        let rotate =
            async move |store: Store, act| store.change_key(target, change, request, act).await;
        Ok(self.rotated(self.change(caller, rotate).await?, Some(&issued)).await)
    }

    async fn rotated(
        &self,
        changed: Changed<KeyRecord>,
        issued: Option<&IssuedSecret>,
    ) -> RotateKeyResponse {
        let Changed { value: key, receipt, repeated } = changed;
        RotateKeyResponse {
            key: Some(self.changed_key(key).await),
            secret: shown_once(issued, repeated),
            receipt: Some(receipt),
            secret_already_shown: repeated,
        }
    }
}

/// The secret that was issued now; a repetition's is in nobody's hands and goes unused.
fn shown_once(issued: Option<&IssuedSecret>, repeated: bool) -> String {
    let shown = issued.filter(|_| !repeated);
    shown.map_or_else(String::new, |issued| issued.expose().to_owned())
}

/// Whoever rotates a service key holds its secret afterwards: it must hold the scopes before. They are
/// what the change is for, so the key must not change in between.
fn within_power(caller: &Caller, target: KeyTarget, key: &KeyRecord) -> Result<KeyTarget, Refusal> {
    if !key.business_id.is_reserved() {
        return Ok(target);
    }
    let mut v = Violations::default();
    for name in key.settings.scopes.iter() {
        if !caller.roles.all(Roles::of(name.as_str())) {
            v.add("key_id", format!("the key has {name}, which the calling key does not hold"));
        }
    }
    let etag = target.etag.clone().or_else(|| Some(key.etag()));
    v.finish(Some(KeyTarget { etag, ..target }))
}

/// A service key gives what it has itself, and never the right to act as the platform.
pub(super) fn check_scopes(
    caller: &Caller,
    business_id: &BusinessId,
    scopes: &ScopeSet,
    violations: &mut Violations,
) {
    const FIELD: &str = "key.scopes";
    let of_service_key = business_id.is_reserved();
    for name in scopes.iter() {
        if let Err(why) = scope_fits(name, of_service_key) {
            violations.add(FIELD, format!("{name}: {why}"));
        } else if !of_service_key {
            // Whether the catalogue has it, the store says.
        } else if name.as_str() == built_in::OPERATE {
            violations.add(FIELD, format!("{name} is given by `keyward operator-key` only"));
        } else {
            let role = Roles::of(name.as_str());
            if role == Roles::NONE {
                violations.add(FIELD, format!("{name} is no scope of Keyward's"));
            } else if !caller.roles.all(role) {
                violations.add(FIELD, format!("{name} is not held by the calling key"));
            }
        }
    }
}
