//! The string that a customer's integration sends: how a new one is made, and how one is told from
//! any other string without asking a server.
//!
//! The form is `<prefix>_<body><checksum>`: 32 base62 characters from the system's random source
//! (190 bits), then the CRC-32 of all before it as 6 base62 characters. Verification does not rely
//! on the form, as imported secrets may look like anything; scanners for leaks do.
//!
//! An issued secret is shown once, by [`IssuedSecret::expose`]. It cannot be cloned, compared or
//! printed, and its memory is wiped.

use std::fmt;

use ring::error::Unspecified;
use ring::rand::SecureRandom;
use zeroize::Zeroizing;

use crate::digest::SecretHash;
use crate::text::{self, Flaw};

/// A presented secret longer than this, in bytes, is unknown without a look: no import is longer.
pub const PRESENTED_SECRET_MAX_BYTES: usize = 512;

/// Finds what may be a secret, wherever it leaked to; [`check_form`] then tells whether it is one.
///
/// In the syntax that RE2, PCRE, JavaScript and Rust's `regex` share; to be searched for, not
/// anchored.
pub const FORM_REGEX: &str = r"\b[a-z0-9](?:[a-z0-9_]{0,14}[a-z0-9])?_[0-9A-Za-z]{38}\b";

/// What a secret starts with, so that people and scanners see whose it is and what it is for:
/// 1 to 16 of `a-z0-9_`, by default `kw`.
///
/// It neither starts nor ends with `_`, which would be taken for the separator by the eye.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Box<str>);

/// Not a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; a prefix is 1 to {max} of `a-z0-9_`, the first and the last of them not `_`",
    max = Prefix::MAX_LENGTH
)]
pub struct PrefixError(pub Flaw);

/// A new secret, to be given out once.
pub struct IssuedSecret(Zeroizing<String>);

/// Why a string is not a secret of this form. It shows nothing of the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// There is no `_`, or what stands before the last one is not a prefix.
    #[error("a secret starts with a prefix of 1 to 16 of `a-z0-9_`, then `_`")]
    Prefix,
    /// What follows the last `_` is not 38 base62 characters.
    #[error("a secret ends with 38 of `0-9A-Za-z` after its last `_`")]
    Body,
    /// The checksum does not fit the rest: a character was changed, or it is not one of ours.
    #[error("the last 6 characters of a secret are the CRC-32 of all before them")]
    Checksum,
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY_LENGTH: usize = 32;
const CHECKSUM_LENGTH: usize = 6;

/// Bytes from here on are drawn again: 248 is the largest multiple of 62 in a byte, and without the
/// rest each character is equally likely.
const UNBIASED_BYTES: u8 = 248;

impl Prefix {
    /// The length that no prefix exceeds, in characters (and bytes: they are ASCII).
    pub const MAX_LENGTH: usize = 16;

    /// Reads a prefix.
    ///
    /// # Errors
    /// [`PrefixError`] names the first character that is wrong, or the length.
    pub fn parse(text: &str) -> Result<Prefix, PrefixError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        text::check(text, 1..=Self::MAX_LENGTH, allowed).map_err(PrefixError)?;
        let edges = [(1, text.chars().next()), (text.len(), text.chars().next_back())];
        for (position, character) in edges {
            if character == Some('_') {
                return Err(PrefixError(Flaw::Character { character: '_', position }));
            }
        }
        Ok(Prefix(text.into()))
    }

    /// The prefix, without the `_` that follows it in a secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Prefix {
    fn default() -> Prefix {
        Prefix("kw".into())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl IssuedSecret {
    /// A new secret with this prefix.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate(
        prefix: &Prefix,
        random: &dyn SecureRandom,
    ) -> Result<IssuedSecret, Unspecified> {
        // Never grows past this, so that no copy is left behind unwiped.
        let capacity = Prefix::MAX_LENGTH + 1 + BODY_LENGTH + CHECKSUM_LENGTH;
        let mut secret = Zeroizing::new(String::with_capacity(capacity));
        secret.push_str(prefix.as_str());
        secret.push('_');
        push_body(&mut secret, random)?;
        let checksum = checksum(&secret);
        secret.extend(checksum.map(char::from));
        Ok(IssuedSecret(secret))
    }

    /// The whole secret, for the one answer that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the digest is made of.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.0.as_bytes())
    }

    /// What a person may see of it for ever, to recognise the key: `kw_…7Zq2`, the prefix and the
    /// last four characters. Those are of the checksum, and leave more than 160 bits to guess.
    pub fn obfuscated(&self) -> String {
        let (prefix, tail) = self.0.rsplit_once('_').unwrap_or_default();
        let shown = tail.get(tail.len().saturating_sub(4)..).unwrap_or_default();
        format!("{prefix}_…{shown}")
    }
}

impl fmt::Debug for IssuedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuedSecret")
    }
}

/// Has this string the form of a secret? If so, its prefix. Needs neither server nor pepper, and
/// says nothing about whether such a key exists.
///
/// # Errors
/// [`FormError`] names the first part that is wrong.
pub fn check_form(text: &str) -> Result<&str, FormError> {
    let (prefix, tail) = text.rsplit_once('_').ok_or(FormError::Prefix)?;
    if Prefix::parse(prefix).is_err() {
        return Err(FormError::Prefix);
    }
    let is_base62 = tail.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_base62 || tail.len() != BODY_LENGTH + CHECKSUM_LENGTH {
        return Err(FormError::Body);
    }
    let (signed, written) = text.split_at(text.len() - CHECKSUM_LENGTH);
    if written.as_bytes() != checksum(signed) {
        return Err(FormError::Checksum);
    }
    Ok(prefix)
}

fn push_body(secret: &mut String, random: &dyn SecureRandom) -> Result<(), Unspecified> {
    let full = secret.len() + BODY_LENGTH;
    // One draw is nearly always enough: 31 of 32 bytes become a character.
    let mut bytes = Zeroizing::new([0; 2 * BODY_LENGTH]);
    while secret.len() < full {
        random.fill(bytes.as_mut_slice())?;
        let missing = full - secret.len();
        secret.extend(bytes.iter().copied().filter_map(base62_unbiased).take(missing));
    }
    Ok(())
}

fn base62_unbiased(byte: u8) -> Option<char> {
    (byte < UNBIASED_BYTES).then(|| char::from(base62(u32::from(byte))))
}

/// The CRC-32 (IEEE) of a text as 6 base62 digits, the most significant first; they hold 35 bits.
fn checksum(text: &str) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [0; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = base62(rest);
        rest /= 62;
    }
    digits
}

/// The last base62 digit of a number.
fn base62(number: u32) -> u8 {
    let [.., low] = (number % 62).to_be_bytes();
    #[expect(clippy::indexing_slicing, reason = "a remainder by 62, 62 characters")]
    let digit = BASE62[usize::from(low)];
    digit
}

#[cfg(test)]
mod tests;
