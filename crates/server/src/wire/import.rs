//! `ImportKey` and what became of it.

use apikey::{
    clock::Timestamp,
    digest::{PepperSet, SecretHash},
    id::{BusinessId, ExternalId, KeyId},
    lifecycle::{Lifecycle, SuspendedBy},
    secret::Prefix,
    settings::{ReasonText, RevokeReason},
};
use keyward_proto::v1::{self, ImportKey, ImportKeyResult, import_key::SecretDigest};
use keyward_store::{
    import::{ImportOutcome, ImportedKey},
    record::{NewSecret, Settings},
};
use ring::rand::SecureRandom;

use super::{
    key::{SettableFields, SettableMask, reason_from_wire},
    time,
};
use crate::{
    errors::{Refusal, violations::Violations},
    peppers::writing,
};

/// The length that no obfuscated secret exceeds, in characters.
const OBFUSCATED_MAX: usize = 64;
/// Why a key was revoked that comes without a reason.
const REVOKED_ELSEWHERE: &str = "revoked before it was imported";

/// What it takes to make a key of what is sent.
#[expect(missing_debug_implementations, reason = "the source of randomness has none")]
pub struct Importing<'a> {
    /// What its secret is digested with.
    pub peppers: &'a PepperSet,
    /// Where its id comes from.
    pub random: &'a dyn SecureRandom,
    /// What its next secrets begin with.
    pub prefix: &'a Prefix,
    /// What time it is.
    pub now: Timestamp,
}

impl Importing<'_> {
    /// The key to be taken over, or what is wrong with it.
    ///
    /// # Errors
    /// INTERNAL: no randomness. The inner error is the caller's fault.
    pub fn key_from_wire(&self, import: ImportKey) -> Result<Result<ImportedKey, String>, Refusal> {
        let ImportKey { business_id, external_id, key, secret_digest } = import;
        let mut v = Violations::default();
        let business_id = v.take("business_id", BusinessId::parse(&business_id));
        if business_id.as_ref().is_some_and(BusinessId::is_reserved) {
            v.add("business_id", "service keys are made here, and never imported");
        }
        let external_id = v.take("external_id", ExternalId::parse(&external_id));
        let hash = hash_from_wire(secret_digest, &mut v);
        let parts = self.parts_from_wire(key.unwrap_or_default(), hash.as_ref(), &mut v);
        let whole = business_id.zip(external_id).zip(hash.zip(parts));
        let ((business_id, external_id), (hash, parts)) = match v.finish(whole) {
            Ok(whole) => whole,
            Err(refusal) => return Ok(Err(refusal.in_words())),
        };
        let Parts {
            settings,
            lifecycle,
            revocation,
            obfuscated_secret,
            create_time,
            last_use_time,
        } = parts;
        let pepper = writing(self.peppers);
        let secret = NewSecret { digest: pepper.digest(&hash), pepper_version: pepper.version() };
        Ok(Ok(ImportedKey {
            key_id: KeyId::generate(create_time, self.random).map_err(Refusal::internal)?,
            business_id,
            external_id,
            last_use_time,
            settings,
            lifecycle,
            revocation,
            prefix: self.prefix.clone(),
            obfuscated_secret,
            create_time,
            secret,
            digests: self.peppers.iter().map(|pepper| pepper.digest(&hash)).collect(),
        }))
    }

    fn parts_from_wire(
        &self,
        key: v1::Key,
        hash: Option<&SecretHash>,
        v: &mut Violations,
    ) -> Option<Parts> {
        let settable = SettableMask { expire_time: false, ..SettableMask::ALL };
        let SettableFields { display_name, description, scopes, annotations, expire_time: _ } =
            SettableFields::from_wire(key.clone(), settable, self.now, v);
        if let Some(name) = scopes.iter().flat_map(|set| set.iter()).find(|name| name.is_built_in())
        {
            let problem = format!("{name}: keyward.* scopes are for Keyward's own service keys");
            v.add("key.scopes", problem);
        }
        // It may have expired.
        let expire_time = match key.expire_time {
            None => Some(None),
            Some(expiry) => v.take("key.expire_time", time::from_wire(expiry)).map(Some),
        };
        let create_time = self.past("key.create_time", key.create_time, v);
        let last_use_time = self.past("key.last_use_time", key.last_use_time, v);
        let life = self.life_from_wire(&key, expire_time.unwrap_or_default(), v);
        let obfuscated_secret = obfuscated_from_wire(key.obfuscated_secret, hash, v);
        let (lifecycle, revocation) = life?;
        expire_time?;
        Some(Parts {
            settings: Settings {
                display_name: display_name?,
                description: description?,
                scopes: scopes?,
                annotations: annotations?,
            },
            lifecycle,
            revocation,
            obfuscated_secret: obfuscated_secret?,
            create_time: create_time?.unwrap_or(self.now),
            last_use_time: last_use_time?,
        })
    }

    fn life_from_wire(
        &self,
        key: &v1::Key,
        expire_time: Option<Timestamp>,
        v: &mut Violations,
    ) -> Option<(Lifecycle, Option<(RevokeReason, ReasonText)>)> {
        let living = Lifecycle { expire_time, ..Lifecycle::default() };
        match key.state() {
            v1::KeyState::Unspecified | v1::KeyState::Active
                if key.state == i32::from(key.state()) =>
            {
                Some((living, None))
            }
            v1::KeyState::Expired if expire_time.is_some_and(|time| time <= self.now) => {
                Some((living, None))
            }
            v1::KeyState::Expired => {
                v.add("key.state", "EXPIRED goes with an expire_time in the past");
                None
            }
            v1::KeyState::Suspended => {
                let by = match key.suspended_by() {
                    v1::SuspendedBy::Business => SuspendedBy::Business,
                    v1::SuspendedBy::Unspecified | v1::SuspendedBy::Platform => {
                        SuspendedBy::Platform
                    }
                };
                Some((Lifecycle { suspended_by: Some(by), ..living }, None))
            }
            v1::KeyState::Revoked => {
                let revoke_time = self.past("key.revoke_time", key.revoke_time, v)?;
                let (reason, text) = if key.revoke_reason == 0 {
                    (v1::RevokeReason::Other.into(), REVOKED_ELSEWHERE)
                } else {
                    (key.revoke_reason, key.revoke_reason_text.as_str())
                };
                let reason = reason_from_wire(reason, text, v)?;
                let revoke_time = Some(revoke_time.unwrap_or(self.now));
                Some((Lifecycle { revoke_time, ..living }, Some(reason)))
            }
            v1::KeyState::Unspecified | v1::KeyState::Active => {
                v.add("key.state", "must be ACTIVE, SUSPENDED, EXPIRED or REVOKED");
                None
            }
        }
    }

    /// A time that has come, or none; an outer `None` where it is neither.
    fn past(
        &self,
        field: &str,
        time: Option<prost_types::Timestamp>,
        v: &mut Violations,
    ) -> Option<Option<Timestamp>> {
        let Some(time) = time else { return Some(None) };
        let time = v.take(field, time::from_wire(time))?;
        if time > self.now {
            v.add(field, format!("must not be in the future; it is {} now", self.now));
            return None;
        }
        Some(Some(time))
    }
}

