//! What one writer knows: of its keys, its business and its scope, which nobody else changes.

use std::collections::HashMap;

use keyward_proto::v1::{
    BatchVerifyRequest, GetBusinessRequest, Key, KeyState, ListKeysRequest, ListScopesRequest,
    Verdict, VerifyRequest,
};
use tonic::Code;
use uuid::Uuid;

use super::writer::{Answer, Change};
use crate::client::Client;

/// Questions of one BatchVerify.
const BATCH: usize = 1_000;

#[derive(Debug)]
pub(super) struct Ledger {
    writer: u64,
    /// Names and ids so far.
    serial: u64,
    pub(super) business: String,
    pub(super) scope: String,
    pub(super) keys: Vec<Kept>,
    /// `None`: never set.
    limit: Option<i32>,
    /// `None`: never made.
    description: Option<String>,
    /// What the kill cut off.
    pub(super) in_flight: Option<Change>,
    /// Repetitions that took a place in the history, and those that may have.
    pub(super) repeated: u64,
    pub(super) perhaps_repeated: u64,
}

/// One key.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) key_id: String,
    /// The request that made it: id and name.
    pub(super) made_by: (Uuid, String),
    name: String,
    description: String,
    /// `None`: made by a call that the kill cut off, and so in nobody's hands.
    secret: Option<String>,
    /// Those that were rotated away.
    past: Vec<String>,
    pub(super) secrets: u64,
    revoked: bool,
}

/// What became of a change that was cut off.
#[derive(Debug, Clone, Copy)]
pub(super) enum Settled {
    Whole,
    Absent,
}

impl Ledger {
    pub(super) fn new(writer: u64) -> Self {
        Self {
            writer,
            serial: 0,
            business: format!("business-{writer}"),
            scope: format!("scope.{writer}"),
            keys: Vec::new(),
            limit: None,
            description: None,
            in_flight: None,
            repeated: 0,
            perhaps_repeated: 0,
        }
    }

    pub(super) fn next_text(&mut self) -> String {
        self.serial += 1;
        format!("text {}", self.serial)
    }

    pub(super) fn next_request_id(&mut self) -> Uuid {
        self.serial += 1;
        Uuid::from_u64_pair(self.writer + 1, self.serial)
    }

    /// The places of keys that are not revoked.
    pub(super) fn live_keys(&self) -> Vec<usize> {
        let live = self.keys.iter().enumerate().filter(|(_, key)| !key.revoked);
        live.map(|(place, _)| place).collect()
    }

    /// Notes what was acknowledged, or found to be there.
    pub(super) fn note(&mut self, change: &Change, answer: Answer) {
        let Answer { key_id, secret, already_shown } = answer;
        let secret = (!secret.is_empty()).then_some(secret);
        match change.clone() {
            Change::Create { request_id, name } => self.keys.push(Kept {
                key_id,
                made_by: (request_id, name.clone()),
                name,
                description: String::new(),
                secret,
                past: Vec::new(),
                secrets: 1,
                revoked: false,
            }),
            Change::Repeat { key } => {
                assert_eq!((key_id, already_shown), (self.keys[key].key_id.clone(), true));
                self.repeated += 1;
            }
            Change::Rotate { key, .. } => {
                let key = &mut self.keys[key];
                key.past.extend(std::mem::replace(&mut key.secret, secret));
                key.secrets += 1;
            }
            Change::Revoke { key } => self.keys[key].revoked = true,
            Change::Rename { key, name } => {
                let key = &mut self.keys[key];
                key.description.clone_from(&name);
                key.name = name;
            }
            Change::UpdateBusiness { limit } => self.limit = Some(limit),
            Change::UpdateScope { description } => self.description = Some(description),
        }
    }

    /// Finds out what became of the change that was cut off; of a repetition nothing can have. What made
    /// a secret is asked for again under the same id, which must not make another.
    pub(super) async fn settle(
        &mut self,
        client: &Client,
        violations: &mut Vec<String>,
    ) -> Option<(&'static str, Settled)> {
        let change = self.in_flight.take()?;
        let is_there = match &change {
            Change::Repeat { .. } => {
                self.perhaps_repeated += 1;
                return None;
            }
            Change::Create { .. } | Change::Rotate { .. } => {
                let answer = change.ask(self, client).await.unwrap();
                let is_there = answer.already_shown;
                if is_there != answer.secret.is_empty() {
                    violations.push(format!("{change:?}: a secret was shown twice, or never"));
                }
                self.repeated += u64::from(is_there);
                self.note(&change, answer);
                return Some((
                    change.name(),
                    if is_there { Settled::Whole } else { Settled::Absent },
                ));
            }
            Change::Revoke { key } => self.stands(*key, client).await.state() == KeyState::Revoked,
            Change::Rename { key, name } => self.stands(*key, client).await.display_name == *name,
            Change::UpdateBusiness { limit } => self.limit_stands(client).await == Some(*limit),
            Change::UpdateScope { description } => {
                self.description_stands(client).await.as_ref() == Some(description)
            }
        };
        if !is_there {
            return Some((change.name(), Settled::Absent));
        }
        let nothing = Answer { key_id: String::new(), secret: String::new(), already_shown: false };
        self.note(&change, nothing);
        Some((change.name(), Settled::Whole))
    }

