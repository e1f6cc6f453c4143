//! The names of keys and businesses: public, fit for logs, and never mistaken for each other.

use std::fmt;
use std::sync::Arc;

use ring::error::Unspecified;
use ring::rand::SecureRandom;

use crate::clock::Timestamp;
use crate::text::{self, Flaw};

/// A key's public name: a UUIDv7 (RFC 9562), written `key_` and 26 base32 characters.
///
/// The characters are Crockford's in lower case, the most significant first, so that ids, their
/// bytes and their texts all sort by the millisecond of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 16]);

/// Not the text of a key id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key id is `key_` and 26 characters of `0-9a-z` without `i`, `l`, `o` and `u`, \
     of which the first is `0` to `7`"
)]
pub struct KeyIdError;

/// The tenant that owns keys, named by the platform: 1 to 64 of `A-Za-z0-9._-`.
///
/// The reserved business of service keys, `@keyward`, lies outside that set on purpose: no platform
/// can name one of its own so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusinessId(Arc<str>);

/// Not the id of a business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; a business id is 1 to {max} of `A-Za-z0-9._-`", max = BusinessId::MAX_LENGTH)]
pub struct BusinessIdError(pub Flaw);

/// The id that another system gave a key which came from there: 1 to 128 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(Box<str>);

/// Not the id of a key in another system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; an external id is 1 to {max} characters, none of them a control character",
    max = ExternalId::MAX_LENGTH
)]
pub struct ExternalIdError(pub Flaw);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const MARK: &str = "key_";
const DIGITS: usize = 26;
const BITS_PER_DIGIT: usize = 5;

impl KeyId {
    /// A new id. Its first 48 bits are the milliseconds of `now`; a time before 1970 counts as 1970.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate(now: Timestamp, random: &dyn SecureRandom) -> Result<KeyId, Unspecified> {
        let mut tail = [0; 10];
        random.fill(&mut tail)?;
        let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
        Ok(KeyId(uuid.into_bytes()))
    }

    /// Reads exactly what `Display` writes, and no other spelling of it.
    ///
    /// # Errors
    /// [`KeyIdError`] for any other text.
    pub fn parse(text: &str) -> Result<KeyId, KeyIdError> {
        let digits = text.strip_prefix(MARK).ok_or(KeyIdError)?;
        if digits.len() != DIGITS || !digits.starts_with(|first| ('0'..='7').contains(&first)) {
            return Err(KeyIdError);
        }
        let mut bits = 0_u128;
        for digit in digits.bytes() {
            let value = (0_u128..).zip(ALPHABET).find(|&(_, &letter)| letter == digit);
            let (value, _) = value.ok_or(KeyIdError)?;
            bits = (bits << BITS_PER_DIGIT) | value;
        }
        Ok(KeyId(bits.to_be_bytes()))
    }

    /// The id with these bytes, the most significant first.
    pub const fn from_bytes(bytes: [u8; 16]) -> KeyId {
        KeyId(bytes)
    }

    /// The bytes of the UUID, the most significant first.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bits = u128::from_be_bytes(self.0);
        // The last digit first: each takes the lowest five bits.
        let mut digits = [0; DIGITS];
        for digit in digits.iter_mut().rev() {
            let [.., low] = bits.to_be_bytes();
            #[expect(clippy::indexing_slicing, reason = "five bits, 32 characters")]
            let letter = ALPHABET[usize::from(low & 0b1_1111)];
            *digit = letter;
            bits >>= BITS_PER_DIGIT;
        }
        f.write_str(MARK)?;
        // The alphabet is ASCII.
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

impl BusinessId {
    /// The length that no id exceeds, in characters (and bytes: they are ASCII).
    pub const MAX_LENGTH: usize = 64;

    const KEYWARD: &str = "@keyward";

    /// Reads the id of a business, `@keyward` included.
    ///
    /// # Errors
    /// [`BusinessIdError`] names the first character that is wrong, or the length.
    pub fn parse(text: &str) -> Result<BusinessId, BusinessIdError> {
        if text != Self::KEYWARD {
            text::check(text, 1..=Self::MAX_LENGTH, text::is_name_character)
                .map_err(BusinessIdError)?;
        }
        Ok(BusinessId(text.into()))
    }

    /// The reserved business, which owns the service keys.
    pub fn keyward() -> BusinessId {
        BusinessId(Self::KEYWARD.into())
    }

    /// Is this the reserved business, which users, grants and imports must never reach?
    pub fn is_reserved(&self) -> bool {
        self.as_str() == Self::KEYWARD
    }

    /// The id as the platform wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BusinessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ExternalId {
    /// The length that no id exceeds, in characters.
    pub const MAX_LENGTH: usize = 128;

    /// Reads an id as the other system wrote it.
    ///
    /// # Errors
    /// [`ExternalIdError`] names the first character that is wrong, or the length.
    pub fn parse(text: &str) -> Result<ExternalId, ExternalIdError> {
        text::check(text, 1..=Self::MAX_LENGTH, text::is_plain).map_err(ExternalIdError)?;
        Ok(ExternalId(text.into()))
    }

    /// The id as the other system wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests;
