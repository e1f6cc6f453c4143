//! Who is calling: a service key, found in the resident index, and what it may do here; and for whom:
//! the user that a signed token proves.

pub mod authentication;
pub mod development_issuer;
pub mod issuer;
pub mod key_cache;
pub mod key_source;
pub mod token;
pub mod user;

use std::{net::SocketAddr, sync::Arc};

use apikey::id::KeyId;
use keyward_store::record::Actor;
use tonic::Request;

use self::user::{User, UserRole};
use crate::{errors::Refusal, resident::Roles};

/// The workload that opened a call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its service key.
    pub key_id: KeyId,
    /// What it may do.
    pub roles: Roles,
    /// From where it calls.
    pub peer: Option<SocketAddr>,
    /// The person for whom it calls: then the person's rights count, and no others.
    pub user: Option<Arc<User>>,
}

impl Caller {
    /// Who acts, as the audit log names it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let (user_issuer, user_subject) = match self.user.as_deref() {
            Some(User { issuer, subject, role: _ }) => (issuer.clone(), subject.clone()),
            None => (String::new(), String::new()),
        };
        Actor { caller: self.key_id.to_string(), user_issuer, user_subject }
    }

    /// Whether what it may do here rests on grants.
    #[must_use]
    pub fn is_for_advisor(&self) -> bool {
        self.user.as_deref().is_some_and(|user| user.role == UserRole::Advisor)
    }

    /// The caller that authentication found.
    ///
    /// # Errors
    /// INTERNAL: the request came past authentication, which must not be.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Refusal> {
        let caller = request.extensions().get::<Self>();
        caller.cloned().ok_or_else(|| Refusal::internal("a request without a caller"))
    }
}
