//! KeyVerification, a file a verdict: when it is given, what is told with it, and what is not.

mod batch_verify;
mod business_suspended;
mod endpoint_not_mapped;
mod expired;
mod insufficient_scope;
mod not_found;
mod precedence;
mod question;
mod revoked;
mod secret_rotated;
mod suspended;
mod valid;

use std::time::Duration;

use keyward_proto::v1::{Endpoint, HttpEndpoint, Verdict, VerifyRequest, VerifyResponse, endpoint};

use crate::harness::{
    Server,
    keys::{ACME, Made, is_good},
};

/// For so long a secret is told from an unknown one after its end.
const RECOGNITION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The answer that tells of the key which it is, and nothing more.
async fn denial(server: &Server, made: &Made, verdict: Verdict) -> VerifyResponse {
    VerifyResponse {
        verdict: verdict.into(),
        key_id: made.key_id.clone(),
        business_id: ACME.to_owned(),
        ..not_found(server).await
    }
}

/// The answer that tells nothing.
async fn not_found(server: &Server) -> VerifyResponse {
    VerifyResponse {
        verdict: Verdict::NotFound.into(),
        revision: server.store.revision().await.unwrap().0,
        ..VerifyResponse::default()
    }
}

/// A secret that died is recognised up to the last microsecond, and then as unknown as any.
async fn is_recognised_for_30_days(server: &Server, made: &Made, verdict: Verdict) {
    let question = is_good(&made.secret);
    server.clock.advance(RECOGNITION - Duration::from_micros(1));
    assert_eq!(server.verify(question.clone()).await, denial(server, made, verdict).await);
    server.clock.advance(Duration::from_micros(1));
    assert_eq!(server.verify(question).await, not_found(server).await);
}

/// Does the secret reach this path of the service `shop`?
fn reaches(secret: &str, method: &str, raw_path: &str) -> VerifyRequest {
    let http = HttpEndpoint { method: method.to_owned(), raw_path: raw_path.to_owned() };
    let endpoint = Endpoint { service: "shop".to_owned(), kind: Some(endpoint::Kind::Http(http)) };
    let (presented_secret, endpoint) = (secret.to_owned(), Some(endpoint));
    VerifyRequest { presented_secret, endpoint, ..VerifyRequest::default() }
}
