//! The outermost layer of every call to Keyward: errors that tonic makes itself (an unknown method,
//! a message that is no message or too large) get the same form as ours.

use std::{
    convert::identity,
    task::{Context, Poll},
};

use futures_util::{TryFutureExt as _, future::MapOk};
use http::{Request, Response};
use keyward_proto::v1::ErrorReason;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::Refusal;

/// gRPC's own services (health, reflection) answer in their own way.
const FOREIGN: &str = "/grpc.";
/// Where a status keeps its details; set: the error is ours.
const DETAILS: &str = "grpc-status-details-bin";

/// Makes [`Form`].
#[derive(Debug, Clone, Copy)]
pub struct FormLayer;

/// See the module.
#[derive(Debug, Clone)]
pub struct Form<S> {
    inner: S,
}

impl<S> Layer<S> for FormLayer {
    type Service = Form<S>;

    fn layer(&self, inner: S) -> Form<S> {
        Form { inner }
    }
}

impl<S, B, R> Service<Request<B>> for Form<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = MapOk<S::Future, fn(Response<R>) -> Response<R>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let foreign = request.uri().path().starts_with(FOREIGN);
        self.inner.call(request).map_ok(if foreign { identity } else { formed })
    }
}

/// Errors come as trailers in the header's place, so that the header alone tells.
fn formed<R: Default>(answer: Response<R>) -> Response<R> {
    if answer.headers().contains_key(DETAILS) {
        return answer;
    }
    match Status::from_header_map(answer.headers()) {
        Some(status) if status.code() != Code::Ok => Status::from(refusal(&status)).into_http(),
        _ => answer,
    }
}

fn refusal(status: &Status) -> Refusal {
    let (reason, message) = match status.code() {
        Code::Unimplemented => {
            (ErrorReason::UnknownMethod, "there is no such service or method, or compression")
        }
        Code::OutOfRange => (ErrorReason::MessageTooLarge, status.message()),
        Code::Cancelled => (ErrorReason::Cancelled, status.message()),
        Code::DeadlineExceeded => (ErrorReason::DeadlineExceeded, status.message()),
        Code::ResourceExhausted => (ErrorReason::Overloaded, status.message()),
        // What tonic says of bytes that are no message.
        Code::Internal | Code::InvalidArgument => (ErrorReason::MalformedMessage, status.message()),
        Code::Ok
        | Code::Unknown
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => return Refusal::internal(status),
    };
    Refusal::new(reason, message)
}
