//! Deadlines. Nothing here waits for real: the clock is paused, and no socket is involved.

use std::{convert::Infallible, future::pending};

use tonic_types::StatusExt as _;
use tower::{service_fn, util::ServiceExt as _};

use super::*;

/// The answer to a call that nobody answers.
async fn unanswered(grpc_timeout: &str) -> Status {
    let never = service_fn(|_: Request<()>| pending::<Result<Response<()>, Infallible>>());
    let request = Request::builder().uri("/keyward.v1.KeyManagement/CreateKey");
    let request = request.header(TIMEOUT, grpc_timeout).body(()).unwrap();
    let answer = FormLayer.layer(never).oneshot(request).await.unwrap();
    Status::from_header_map(answer.headers()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_caller_hears_why_before_its_own_deadline() {
    for (grpc_timeout, before) in [("1S", 1_000), ("50m", 50), ("2M", 120_000)] {
        let start = tokio::time::Instant::now();
        let status = unanswered(grpc_timeout).await;
        assert!(start.elapsed() < Duration::from_millis(before), "{grpc_timeout}");
        assert_eq!(status.code(), Code::DeadlineExceeded, "{grpc_timeout}");
        assert_eq!(status.get_details_error_info().unwrap().reason, "DEADLINE_EXCEEDED");
    }
}

#[test]
fn a_header_that_is_none_sets_no_deadline() {
    for odd in ["", "S", "1", "1x", "-1S", "123456789S", "1 S"] {
        assert_eq!(time_to_answer(&HeaderValue::from_static(odd)), None, "{odd:?}");
    }
    let longest = time_to_answer(&HeaderValue::from_static("99999999H"));
    assert_eq!(longest, Some(Duration::from_secs(99_999_999 * 3_600) - MARGIN_MAX));
}
