//! `AccessGrant` and `Advisor`.

use apikey::id::BusinessId;
use keyward_proto::v1;
use keyward_store::{
    access::{AccessGrant, Advisor},
    record::Actor,
};

use super::time;
use crate::errors::violations::Violations;

/// The longest `iss` and `sub`, in characters.
const ISSUER_MAX: usize = 512;
const SUBJECT_MAX: usize = 255;

/// The grant as it stands.
#[must_use]
pub fn to_wire(grant: AccessGrant) -> v1::AccessGrant {
    let AccessGrant {
        business_id,
        advisor,
        revision: _,
        grant_time,
        end_time,
        granted_by: Actor { caller, user_issuer, user_subject },
    } = grant;
    v1::AccessGrant {
        business_id: business_id.as_str().to_owned(),
        advisor: Some(advisor_to_wire(advisor)),
        grant_time: Some(time::to_wire(grant_time)),
        end_time: end_time.map(time::to_wire),
        granted_by: Some(v1::Creator { caller, user_issuer, user_subject }),
    }
}

/// The advisor.
#[must_use]
pub fn advisor_to_wire(advisor: Advisor) -> v1::Advisor {
    let Advisor { issuer, subject } = advisor;
    v1::Advisor { issuer, subject }
}

/// The advisor that a request names.
pub fn advisor_from_wire(
    advisor: Option<v1::Advisor>,
    violations: &mut Violations,
) -> Option<Advisor> {
    let v1::Advisor { issuer, subject } = advisor.unwrap_or_default();
    let issuer = name("advisor.issuer", issuer, ISSUER_MAX, violations);
    let subject = name("advisor.subject", subject, SUBJECT_MAX, violations);
    Some(Advisor { issuer: issuer?, subject: subject? })
}

fn name(field: &str, name: String, max: usize, violations: &mut Violations) -> Option<String> {
    let fits = (1..=max).contains(&name.chars().count()) && !name.contains(char::is_control);
    if !fits {
        let problem = format!("must have 1 to {max} characters, and no control characters");
        violations.add(field, problem);
    }
    fits.then_some(name)
}

/// The business that a request is about: one that can have clients' advisors.
pub fn client_from_wire(business_id: &str, violations: &mut Violations) -> Option<BusinessId> {
    const FIELD: &str = "business_id";
    let business_id = violations.take(FIELD, BusinessId::parse(business_id))?;
    if business_id.is_reserved() {
        violations.add(FIELD, "@keyward is reserved for service keys and takes no advisors");
        return None;
    }
    Some(business_id)
}
