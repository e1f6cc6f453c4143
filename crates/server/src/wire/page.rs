//! Pages: their size, and tokens that say where the next one begins. A token is opaque, signed, and
//! bound to the query that it came from; it grants nothing.

use apikey::digest::PepperSet;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use prost::Message;

use crate::{access::Rpc, errors::violations::Violations};

/// Items a page where none are asked for.
const SIZE_DEFAULT: u16 = 50;
/// The most items a page; more are clamped.
const SIZE_MAX: u16 = 1_000;
/// A page also ends here: generated clients accept messages of 4 MiB.
pub const BYTES_MAX: usize = 3 * 1024 * 1024;
/// What the MAC of a token is made for.
const LABEL: &str = "keyward page token 1";
/// Bytes of the MAC in a token.
const TAG: usize = 16;

/// How many items a page has at most.
pub fn size(page_size: i32, violations: &mut Violations) -> Option<u16> {
    match page_size {
        0 => Some(SIZE_DEFAULT),
        size if size < 0 => {
            violations.add("page_size", "must not be negative; 0 means 50, and 1000 is the most");
            None
        }
        size => Some(u16::try_from(size).map_or(SIZE_MAX, |size| size.min(SIZE_MAX))),
    }
}

/// What the tokens of a query are bound to: the RPC, and the request without its place and its size.
#[must_use]
pub fn bound_to(rpc: Rpc, request: &impl Message) -> Vec<u8> {
    let mut bytes = rpc.path().as_bytes().to_vec();
    bytes.extend(request.encode_to_vec());
    bytes
}

/// A page of what was found, which is one more than `size` where another page follows: the messages, and
/// then the position of the last of them. A page also ends before it is too large.
pub fn cut<Record, Item: Message>(
    found: Vec<Record>,
    size: u16,
    mut to_wire: impl FnMut(Record) -> (Item, Vec<u8>),
) -> (Vec<Item>, Option<Vec<u8>>) {
    let total = found.len();
    let mut page = Vec::with_capacity(total);
    let (mut bytes, mut last) = (0_usize, None);
    for record in found.into_iter().take(usize::from(size)) {
        let (item, position) = to_wire(record);
        bytes = bytes.saturating_add(item.encoded_len());
        if bytes > BYTES_MAX && !page.is_empty() {
            break;
        }
        page.push(item);
        last = Some(position);
    }
    let more = page.len() < total;
    (page, last.filter(|_| more))
}

/// The token that continues a query after a position; empty where nothing follows.
#[must_use]
pub fn next(peppers: &PepperSet, query: &[u8], position: Option<Vec<u8>>) -> String {
    position.map_or_else(String::new, |position| token(peppers, query, &position))
}

/// The token that continues `query` after `position`.
#[must_use]
pub fn token(peppers: &PepperSet, query: &[u8], position: &[u8]) -> String {
    let tag = peppers.newest().mac(LABEL, &[query, position]);
    let mut token = tag.iter().copied().take(TAG).collect::<Vec<u8>>();
    token.extend_from_slice(position);
    URL_SAFE_NO_PAD.encode(token)
}

/// The position in a token of `query`; an inner `None` for the first page.
pub fn position(
    peppers: &PepperSet,
    query: &[u8],
    token: &str,
    violations: &mut Violations,
) -> Option<Option<Vec<u8>>> {
    if token.is_empty() {
        return Some(None);
    }
    let decoded = URL_SAFE_NO_PAD.decode(token).ok();
    let position = decoded.as_deref().and_then(|bytes| bytes.split_at_checked(TAG)).and_then(
        |(tag, position)| {
            let signed = |pepper: &apikey::digest::Pepper| {
                pepper.mac(LABEL, &[query, position]).starts_with(tag)
            };
            peppers.iter().any(signed).then(|| position.to_vec())
        },
    );
    if position.is_none() {
        violations.add(
            "page_token",
            "must be next_page_token of the page before, with an otherwise unchanged request",
        );
    }
    position.map(Some)
}
