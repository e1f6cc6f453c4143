//! Who is calling: a service key, found in the resident index, and what it may do here.

pub mod authentication;

use std::net::SocketAddr;

use apikey::id::KeyId;
use keyward_proto::v1::ErrorReason;
use tonic::Request;

use crate::{errors::Refusal, resident::Roles};

/// The workload that opened a call.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Its service key.
    pub key_id: KeyId,
    /// What it may do.
    pub roles: Roles,
    /// From where it calls.
    pub peer: Option<SocketAddr>,
}

impl Caller {
    /// The caller that authentication found.
    ///
    /// # Errors
    /// INTERNAL: the request came past authentication, which must not be.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Refusal> {
        let caller = request.extensions().get::<Self>();
        caller.copied().ok_or_else(|| Refusal::internal("a request without a caller"))
    }
}

/// One fixed text: it must not tell what is not there from what is not allowed.
#[must_use]
pub fn permission_denied() -> Refusal {
    Refusal::new(
        ErrorReason::PermissionDenied,
        "the caller may not do this here, or what it names does not exist",
    )
}
