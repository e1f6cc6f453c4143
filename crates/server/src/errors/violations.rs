//! Fields that break their rules, gathered: a caller hears of all of them at once.

use std::fmt::Display;

use keyward_proto::v1::ErrorReason;

use super::Refusal;

/// So many characters of a description are told at most: some quote what the caller sent, and
/// trailers have limits in clients.
const DESCRIPTION_LENGTH_MAX: usize = 300;

/// One field, and what is wrong with it and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field's path in the request, in snake case: `key.scopes[2]`.
    pub field: String,
    /// A sentence.
    pub description: String,
}

/// The violations of one request so far.
#[derive(Debug, Default)]
pub struct Violations {
    found: Vec<Violation>,
}

impl Violations {
    /// Notes a violation.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        let mut description = description.into();
        if let Some((end, _)) = description.char_indices().nth(DESCRIPTION_LENGTH_MAX) {
            description.truncate(end);
            description.push('…');
        }
        self.found.push(Violation { field: field.into(), description });
    }

    /// A parsed field's value, or its error as a violation.
    pub fn take<T, E: Display>(
        &mut self,
        field: impl Into<String>,
        parsed: Result<T, E>,
    ) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(field, error.to_string());
                None
            }
        }
    }

    /// What the request comes to, if nothing in it breaks a rule. `parts` is `None` only where a
    /// violation was noted.
    ///
    /// # Errors
    /// INVALID_FIELDS, with every violation.
    pub fn finish<T>(self, parts: Option<T>) -> Result<T, Refusal> {
        match parts {
            Some(whole) if self.found.is_empty() => Ok(whole),
            _ => Err(self.into()),
        }
    }
}

impl From<Violations> for Refusal {
    fn from(violations: Violations) -> Self {
        let found = violations.found;
        let message = match found.as_slice() {
            [] => return Self::internal("a request was incomplete without a violation"),
            [Violation { field, description }] => format!("{field}: {description}"),
            [first, rest @ ..] => format!(
                "{} and {} more: {}",
                first.field,
                rest.len(),
                "each field's fault stands in the details",
            ),
        };
        Self::new(ErrorReason::InvalidFields, message)
            .with("violations", found.len())
            .with_violations(found)
    }
}
