//! The hot path: is this key good, and for this? Answered from memory; nothing is awaited, nothing is
//! written, and nothing here can change a key.

mod question;
mod service;

use std::{sync::Arc, time::Duration};

use apikey::{
    clock::Clock,
    digest::PepperSet,
    verdict::{Verdict, decide},
};
use keyward_proto::v1::{self, VerifyRequest, VerifyResponse};
use prost::Message;

use self::question::Question;
use crate::{
    callers::Caller,
    errors::{Refusal, violations::Violations},
    peppers::MoveQueue,
    resident::{Index, Record, View},
    wire::{page, time},
};

/// KeyVerification.
#[derive(Debug, Clone)]
pub struct Verification {
    /// What is answered from.
    pub index: Arc<Index>,
    /// What digests are made with.
    pub peppers: Arc<PepperSet>,
    /// When keys expire.
    pub clock: Arc<dyn Clock>,
    /// How long a secret is recognised after its end.
    pub recognition: Duration,
    /// Where good secrets go that are seen under an older pepper.
    pub moves: MoveQueue,
}

impl Verification {
    /// The verdict on one presented secret.
    fn verify(&self, caller: &Caller, request: &VerifyRequest) -> Result<VerifyResponse, Refusal> {
        let mut violations = Violations::default();
        let question = Question::from_wire(caller, "", request, &mut violations)?;
        let question = violations.finish(question)?;
        Ok(self.index.answer(|view| self.answer(view, &question))?)
    }

    /// The verdicts on up to a batch, each on its own, all of one view.
    fn verify_batch(
        &self,
        caller: &Caller,
        requests: &[VerifyRequest],
    ) -> Result<Vec<VerifyResponse>, Refusal> {
        let mut violations = Violations::default();
        if requests.is_empty() || requests.len() > question::BATCH_MAX {
            let (most, count) = (question::BATCH_MAX, requests.len());
            violations.add("requests", format!("must be 1 to {most} questions, not {count}"));
            return Err(violations.into());
        }
        let mut questions = Vec::with_capacity(requests.len());
        for (i, request) in requests.iter().enumerate() {
            let place = format!("requests[{i}].");
            questions.extend(Question::from_wire(caller, &place, request, &mut violations)?);
        }
        let questions = violations.finish(Some(questions))?;
        let answers: Vec<_> = self.index.answer(|view| {
            questions.iter().map(|question| self.answer(view, question)).collect()
        })?;
        let bytes: usize = answers.iter().map(Message::encoded_len).sum();
        if bytes > page::BYTES_MAX {
            let mut violations = Violations::default();
            let most = page::BYTES_MAX;
            violations.add(
                "requests",
                format!(
                    "the answers come to {bytes} bytes, and {most} is the most; ask less at once"
                ),
            );
            return Err(violations.into());
        }
        Ok(answers)
    }

    /// The revision is read before the record, and the record before the clock.
    fn answer(&self, view: &View, question: &Question<'_>) -> VerifyResponse {
        let revision = view.applied();
        let found = view
            .find(&self.peppers, question.presented_secret)
            .filter(|found| !found.record.business.id.is_reserved())
            .filter(|found| {
                question.business_id.is_none_or(|id| found.record.business.id.as_str() == id)
            });
        let (record, outdated) = found.map(|found| (found.record, found.outdated)).unzip();
        let catalogue = view.catalogue();
        let found = record.as_deref().map(Record::found);
        let verdict = decide(
            found.as_ref(),
            &question.requirement(),
            &catalogue,
            self.recognition,
            self.clock.now(),
        );
        let mut response = VerifyResponse { revision: revision.0, ..VerifyResponse::default() };
        let wire = verdict_to_wire(&verdict);
        response.verdict = wire.into();
        if let Some(record) = record.filter(|_| verdict != Verdict::NotFound) {
            response.key_id = record.key_id.to_string();
            response.business_id = record.business.id.as_str().to_owned();
            if verdict == Verdict::Valid {
                response.valid = true;
                self.moves.offer(outdated.flatten());
                tell_all(&mut response, &record, &catalogue);
            }
        }
        if let Verdict::InsufficientScope { missing } = verdict {
            response.missing_scopes = missing;
        }
        response
    }
}

/// What only a good key's presenter hears.
fn tell_all(
    response: &mut VerifyResponse,
    record: &Record,
    catalogue: &apikey::catalogue::Catalogue,
) {
    response.display_name = record.display_name.as_ref().to_owned();
    response.scopes = record
        .scopes
        .iter()
        .filter(|scope| catalogue.is_live(**scope))
        .filter_map(|scope| catalogue.name(*scope))
        .map(|name| name.as_str().to_owned())
        .collect();
    response.annotations = record
        .annotations
        .iter()
        .map(|(name, value)| (name.as_ref().to_owned(), value.as_ref().to_owned()))
        .collect();
    response.expire_time = record.lifecycle.expire_time.map(time::to_wire);
}

fn verdict_to_wire(verdict: &Verdict) -> v1::Verdict {
    match verdict {
        Verdict::Valid => v1::Verdict::Valid,
        Verdict::NotFound => v1::Verdict::NotFound,
        Verdict::BusinessSuspended => v1::Verdict::BusinessSuspended,
        Verdict::Revoked => v1::Verdict::Revoked,
        Verdict::SecretRotated => v1::Verdict::SecretRotated,
        Verdict::Expired => v1::Verdict::Expired,
        Verdict::Suspended => v1::Verdict::Suspended,
        Verdict::EndpointNotMapped => v1::Verdict::EndpointNotMapped,
        Verdict::InsufficientScope { .. } => v1::Verdict::InsufficientScope,
    }
}
