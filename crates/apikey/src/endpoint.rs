//! What a request reaches ([`Endpoint`]), and which endpoints a scope covers ([`Template`]).
//!
//! Both are brought into one canonical spelling before they meet, so that no second spelling of a
//! path slips past the template that is meant for it. The rules, where a choice was open, are chosen
//! so that a doubt ends in "mapped to nothing", never in the wider template:
//!
//! - A path is canonical as [`path`] describes; HTTP methods are compared as they are, so that HEAD
//!   is not GET.
//! - `*` matches exactly one segment.
//! - `**` matches the rest, which may be nothing: `/admin/**` covers `/admin` too (as in
//!   [google.api.http](https://google.aip.dev/127)), so that `/**` of another scope does not.
//! - A trailing `/` is ignored on both sides: `/admin/` is `/admin`, for the same reason.
//! - gRPC and HTTP never match each other.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::text::{self, Flaw};

pub mod path;

use path::PathFlaw;

/// The method of a template that covers every HTTP method.
pub const ANY_METHOD: &str = "ANY";

/// Stands in a template's text where HTTP has its method; no HTTP method has lower-case letters.
const GRPC: &str = "gRPC";

/// A set of endpoints that a scope covers, in canonical form: its parts, and its text, make the
/// same template again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template {
    service: Arc<str>,
    /// None: gRPC.
    method: Option<Arc<str>>,
    path: Arc<str>,
}

/// The endpoint of one request. Made of anything; what is not a proper one maps to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint<'a> {
    service: &'a str,
    /// None: gRPC.
    method: Option<&'a str>,
    /// None: maps to nothing.
    path: Option<Cow<'a, str>>,
}

/// Why this is not a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The name of the service.
    #[error(
        "the service: {0}; it is 1 to {max} of `A-Za-z0-9._-`",
        max = Template::SERVICE_MAX_LENGTH
    )]
    Service(Flaw),
    /// The HTTP method.
    #[error(
        "the method: {0}; it is 1 to {max} upper-case letters, or `ANY`",
        max = Template::METHOD_MAX_LENGTH
    )]
    Method(Flaw),
    /// The HTTP path.
    #[error("the path {0}; it is for instance `/v1/items/*`, `*` for a segment, `**` for the rest")]
    Path(PathFlaw),
    /// A path that is too long.
    #[error(
        "the path is too long; it has at most {bytes} bytes and {segments} segments",
        bytes = Template::PATH_MAX_BYTES,
        segments = Template::SEGMENTS_MAX
    )]
    TooLong,
    /// A `*` beside other characters, or a `**` that is not last.
    #[error("`*` stands for a whole segment, and `**` for all the rest, as the last of a path")]
    Wildcard,
    /// A text without its three parts.
    #[error("a template is `<service> <HTTP method> <path>` or `<service> gRPC <method>`")]
    Parts,
    /// The gRPC method.
    #[error("a gRPC method is `/package.Service/Method` or `/package.Service/*`")]
    Grpc,
}

impl Template {
    /// The length that no service's name exceeds, in characters (and bytes: they are ASCII).
    pub const SERVICE_MAX_LENGTH: usize = 64;
    /// The length that no HTTP method exceeds, in characters (and bytes: they are ASCII).
    pub const METHOD_MAX_LENGTH: usize = 16;
    /// The length that no path exceeds, in bytes.
    pub const PATH_MAX_BYTES: usize = 512;
    /// So many segments at most has a path.
    pub const SEGMENTS_MAX: usize = 64;

    /// HTTP endpoints: of this service, by this method or [`ANY_METHOD`], with such a path.
    ///
    /// # Errors
    /// [`TemplateError`] names the part that is wrong.
    pub fn http(service: &str, method: &str, path: &str) -> Result<Template, TemplateError> {
        let service = check_service(service)?;
        text::check(method, 1..=Self::METHOD_MAX_LENGTH, |c| c.is_ascii_uppercase())
            .map_err(TemplateError::Method)?;
        let path = path::canonical(path).map_err(TemplateError::Path)?;
        let mut segments = path::segments(&path);
        if path.len() > Self::PATH_MAX_BYTES || segments.clone().count() > Self::SEGMENTS_MAX {
            return Err(TemplateError::TooLong);
        }
        while let Some(segment) = segments.next() {
            let is_last = segments.clone().next().is_none();
            match segment {
                "*" => {}
                "**" if is_last => {}
                literal if !literal.contains('*') => {}
                _ => return Err(TemplateError::Wildcard),
            }
        }
        Ok(Template { service, method: Some(method.into()), path: (*path).into() })
    }

    /// gRPC endpoints: of this service, a full method `/package.Service/Method`, or all methods of
    /// one gRPC service, `/package.Service/*`.
    ///
    /// # Errors
    /// [`TemplateError`] names the part that is wrong.
    pub fn grpc(service: &str, method_pattern: &str) -> Result<Template, TemplateError> {
        let service = check_service(service)?;
        if method_pattern.len() > Self::PATH_MAX_BYTES {
            return Err(TemplateError::TooLong);
        }
        let sample = match method_pattern.strip_suffix("/*") {
            Some(whole_service) => &format!("{whole_service}/Any"),
            None => method_pattern,
        };
        if !path::is_grpc_method(sample) {
            return Err(TemplateError::Grpc);
        }
        Ok(Template { service, method: None, path: method_pattern.into() })
    }

    /// Reads what `Display` writes.
    ///
    /// # Errors
    /// [`TemplateError`] names the part that is wrong.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let mut parts = text.splitn(3, ' ');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(service), Some(GRPC), Some(pattern)) => Template::grpc(service, pattern),
            (Some(service), Some(method), Some(path)) => Template::http(service, method, path),
            _ => Err(TemplateError::Parts),
        }
    }

    /// The name that the platform chose for the service.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The HTTP method, or [`ANY_METHOD`]; none for gRPC.
    pub fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// The pattern of the HTTP path or of the full gRPC method.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// In one line: `billing GET /v1/invoices/*`, or `billing gRPC /acme.Billing/*`.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.service, self.method().unwrap_or(GRPC), self.path)
    }
}

impl<'a> Endpoint<'a> {
    /// An HTTP request: its method, and its path as it came in, still encoded, with or without the
    /// query. Copies nothing unless the path has a `%`.
    pub fn http(service: &'a str, method: &'a str, raw_path: &'a str) -> Endpoint<'a> {
        let without_query = raw_path.split('?').next().unwrap_or(raw_path);
        Endpoint { service, method: Some(method), path: path::canonical(without_query).ok() }
    }

    /// A gRPC call: its full method, `/package.Service/Method`.
    pub fn grpc(service: &'a str, full_method: &'a str) -> Endpoint<'a> {
        let path = path::is_grpc_method(full_method).then_some(Cow::Borrowed(full_method));
        Endpoint { service, method: None, path }
    }

    /// The service that it belongs to.
    pub fn service(&self) -> &str {
        self.service
    }

    /// The HTTP method; none for gRPC.
    pub fn method(&self) -> Option<&str> {
        self.method
    }

    /// The canonical path or full gRPC method; none if no template can match.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }
}

fn check_service(service: &str) -> Result<Arc<str>, TemplateError> {
    text::check(service, 1..=Template::SERVICE_MAX_LENGTH, text::is_name_character)
        .map_err(TemplateError::Service)?;
    Ok(service.into())
}

#[cfg(test)]
mod tests;
