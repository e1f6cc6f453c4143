//! Whatever comes in the headers that say who calls: nothing panics, and what is taken for the one
//! credential stands in the one header.
#![no_main]

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use keyward_server::callers::{
    authentication::bearer,
    issuer::{USER_TOKEN, presented},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // A line a header; its first byte says which.
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        let Some((which, value)) = line.split_first() else { continue };
        let Ok(value) = HeaderValue::from_bytes(value) else { continue };
        if *which == b'u' {
            headers.append(USER_TOKEN, value);
        } else {
            headers.append(AUTHORIZATION, value);
        }
    }
    let count = |name: &str| headers.get_all(name).iter().count();
    if let Ok(secret) = bearer(&headers) {
        assert_eq!(count(AUTHORIZATION.as_str()), 1);
        assert!(headers[AUTHORIZATION].as_bytes().trim_ascii_end().ends_with(secret));
    }
    match presented(&headers) {
        Ok(None) => assert_eq!(count(USER_TOKEN), 0),
        Ok(Some(token)) => assert!(count(USER_TOKEN) == 1 && !token.contains(&b',')),
        Err(_) => assert!(count(USER_TOKEN) >= 1),
    }
});
