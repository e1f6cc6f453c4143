//! One writer: asks for one change after the other, and keeps book.

use keyward_proto::v1::{
    Business, CreateKeyRequest, Key, RevokeKeyRequest, RevokeReason, RotateKeyRequest, Scope,
    UpdateBusinessRequest, UpdateKeyRequest, UpdateScopeRequest,
};
use prost_types::FieldMask;
use tokio::sync::mpsc::UnboundedSender;
use tonic::Status;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::ledger::Ledger;
use crate::{client::Client, draw::Draw};

/// One thing that a writer asks for. Keys are named by their place in the ledger.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Create {
        request_id: Uuid,
        name: String,
    },
    /// A creation of before, again.
    Repeat {
        key: usize,
    },
    Rotate {
        key: usize,
        request_id: Uuid,
    },
    Revoke {
        key: usize,
    },
    /// Of name and description at once.
    Rename {
        key: usize,
        name: String,
    },
    UpdateBusiness {
        limit: i32,
    },
    UpdateScope {
        description: String,
    },
}

/// What the answer tells that the question did not.
pub(super) struct Answer {
    pub(super) key_id: String,
    /// Empty where there is none, or it was shown before.
    pub(super) secret: String,
    pub(super) already_shown: bool,
}

impl Change {
    /// What it is called in the report.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "CreateKey",
            Self::Repeat { .. } => "CreateKey, repeated",
            Self::Rotate { .. } => "RotateKey",
            Self::Revoke { .. } => "RevokeKey",
            Self::Rename { .. } => "UpdateKey",
            Self::UpdateBusiness { .. } => "UpdateBusiness",
            Self::UpdateScope { .. } => "UpdateScope",
        }
    }

    /// The next of a ledger.
    pub(super) fn next(ledger: &mut Ledger, draw: &mut Draw) -> Self {
        let text = ledger.next_text();
        let live = ledger.live_keys();
        let kind = draw.below(20);
        if live.is_empty() || kind < 6 {
            return Self::Create { request_id: ledger.next_request_id(), name: text };
        }
        let at = usize::try_from(draw.below(u64::try_from(live.len()).unwrap())).unwrap();
        let key = live[at];
        match kind {
            6..=9 => Self::Rotate { key, request_id: ledger.next_request_id() },
            10..=11 => Self::Revoke { key },
            12..=14 => Self::Rename { key, name: text },
            15 => Self::Repeat { key },
            16..=17 => {
                Self::UpdateBusiness { limit: i32::try_from(2_000 + draw.below(1_000)).unwrap() }
            }
            _ => Self::UpdateScope { description: text },
        }
    }

    /// Asks for it, as whoever keeps this ledger.
    pub(super) async fn ask(&self, ledger: &Ledger, client: &Client) -> Result<Answer, Status> {
        let mut management = client.management();
        let business_id = ledger.business.clone();
        let key_id = |key: usize| ledger.keys[key].key_id.clone();
        let of = |key_id: String| Answer { key_id, secret: String::new(), already_shown: false };
        let paths = |paths: &[&str]| {
            Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
        };
        match self.clone() {
            Self::Create { request_id, name } => {
                create(client, business_id, request_id, name).await
            }
            Self::Repeat { key } => {
                let (request_id, name) = ledger.keys[key].made_by.clone();
                create(client, business_id, request_id, name).await
            }
            Self::Rotate { key, request_id } => {
                rotate(client, business_id, key_id(key), request_id).await
            }
            Self::Revoke { key } => {
                let revoke = RevokeKeyRequest {
                    business_id,
                    key_id: key_id(key),
                    reason: RevokeReason::Unused.into(),
                    reason_text: String::new(),
                };
                management.revoke_key(client.request(revoke)).await?;
                Ok(of(key_id(key)))
            }
            Self::Rename { key, name } => {
                let key_of = Key {
                    key_id: key_id(key),
                    display_name: name.clone(),
                    description: name,
                    ..Key::default()
                };
                let update = UpdateKeyRequest {
                    business_id,
                    key: Some(key_of),
                    update_mask: paths(&["display_name", "description"]),
                    etag: String::new(),
                };
                management.update_key(client.request(update)).await?;
                Ok(of(key_id(key)))
            }
            Self::UpdateBusiness { limit } => {
                let business = Business { business_id, key_limit: limit, ..Business::default() };
                let update = UpdateBusinessRequest {
                    business: Some(business),
                    update_mask: paths(&["key_limit"]),
                    etag: String::new(),
                };
                management.update_business(client.request(update)).await?;
                Ok(of(String::new()))
            }
            Self::UpdateScope { description } => {
                let name = ledger.scope.clone();
                let update = UpdateScopeRequest {
                    scope: Some(Scope { name, description, assignable_by: 1, ..Scope::default() }),
                    allow_missing: true,
                    ..UpdateScopeRequest::default()
                };
                management.update_scope(client.request(update)).await?;
                Ok(of(String::new()))
            }
        }
    }
}

async fn create(
    client: &Client,
    business_id: String,
    request_id: Uuid,
    name: String,
) -> Result<Answer, Status> {
    let create = CreateKeyRequest {
        business_id,
        key: Some(Key { display_name: name, ..Key::default() }),
        request_id: request_id.to_string(),
        ..CreateKeyRequest::default()
    };
    let made = client.management().create_key(client.request(create)).await?.into_inner();
    let (secret, already_shown) = (made.secret, made.secret_already_shown);
    Ok(Answer { key_id: made.key.unwrap().key_id, secret, already_shown })
}

async fn rotate(
    client: &Client,
    business_id: String,
    key_id: String,
    request_id: Uuid,
) -> Result<Answer, Status> {
    let request_id = request_id.to_string();
    let rotate = RotateKeyRequest { business_id, key_id, request_id, ..Default::default() };
    let rotated = client.management().rotate_key(client.request(rotate)).await?.into_inner();
    let (secret, already_shown) = (rotated.secret, rotated.secret_already_shown);
    Ok(Answer { key_id: rotated.key.unwrap().key_id, secret, already_shown })
}

/// Asks for changes until the server is gone, and tells of each that was acknowledged.
pub(super) async fn write_until_cut_off(
    client: Client,
    mut ledger: Ledger,
    mut draw: Draw,
    acknowledge: UnboundedSender<&'static str>,
) -> Ledger {
    loop {
        let change = Change::next(&mut ledger, &mut draw);
        match change.ask(&ledger, &client).await {
            Ok(answer) => {
                ledger.note(&change, answer);
                // Nobody counts any more: the server is about to be killed.
                let _ = acknowledge.send(change.name());
            }
            Err(status) => {
                // What Keyward itself says carries a reason; a broken connection does not.
                let reason = status.get_error_details().error_info().cloned();
                assert!(reason.is_none(), "{change:?}: {status:?}");
                ledger.in_flight = Some(change);
                return ledger;
            }
        }
    }
}