struct Parts {
    settings: Settings,
    lifecycle: Lifecycle,
    revocation: Option<(RevokeReason, ReasonText)>,
    obfuscated_secret: String,
    create_time: Timestamp,
    last_use_time: Option<Timestamp>,
}

fn hash_from_wire(digest: Option<SecretDigest>, v: &mut Violations) -> Option<SecretHash> {
    let bytes: Option<[u8; 32]> = match digest {
        None => {
            v.add("sha256", "one of sha256 and sha256_hex must be set");
            return None;
        }
        Some(SecretDigest::Sha256(bytes)) => {
            let length = bytes.len();
            let bytes = bytes.try_into().ok();
            if bytes.is_none() {
                v.add("sha256", format!("must be 32 bytes, not {length}"));
            }
            bytes
        }
        Some(SecretDigest::Sha256Hex(digits)) => {
            let bytes = bytes_from_hex(&digits);
            if bytes.is_none() {
                v.add("sha256_hex", "must be 64 hexadecimal digits");
            }
            bytes
        }
    };
    let hash = SecretHash::from_bytes(bytes?);
    if hash.is_of(b"") {
        v.add("sha256", "is the SHA-256 of nothing, which is no secret");
        return None;
    }
    Some(hash)
}

/// The bytes that 64 hexadecimal digits stand for.
fn bytes_from_hex(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        for &digit in pair {
            let value = char::from(digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

/// What a person may see of a secret must not be the secret.
fn obfuscated_from_wire(
    text: String,
    hash: Option<&SecretHash>,
    v: &mut Violations,
) -> Option<String> {
    const FIELD: &str = "key.obfuscated_secret";
    if hash.is_some_and(|hash| hash.is_of(text.as_bytes())) {
        v.add(FIELD, "is the secret itself; show its beginning and its end alone, or nothing");
        return None;
    }
    if text.chars().count() > OBFUSCATED_MAX || text.contains(char::is_control) {
        v.add(
            FIELD,
            format!("must be at most {OBFUSCATED_MAX} characters, none of them a control"),
        );
        return None;
    }
    Some(text)
}

/// What became of a key that broke no rule of its own.
#[must_use]
pub fn result_to_wire(outcome: ImportOutcome) -> ImportKeyResult {
    use v1::ImportOutcome::{AlreadyImported, Conflict, Imported, Invalid};
    let (outcome, key_id, detail) = match outcome {
        ImportOutcome::Imported(key_id) => (Imported, key_id.to_string(), String::new()),
        ImportOutcome::AlreadyImported(key_id) => {
            (AlreadyImported, key_id.to_string(), String::new())
        }
        ImportOutcome::Differs(key_id, fields) => {
            let fields = fields.join(", ");
            let detail = format!(
                "the business has {key_id} with this external_id, and it differs in {fields}; \
                 nothing was changed"
            );
            (Conflict, String::new(), detail)
        }
        ImportOutcome::SecretTaken(key_id) => {
            let detail = format!(
                "this secret is or was that of {key_id}; a secret belongs to one key, for ever"
            );
            (Conflict, String::new(), detail)
        }
        ImportOutcome::Refused(refused) => {
            (Invalid, String::new(), Refusal::from(refused).in_words())
        }
    };
    ImportKeyResult { outcome: outcome.into(), key_id, detail }
}

/// What became of a key that broke a rule.
#[must_use]
pub fn invalid(detail: String) -> ImportKeyResult {
    let outcome = v1::ImportOutcome::Invalid.into();
    ImportKeyResult { outcome, key_id: String::new(), detail }
}
