//! What a caller reads from an error.

use std::collections::HashMap;

use keyward_proto::v1::ErrorReason;
use keyward_server::errors::{DOMAIN, code};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

/// What clients of gRPC core and of Java accept unless told otherwise.
const TRAILERS_BYTES_MAX: usize = 8 * 1024;

/// An error's details.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) metadata: HashMap<String, String>,
    /// Field and description, in order.
    pub(crate) violations: Vec<(String, String)>,
    pub(crate) retry_hint: bool,
}

/// The error that a call must end in.
#[track_caller]
pub(crate) fn refused<T>(answer: Result<Response<T>, Status>) -> Told {
    match answer {
        Ok(_) => panic!("the call was answered"),
        Err(status) => Told::of(&status),
    }
}

impl Told {
    /// Checks what holds for every error of Keyward's on the way.
    #[track_caller]
    pub(crate) fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().expect("each error carries ErrorInfo").clone();
        assert_eq!(info.domain, DOMAIN);
        let reason = ErrorReason::from_str_name(&format!("ERROR_REASON_{}", info.reason)).unwrap();
        assert_eq!(status.code(), code(reason), "{status:?}");
        let headers = status.clone().into_http::<()>().into_parts().0.headers;
        let bytes: usize =
            headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        assert!(bytes < TRAILERS_BYTES_MAX, "{bytes} bytes of trailers");

        let retry_hint = details.retry_info().is_some();
        assert_eq!(retry_hint, status.code() == Code::Unavailable);
        assert_eq!(retry_hint, headers.contains_key("grpc-retry-pushback-ms"));
        let violations = details.bad_request().map_or_else(Vec::new, |bad_request| {
            let told = bad_request.field_violations.iter();
            told.map(|told| (told.field.clone(), told.description.clone())).collect()
        });
        let message = status.message().to_owned();
        Self { reason: info.reason, message, metadata: info.metadata, violations, retry_hint }
    }

    /// The request broke exactly these rules: each a field, and what the description begins with.
    #[track_caller]
    pub(crate) fn violates(&self, expected: &[(&str, &str)]) {
        assert_eq!(self.reason, "INVALID_FIELDS", "{self:#?}");
        let fits = |told: &(String, String), (field, begins): &(&str, &str)| {
            told.0 == *field && told.1.starts_with(begins)
        };
        let all_fit = self.violations.iter().zip(expected).all(|(told, e)| fits(told, e));
        assert!(all_fit && self.violations.len() == expected.len(), "{self:#?}\n{expected:#?}");
        assert_eq!(self.metadata["violations"], expected.len().to_string());
    }
}
