//! One question of a caller, checked. Only what the calling service got wrong is an error; whatever
//! its customer presented gets a verdict.

use apikey::{endpoint::Endpoint, id::BusinessId, verdict::Requirement};
use keyward_proto::v1::VerifyRequest;

use crate::{
    callers::Caller,
    errors::{Refusal, violations::Violations},
    not_yet::{self, Field},
    resident::Roles,
    wire::scope::endpoint_from_wire,
};

/// How many questions a batch has at most.
pub(super) const BATCH_MAX: usize = 1_000;
/// How many scopes a question names at most, of each kind.
const SCOPES_MAX: usize = 100;

/// What is asked, about what.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) presented_secret: &'a [u8],
    pub(super) business_id: Option<&'a str>,
    pub(super) skip_usage: bool,
    required: &'a [String],
    sufficient: &'a [String],
    endpoint: Option<Endpoint<'a>>,
}

impl<'a> Question<'a> {
    /// The question, or its violations with `place` before each field's name.
    pub(super) fn from_wire(
        caller: &Caller,
        place: &str,
        request: &'a VerifyRequest,
        violations: &mut Violations,
    ) -> Result<Option<Self>, Refusal> {
        let VerifyRequest {
            presented_secret,
            required_scopes,
            sufficient_scopes,
            endpoint,
            authenticate_only,
            business_id,
            skip_usage,
            min_revision,
        } = request;
        not_yet::refuse_set([(Field::VerifyMinRevision, *min_revision != 0)])?;
        if *skip_usage && !caller.roles.all(Roles::SKIP_USAGE) {
            return Err(Refusal::permission_denied());
        }
        let v = violations;
        let asks_scopes =
            !required_scopes.is_empty() || !sufficient_scopes.is_empty() || endpoint.is_some();
        if asks_scopes == *authenticate_only {
            v.add(
                format!("{place}authenticate_only"),
                if asks_scopes {
                    "must not be set together with required_scopes, sufficient_scopes or endpoint"
                } else {
                    "must be true where none of required_scopes, sufficient_scopes and endpoint is set"
                },
            );
        }
        for (field, scopes) in
            [("required_scopes", required_scopes), ("sufficient_scopes", sufficient_scopes)]
        {
            if scopes.len() > SCOPES_MAX {
                let count = scopes.len();
                let problem = format!("has {count} names, and {SCOPES_MAX} is the most");
                v.add(format!("{place}{field}"), problem);
            }
        }
        let endpoint = match endpoint {
            None => Some(None),
            Some(endpoint) => {
                let parsed = endpoint_from_wire(endpoint);
                if parsed.is_none() {
                    v.add(format!("{place}endpoint"), "must have http or grpc_method set");
                }
                parsed.map(Some)
            }
        };
        let business_id = (!business_id.is_empty()).then_some(business_id.as_str());
        if let Some(Err(error)) = business_id.map(BusinessId::parse) {
            v.add(format!("{place}business_id"), error.to_string());
        }
        Ok(endpoint.map(|endpoint| Self {
            presented_secret: presented_secret.as_bytes(),
            business_id,
            skip_usage: *skip_usage,
            required: required_scopes,
            sufficient: sufficient_scopes,
            endpoint,
        }))
    }

    pub(super) fn requirement(&self) -> Requirement<'_> {
        Requirement {
            required: self.required,
            sufficient: self.sufficient,
            endpoint: self.endpoint.as_ref(),
        }
    }
}