    /// Compares all that is known with what the server says; returns how many verdicts.
    pub(super) async fn compare(&self, client: &Client, violations: &mut Vec<String>) -> usize {
        let stand = self.all_stand(client).await;
        if stand.len() != self.keys.len() {
            let (stand, known) = (stand.len(), self.keys.len());
            violations.push(format!("{} has {stand} keys, not {known}", self.business));
        }
        for kept in &self.keys {
            let expected = (kept.state(), kept.name.as_str(), kept.description.as_str());
            let told = stand.get(&kept.key_id);
            let told = told.map(|key| (key.state(), &*key.display_name, &*key.description));
            if told != Some(expected) {
                violations.push(format!("{}: {told:?}, not {expected:?}", kept.key_id));
            }
        }
        if self.limit.is_some() && self.limit_stands(client).await != self.limit {
            violations.push(format!("{}: not the limit {:?}", self.business, self.limit));
        }
        if self.description_stands(client).await != self.description {
            violations.push(format!("{}: not {:?}", self.scope, self.description));
        }
        self.compare_verdicts(client, violations).await
    }

    async fn compare_verdicts(&self, client: &Client, violations: &mut Vec<String>) -> usize {
        let verdicts: Vec<(&str, Verdict)> = self.keys.iter().flat_map(Kept::verdicts).collect();
        for batch in verdicts.chunks(BATCH) {
            let question = |(secret, _): &(&str, _)| VerifyRequest {
                presented_secret: (*secret).to_owned(),
                authenticate_only: true,
                ..VerifyRequest::default()
            };
            let batch_verify =
                BatchVerifyRequest { requests: batch.iter().map(question).collect() };
            let told = client.verification().batch_verify(client.request(batch_verify)).await;
            let told = told.unwrap().into_inner().responses;
            assert_eq!(told.len(), batch.len());
            for (told, (_, expected)) in told.iter().zip(batch) {
                if told.verdict() != *expected {
                    violations.push(format!("{told:?}, not {expected:?}"));
                }
            }
        }
        verdicts.len()
    }

    async fn stands(&self, key: usize, client: &Client) -> Key {
        self.all_stand(client).await.remove(&self.keys[key].key_id).unwrap()
    }

    /// All keys of the business, by id.
    async fn all_stand(&self, client: &Client) -> HashMap<String, Key> {
        let mut keys = HashMap::new();
        let mut page_token = String::new();
        loop {
            let list = ListKeysRequest {
                business_ids: vec![self.business.clone()],
                page_size: 1_000,
                page_token,
                ..ListKeysRequest::default()
            };
            let page = client.management().list_keys(client.request(list)).await.unwrap();
            let page = page.into_inner();
            keys.extend(page.keys.into_iter().map(|key| (key.key_id.clone(), key)));
            if page.next_page_token.is_empty() {
                return keys;
            }
            page_token = page.next_page_token;
        }
    }

    async fn limit_stands(&self, client: &Client) -> Option<i32> {
        let get = GetBusinessRequest { business_id: self.business.clone() };
        match client.management().get_business(client.request(get)).await {
            Ok(answer) => Some(answer.into_inner().business.unwrap().key_limit),
            Err(status) => {
                assert_eq!(status.code(), Code::NotFound, "{status:?}");
                None
            }
        }
    }

    async fn description_stands(&self, client: &Client) -> Option<String> {
        let list = client.request(ListScopesRequest::default());
        let scopes = client.management().list_scopes(list).await.unwrap().into_inner().scopes;
        scopes.into_iter().find(|scope| scope.name == self.scope).map(|scope| scope.description)
    }
}

impl Kept {
    const fn state(&self) -> KeyState {
        if self.revoked { KeyState::Revoked } else { KeyState::Active }
    }

    /// Each secret that is known, with its verdict.
    fn verdicts(&self) -> impl Iterator<Item = (&str, Verdict)> {
        let unless_revoked = |verdict| if self.revoked { Verdict::Revoked } else { verdict };
        let past =
            self.past.iter().map(move |past| (&**past, unless_revoked(Verdict::SecretRotated)));
        let secret = self.secret.iter();
        past.chain(secret.map(move |secret| (&**secret, unless_revoked(Verdict::Valid))))
    }
}
