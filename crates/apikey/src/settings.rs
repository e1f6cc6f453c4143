//! What people write on a key: its name and description, the annotations that come back with each
//! VALID verdict, and why it was revoked.
//!
//! Lengths count characters (Unicode scalar values) unless they say bytes. None holds a character
//! that is not shown as it is: NUL and other control characters, line separators, and what turns
//! the direction of text.

use std::collections::BTreeMap;
use std::fmt;

use crate::text::{self, Flaw};

/// What a key is called: 1 to 63 characters, not unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisplayName(String);

/// Not a display name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; a display name is 1 to {max} characters, none of them a control character",
    max = DisplayName::MAX_LENGTH
)]
pub struct DisplayNameError(pub Flaw);

/// What a key is for: 0 to 1,024 characters, new lines and tabs among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Description(String);

/// Not a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; a description is at most {max} characters, of the control characters only new line and tab",
    max = Description::MAX_LENGTH
)]
pub struct DescriptionError(pub Flaw);

/// What the platform wants to know again with each VALID verdict: at most 16 entries, of at most
/// 1,024 bytes in all, keys and values together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Annotations(BTreeMap<String, String>);

/// Not annotations of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnotationsError {
    /// Too many entries.
    #[error("there are {count} entries; a key has at most {max}", max = Annotations::MAX_ENTRIES)]
    Entries {
        /// How many there are.
        count: usize,
    },
    /// Too many bytes.
    #[error(
        "keys and values have {bytes} bytes; together they have at most {max}",
        max = Annotations::MAX_BYTES
    )]
    Bytes {
        /// How many there are.
        bytes: usize,
    },
    /// A key that is not one.
    #[error(
        "the key {key:?}: {flaw}; a key is 1 to {max} of `A-Za-z0-9._-/`",
        max = Annotations::KEY_MAX_LENGTH
    )]
    Key {
        /// Which.
        key: String,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// A value that is not one.
    #[error("the value of {key:?}: {flaw}; a value has no control characters")]
    Value {
        /// The key of the value.
        key: String,
        /// What is wrong with the value.
        flaw: Flaw,
    },
}

/// Why a key was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RevokeReason {
    /// Its secret became known to others.
    Leaked,
    /// Nobody used it.
    Unused,
    /// Another key took its place.
    Replaced,
    /// Whoever it was made for is gone.
    OwnerLeft,
    /// As the text says.
    Other,
}

/// What there is to say about a revocation: 0 to 1,024 characters, new lines and tabs among them;
/// at least one if the reason is [`RevokeReason::Other`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReasonText(String);

/// Not the text of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; a reason's text is at most {max} characters, of the control characters only new line \
     and tab, and at least one character for OTHER",
    max = ReasonText::MAX_LENGTH
)]
pub struct ReasonTextError(pub Flaw);

impl DisplayName {
    /// The length that no name exceeds, in characters.
    pub const MAX_LENGTH: usize = 63;

    /// Reads a display name.
    ///
    /// # Errors
    /// [`DisplayNameError`] names the first character that is wrong, or the length.
    pub fn parse(text: &str) -> Result<DisplayName, DisplayNameError> {
        text::check(text, 1..=Self::MAX_LENGTH, text::is_plain).map_err(DisplayNameError)?;
        Ok(DisplayName(text.to_owned()))
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Description {
    /// The length that no description exceeds, in characters.
    pub const MAX_LENGTH: usize = 1_024;

    /// Reads a description.
    ///
    /// # Errors
    /// [`DescriptionError`] names the first character that is wrong, or the length.
    pub fn parse(text: &str) -> Result<Description, DescriptionError> {
        text::check(text, 0..=Self::MAX_LENGTH, text::is_plain_or_layout)
            .map_err(DescriptionError)?;
        Ok(Description(text.to_owned()))
    }

    /// The description as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Annotations {
    /// So many entries at most.
    pub const MAX_ENTRIES: usize = 16;
    /// So many bytes at most, keys and values together.
    pub const MAX_BYTES: usize = 1_024;
    /// The length that no key exceeds, in characters (and bytes: they are ASCII).
    pub const KEY_MAX_LENGTH: usize = 63;

    /// The annotations with these entries; of two with the same key, the last counts.
    ///
    /// # Errors
    /// [`AnnotationsError`] names the limit that is passed, or the first entry that is wrong.
    pub fn from_entries(
        entries: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Annotations, AnnotationsError> {
        let entries: BTreeMap<String, String> = entries.into_iter().collect();
        let count = entries.len();
        if count > Self::MAX_ENTRIES {
            return Err(AnnotationsError::Entries { count });
        }
        let bytes = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes > Self::MAX_BYTES {
            return Err(AnnotationsError::Bytes { bytes });
        }
        let in_key = |c| text::is_name_character(c) || c == '/';
        for (key, value) in &entries {
            text::check(key, 1..=Self::KEY_MAX_LENGTH, in_key)
                .map_err(|flaw| AnnotationsError::Key { key: key.clone(), flaw })?;
            text::check(value, 0..=Self::MAX_BYTES, text::is_plain)
                .map_err(|flaw| AnnotationsError::Value { key: key.clone(), flaw })?;
        }
        Ok(Annotations(entries))
    }

    /// Keys and values, in the order of the keys' bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ReasonText {
    /// The length that no text exceeds, in characters.
    pub const MAX_LENGTH: usize = 1_024;

    /// Reads the text that comes with a reason.
    ///
    /// # Errors
    /// [`ReasonTextError`] names the first character that is wrong, or the length.
    pub fn parse(reason: RevokeReason, text: &str) -> Result<ReasonText, ReasonTextError> {
        let shortest = usize::from(reason == RevokeReason::Other);
        text::check(text, shortest..=Self::MAX_LENGTH, text::is_plain_or_layout)
            .map_err(ReasonTextError)?;
        Ok(ReasonText(text.to_owned()))
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
