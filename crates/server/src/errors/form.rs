//! The outermost of our layers on every call to Keyward: errors that tonic makes itself (an unknown
//! method, a message that is no message or too large, a deadline) get the same form as ours.

use std::{
    convert::identity,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{
    TryFutureExt as _,
    future::{Either, MapOk},
};
use http::{HeaderValue, Request, Response};
use keyward_proto::v1::ErrorReason;
use tokio::time::timeout;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::Refusal;

/// gRPC's own services (health, reflection) answer in their own way.
const FOREIGN: &str = "/grpc.";
/// Where a status keeps its details; set: the error is ours.
const DETAILS: &str = "grpc-status-details-bin";

/// How long the caller waits (the gRPC protocol's own header), in at most so many digits.
const TIMEOUT: &str = "grpc-timeout";
const TIMEOUT_DIGITS_MAX: usize = 8;
/// How long before the caller's deadline it is told at the latest.
const MARGIN_MAX: Duration = Duration::from_millis(20);

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
    S::Future: Send + 'static,
    R: Default + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<
        MapOk<S::Future, fn(Response<R>) -> Response<R>>,
        Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let finish: fn(Response<R>) -> Response<R> =
            if request.uri().path().starts_with(FOREIGN) { identity } else { formed };
        let time = request.headers().get(TIMEOUT).and_then(time_to_answer);
        let answer = self.inner.call(request).map_ok(finish);
        match time {
            None => Either::Left(answer),
            // A change goes on in its own task: only the waiting for it ends here.
            Some(time) => Either::Right(Box::pin(async move {
                timeout(time, answer).await.unwrap_or_else(|_| Ok(late()))
            })),
        }
    }
}

/// How long a call with this `grpc-timeout` may take: a little less, so that its caller still hears
/// why. tonic's own timeout, further out, would only say CANCELLED.
fn time_to_answer(value: &HeaderValue) -> Option<Duration> {
    let (digits, unit) = value.to_str().ok()?.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > TIMEOUT_DIGITS_MAX {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    let time = match unit {
        "H" => Duration::from_secs(count.checked_mul(3_600)?),
        "M" => Duration::from_secs(count.checked_mul(60)?),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    };
    time.checked_sub(MARGIN_MAX.min(time / 10))
}

fn late<R: Default>() -> Response<R> {
    let refusal = Refusal::new(
        ErrorReason::DeadlineExceeded,
        "the caller's deadline came first; a change may or may not have happened",
    );
    Status::from(refusal).into_http()
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
        // What tonic says of bytes that are no message.
        Code::Internal | Code::InvalidArgument => (ErrorReason::MalformedMessage, status.message()),
        Code::Ok
        | Code::Unknown
        | Code::NotFound
        | Code::ResourceExhausted
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

#[cfg(test)]
mod tests;
