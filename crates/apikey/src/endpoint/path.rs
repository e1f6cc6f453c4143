//! The one spelling of a path, by RFC 3986 (section 6.2.2) and some distrust.
//!
//! - Unreserved characters are decoded, exactly once: `%61` is `a`, and `%2561` stays `%2561`.
//!   Every other escape stays, its digits in upper case.
//! - Refused is what servers are known to read in more than one way: `//`, the segments `.` and
//!   `..`, an encoded `/`, `\` or control character, a `;` in any form (some servers cut a segment
//!   there), and whatever RFC 3986 does not allow in a path.
//! - Upper and lower case differ.
//! - One `/` at the end is dropped, but for the path `/`.

use std::borrow::Cow;

/// What is wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathFlaw {
    /// It does not start with `/`.
    #[error("does not start with `/`")]
    Start,
    /// A character that a path holds only percent-encoded, or not at all.
    #[error("has a character that is not one of `A-Za-z0-9-._~!$&'()*+,=:@/%`")]
    Character,
    /// A `%` that two hexadecimal digits do not follow.
    #[error("has a `%` without two hexadecimal digits")]
    Escape,
    /// An escape that hides what some servers read as structure.
    #[error("has an encoded `/`, `\\`, `;` or control character")]
    Hidden,
    /// A segment that servers resolve away.
    #[error("has an empty, `.` or `..` segment")]
    Segment,
}

/// The canonical spelling of a path without its query.
pub(super) fn canonical(raw: &str) -> Result<Cow<'_, str>, PathFlaw> {
    if !raw.starts_with('/') {
        return Err(PathFlaw::Start);
    }
    let path = if raw.contains('%') { decode(raw)?.into() } else { Cow::Borrowed(raw) };
    if !path.bytes().all(is_path_byte) {
        return Err(PathFlaw::Character);
    }
    if path.contains("//") || path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(PathFlaw::Segment);
    }
    Ok(without_last_slash(path))
}

/// The segments of a canonical path, and those of a full gRPC method; `/` has none.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// Is this `/package.Service/Method`?
pub(super) fn is_grpc_method(full_method: &str) -> bool {
    let parts = full_method.strip_prefix('/').and_then(|parts| parts.split_once('/'));
    let Some((service, method)) = parts else { return false };
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name = |part: &str| !part.is_empty() && part.chars().all(is_word);
    service.split('.').all(is_name) && is_name(method)
}

fn decode(raw: &str) -> Result<String, PathFlaw> {
    let mut pieces = raw.split('%');
    let mut path = String::with_capacity(raw.len());
    path.extend(pieces.next());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).ok_or(PathFlaw::Escape)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(PathFlaw::Escape);
        }
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if is_unreserved(byte) => path.push(char::from(byte)),
            Ok(byte) if byte.is_ascii_control() || b"/\\;".contains(&byte) => {
                return Err(PathFlaw::Hidden);
            }
            Ok(_) | Err(_) => {
                path.push('%');
                path.extend(digits.chars().map(|digit| digit.to_ascii_uppercase()));
            }
        }
        path.push_str(rest);
    }
    Ok(path)
}

fn without_last_slash(path: Cow<'_, str>) -> Cow<'_, str> {
    if path.len() == 1 || !path.ends_with('/') {
        return path;
    }
    match path {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches('/')),
        Cow::Owned(mut text) => {
            text.pop();
            Cow::Owned(text)
        }
    }
}

/// RFC 3986, section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// RFC 3986's `pchar` (section 3.3) without `;`, and the `/` between segments.
fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,=:@/%".contains(&byte)
}
