//! What is stored instead of a secret: `HMAC-SHA-256(pepper, SHA-256(secret))`.
//!
//! Keyed, so that neither a stolen database nor a row planted in it makes a key. Over SHA-256, so
//! that a key known elsewhere only by its unsalted SHA-256 can be imported. Not slow: a secret has
//! 190 random bits, so there is no dictionary to slow down.
//!
//! Peppers have versions; several are held at once, the newest writes and all read. A pepper's bytes
//! leave this module only by [`PepperSet::generate_file`], and nothing here is printable.

use std::fmt;
use std::num::NonZeroU16;

use ring::error::Unspecified;
use ring::hmac;
use ring::rand::SecureRandom;
use zeroize::Zeroizing;

/// SHA-256 of a secret: never stored, as it can be tested against a guess, and wiped after use.
#[derive(Clone)]
pub struct SecretHash(Zeroizing<[u8; 32]>);

/// The keyed digest of a secret, 32 bytes: what databases and indexes hold.
///
/// Compared as plain bytes on purpose: whoever could time the comparison would need the pepper to
/// choose what is compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Which pepper a digest was made with: 1 to 65,535, a higher one is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PepperVersion(NonZeroU16);

/// The server's key for digests, 32 bytes, never in the database.
#[derive(Clone)]
pub struct Pepper {
    version: PepperVersion,
    key: hmac::Key,
}

/// The peppers that this process holds, at least one, no two of a version.
#[derive(Clone)]
pub struct PepperSet {
    newest: Pepper,
    /// Newest first.
    older: Vec<Pepper>,
}

/// Why a text is not a pepper file. It shows nothing of the text, which may hold peppers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PepperSetError {
    /// No line holds a pepper.
    #[error("there is no pepper; a line is `<version> <64 hexadecimal digits>`")]
    Empty,
    /// More peppers than a process may hold.
    #[error("there are more than {max} peppers; retire the oldest", max = PepperSet::MAX_LENGTH)]
    TooMany,
    /// A line that is not a pepper.
    #[error(
        "line {line} is not `<version> <64 hexadecimal digits>`, for instance `1 6b1f…`, \
         with a version of 1 to 65535"
    )]
    Line {
        /// Which line, counted from 1.
        line: usize,
    },
    /// A second pepper with a version that another line has.
    #[error("line {line} has version {version}, as an earlier line does; each version stands once")]
    Version {
        /// Which line, counted from 1.
        line: usize,
        /// The version that stands twice.
        version: PepperVersion,
    },
}

const FILE_HEADER: &str = "\
# Keyward pepper: the server-side half of what protects the digests of all API keys.
# Without it no stored key can be verified: keep a copy, readable by the server alone, and apart
# from the database and its backups.
# A line a pepper: <version> <64 hexadecimal digits>. The highest version is used for new digests.
";

/// A line is not longer: five digits of a version, 64 of a pepper, a space and the line's end.
const LINE_MAX: usize = 5 + 1 + 64 + 1;

impl SecretHash {
    /// The hash of a secret.
    pub fn of(secret: &[u8]) -> SecretHash {
        let mut bytes = Zeroizing::new([0; 32]);
        // Both are 32 bytes: SHA-256's output.
        bytes.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, secret).as_ref());
        SecretHash(bytes)
    }

    /// Is it the hash of this secret?
    pub fn is_of(&self, secret: &[u8]) -> bool {
        *self.0 == *SecretHash::of(secret).0
    }

    /// A hash made elsewhere, for an import.
    pub fn from_bytes(bytes: [u8; 32]) -> SecretHash {
        SecretHash(Zeroizing::new(bytes))
    }
}

impl Digest {
    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// The bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PepperVersion {
    /// The version with this number, unless it is 0.
    pub fn new(number: u16) -> Option<PepperVersion> {
        NonZeroU16::new(number).map(PepperVersion)
    }

    /// Its number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for PepperVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Pepper {
    /// What [`Pepper::check_value`] signs. Not 32 bytes long, so that it is no secret's hash.
    const CHECK_LABEL: &[u8] = b"keyward pepper check value";

    /// A pepper of this version.
    pub fn new(version: PepperVersion, bytes: &[u8; 32]) -> Pepper {
        Pepper { version, key: hmac::Key::new(hmac::HMAC_SHA256, bytes) }
    }

    /// Which pepper it is.
    pub const fn version(&self) -> PepperVersion {
        self.version
    }

    /// The digest of a secret under this pepper.
    pub fn digest(&self, hash: &SecretHash) -> Digest {
        Digest(self.sign(hash.0.as_slice()))
    }

    /// Always the same for the same bytes, and tells nothing about them: kept in the database, it
    /// shows at the start that a pepper with a known version has the wrong bytes.
    pub fn check_value(&self) -> [u8; 32] {
        self.sign(Self::CHECK_LABEL)
    }

