//! What can be wrong with a short text, said in one way: which flaw, and never the text itself, as
//! it may be a secret in the wrong place.
//!
//! Every name, description and id of this crate is checked here; the error of each type adds what
//! would be right.

use std::ops::RangeInclusive;

/// What is wrong with a text. Lengths and positions count characters (Unicode scalar values).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Nothing was given where something is required.
    #[error("it is empty")]
    Empty,
    /// Longer than the limit.
    #[error("it has {count} characters")]
    TooLong {
        /// How many characters it has.
        count: usize,
    },
    /// A character that does not belong there.
    #[error("character {position} is {character:?}")]
    Character {
        /// The first such character.
        character: char,
        /// Where it stands, counted from 1.
        position: usize,
    },
}

/// Is this shown as it is? Control characters are not (PostgreSQL refuses NUL, terminals obey the
/// others), nor are line separators and what turns the direction of the text around it, by which
/// one name can be made to look like another.
pub(crate) fn is_plain(character: char) -> bool {
    let turns_around = matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let breaks_line = matches!(character, '\u{2028}' | '\u{2029}');
    !character.is_control() && !turns_around && !breaks_line
}

/// Is this plain, or a new line or a tab, of which longer texts are laid out?
pub(crate) fn is_plain_or_layout(character: char) -> bool {
    is_plain(character) || matches!(character, '\n' | '\t')
}

/// Is this one of `A-Za-z0-9._-`, of which names that a platform chooses are made?
pub(crate) fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
}

/// Names the first flaw of a text that must have a number of characters within `lengths`, all of
/// them allowed.
pub(crate) fn check(
    text: &str,
    lengths: RangeInclusive<usize>,
    allowed: impl Fn(char) -> bool,
) -> Result<(), Flaw> {
    let count = text.chars().count();
    if count < *lengths.start() {
        return Err(Flaw::Empty);
    }
    if count > *lengths.end() {
        return Err(Flaw::TooLong { count });
    }
    match text.chars().zip(1..).find(|&(character, _)| !allowed(character)) {
        Some((character, position)) => Err(Flaw::Character { character, position }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
