//! The hot path: is this key good, and for this? Answered from memory and counted in memory; nothing is
//! awaited, nothing is written, and nothing here can change a key.

mod question;
mod service;

use std::{sync::Arc, time::Duration};

use apikey::{
    clock::Clock,
    digest::PepperSet,
    usage::CountedVerdict,
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
    usage::recorder::{Decision, Recorder},
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
    /// Where is counted what was decided.
    pub recorder: Arc<Recorder>,
    /// How long a secret is recognised after its end.
    pub recognition: Duration,
    /// Where good secrets go that are seen under an older pepper.
    pub moves: MoveQueue,
}

/// A verdict as it is told, and as it counts.
struct Answer {
    response: VerifyResponse,
    /// `None`: it counts on no key.
    counted: Option<Decision>,
}

impl Verification {
    /// The verdict on one presented secret.
    fn verify(&self, caller: &Caller, request: &VerifyRequest) -> Result<VerifyResponse, Refusal> {
        let mut violations = Violations::default();
        let question = Question::from_wire(caller, "", request, &mut violations)?;
        let question = violations.finish(question)?;
        // Begun before the clock is read, and counted once the answer stands.
        let mut counting = self.recorder.begin();
        let Answer { response, counted } =
            self.index.answer(|view| self.answer(view, &question))?;
        counted.into_iter().for_each(|decision| counting.count(decision));
        Ok(response)
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
        let mut counting = self.recorder.begin();
        let answers: Vec<_> = self.index.answer(|view| {
            questions.iter().map(|question| self.answer(view, question)).collect()
        })?;
        let bytes: usize = answers.iter().map(|answer| answer.response.encoded_len()).sum();
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
        let counted = answers.iter().filter_map(|answer| answer.counted);
        counted.for_each(|decision| counting.count(decision));
        Ok(answers.into_iter().map(|answer| answer.response).collect())
    }

    /// The revision is read before the record, and the record before the clock.
    fn answer(&self, view: &View, question: &Question<'_>) -> Answer {
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
        let (requirement, now) = (question.requirement(), self.clock.now());
        let verdict = decide(found.as_ref(), &requirement, &catalogue, self.recognition, now);
        let counted = match (&record, CountedVerdict::of(&verdict)) {
            (Some(record), Some(verdict)) if !question.skip_usage => {
                Some(Decision { key_id: record.key_id, verdict, time: now })
            }
            _ => None,
        };
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
        Answer { response, counted }
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
