//! Whatever bytes come as a user token: nothing panics, and nothing verifies but what was signed.
#![no_main]

use std::sync::LazyLock;

use keyward_server::callers::token::{jws::Jws, keys::KeySet};
use libfuzzer_sys::fuzz_target;

/// Good tokens are among the seeds: a second spelling of one would be found as well.
const SIGNED: [&[u8]; 3] = [
    include_bytes!("../../crates/server/src/callers/token/samples/eddsa.jwt"),
    include_bytes!("../../crates/server/src/callers/token/samples/es256.jwt"),
    include_bytes!("../../crates/server/src/callers/token/samples/rs256.jwt"),
];

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let keys = include_bytes!("../../crates/server/src/callers/token/samples/keys.json");
    KeySet::parse(keys).expect("the samples are a set")
});

fuzz_target!(|token: &[u8]| {
    let Ok(jws) = Jws::parse(token) else { return };
    let key = KEYS.get(&jws.key_id);
    let verified = key.is_some_and(|key| jws.verified_by(&key).is_ok());
    assert_eq!(verified, SIGNED.contains(&token));
});
