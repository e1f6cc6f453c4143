//! Whatever a server sends as its keys: nothing panics, and a set that is taken has keys, each of which
//! refuses a signature of nobody's.
#![no_main]

use keyward_server::callers::token::keys::{KEYS_MAX, KeySet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    let Ok(set) = KeySet::parse(json) else { return };
    assert!((1..=KEYS_MAX).contains(&set.len()));
    for kid in ["ed", "ec", "rsa"] {
        let key = set.get(kid);
        assert!(key.is_none_or(|key| !key.has_signed(b"message", &[1; 64])));
    }
});