    /// A MAC over `parts` for another purpose, which `label` names: for instance page tokens. Each part
    /// goes in with its length, so that no two lists of parts sign alike; with a label longer than 24
    /// bytes, or two parts, the message is longer than any secret's hash.
    pub fn mac(&self, label: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        let mut message = label.as_bytes().to_vec();
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            message.extend_from_slice(&length.to_be_bytes());
            message.extend_from_slice(part);
        }
        self.sign(&message)
    }

    fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut bytes = [0; 32];
        // Both are 32 bytes: HMAC-SHA-256's output.
        bytes.copy_from_slice(hmac::sign(&self.key, message).as_ref());
        bytes
    }
}

impl PepperSet {
    /// So many peppers at most: an unknown secret is looked for under each.
    pub const MAX_LENGTH: usize = 16;

    /// Reads the text of a pepper file: a line a pepper, `<version> <64 hexadecimal digits>`, in any
    /// order; blank lines and lines that start with `#` say nothing.
    ///
    /// # Errors
    /// [`PepperSetError`] names the first line that is wrong and what would be right.
    pub fn parse(text: &str) -> Result<PepperSet, PepperSetError> {
        let mut peppers = Vec::<Pepper>::new();
        for (content, line) in text.lines().map(str::trim).zip(1..) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let pepper = parse_line(content).ok_or(PepperSetError::Line { line })?;
            let version = pepper.version;
            if peppers.iter().any(|earlier| earlier.version == version) {
                return Err(PepperSetError::Version { line, version });
            }
            peppers.push(pepper);
        }
        if peppers.len() > Self::MAX_LENGTH {
            return Err(PepperSetError::TooMany);
        }
        peppers.sort_by_key(|pepper| pepper.version);
        let newest = peppers.pop().ok_or(PepperSetError::Empty)?;
        peppers.reverse();
        Ok(PepperSet { newest, older: peppers })
    }

    /// The text of a pepper file with one new pepper, for [`PepperSet::parse`] to read.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate_file(
        version: PepperVersion,
        random: &dyn SecureRandom,
    ) -> Result<Zeroizing<String>, Unspecified> {
        let mut text = Zeroizing::new(String::with_capacity(FILE_HEADER.len() + LINE_MAX));
        text.push_str(FILE_HEADER);
        push_line(&mut text, version, random)?;
        Ok(text)
    }

    /// The text of a pepper file with one new pepper more. What is written from then on needs it.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn add_to_file(
        text: &str,
        version: PepperVersion,
        random: &dyn SecureRandom,
    ) -> Result<Zeroizing<String>, Unspecified> {
        let mut longer = Zeroizing::new(String::with_capacity(text.len() + 1 + LINE_MAX));
        longer.push_str(text);
        if !text.is_empty() && !text.ends_with('\n') {
            longer.push('\n');
        }
        push_line(&mut longer, version, random)?;
        Ok(longer)
    }

    /// The text of a pepper file without one of its peppers.
    pub fn take_from_file(text: &str, version: PepperVersion) -> Zeroizing<String> {
        let is_of_version =
            |line: &&str| parse_line(line.trim()).is_some_and(|pepper| pepper.version == version);
        let mut shorter = Zeroizing::new(String::with_capacity(text.len()));
        text.split_inclusive('\n')
            .filter(|line| !is_of_version(line))
            .for_each(|line| shorter.push_str(line));
        shorter
    }

    /// The pepper that new digests are made with.
    pub const fn newest(&self) -> &Pepper {
        &self.newest
    }

    /// All of them, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Pepper> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash")
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper")
    }
}

impl fmt::Debug for PepperSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PepperSet")
    }
}

/// The text never grows past its capacity, so that no copy is left behind unwiped.
fn push_line(
    text: &mut String,
    version: PepperVersion,
    random: &dyn SecureRandom,
) -> Result<(), Unspecified> {
    let mut bytes = Zeroizing::new([0; 32]);
    random.fill(bytes.as_mut_slice())?;
    text.push_str(&version.to_string());
    text.push(' ');
    for byte in bytes.iter() {
        text.extend([byte >> 4, byte & 0xf].map(hex_digit));
    }
    text.push('\n');
    Ok(())
}

fn parse_line(line: &str) -> Option<Pepper> {
    let (version, digits) = line.split_once(char::is_whitespace)?;
    let version = PepperVersion::new(version.parse().ok()?)?;
    let digits = digits.trim_start().as_bytes();
    let mut bytes = Zeroizing::new([0_u8; 32]);
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for &digit in pair {
            let value = char::from(digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(Pepper::new(version, &bytes))
}

fn hex_digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).unwrap_or_default()
}

#[cfg(test)]
mod tests;
