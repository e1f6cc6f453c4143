//! Each thing that can be wrong with a user token, as its caller hears of it: by a reason of its own, and
//! with no word of the token.

use serde_json::{Value, json};

use crate::harness::{
    Bearer, Server,
    told::{Told, refused},
    users::{AUDIENCE, ISSUER, TOKEN_TYPE},
};

/// The token of a case: from a good header and good claims, each of which it may change.
struct Case<'a> {
    server: &'a Server,
    header: Value,
    claims: Value,
}

impl<'a> Case<'a> {
    fn good(server: &'a Server) -> Self {
        let now = server.clock_seconds();
        let header = json!({"alg": "EdDSA", "kid": "development", "typ": TOKEN_TYPE});
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "hunter2", "azp": "*",
            "iat": now, "exp": now + 300, "role": "advisor",
        });
        Self { server, header, claims }
    }

    fn header(mut self, name: &str, value: Value) -> String {
        self.header[name] = value;
        self.signed()
    }

    fn claim(mut self, name: &str, value: Value) -> String {
        self.claims[name] = value;
        self.signed()
    }

    fn signed(&self) -> String {
        self.server.signed(&self.header, &self.claims)
    }
}

async fn told(server: &Server, token: &str) -> Told {
    let mut request = Bearer::request(&server.operator.secret);
    request.metadata_mut().insert("keyward-user-token", token.parse().unwrap());
    refused(server.call("/keyward.v1.AdvisorAccess/ListMyBusinesses", request).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_has_its_reason() {
    let server = Server::on_sqlite().await;
    let case = || Case::good(&server);
    let now = server.clock_seconds();
    let good = case().signed();
    let (signed, _) = good.rsplit_once('.').unwrap();
    let table = [
        (format!("{good},{good}"), "USER_TOKEN_AMBIGUOUS"),
        (format!("{good}{}", "A".repeat(8 * 1024)), "USER_TOKEN_TOO_LARGE"),
        (format!("Bearer {good}"), "USER_TOKEN_MALFORMED"),
        (case().header("alg", json!("none")), "USER_TOKEN_UNSIGNED"),
        (case().header("alg", json!("HS256")), "USER_TOKEN_SYMMETRIC"),
        (case().header("alg", json!("PS256")), "USER_TOKEN_ALGORITHM"),
        (case().header("alg", json!("RS256")), "USER_TOKEN_ALGORITHM"),
        (case().header("kid", json!("hunter2")), "USER_TOKEN_KEY_UNKNOWN"),
        (format!("{signed}.{}", "A".repeat(86)), "USER_TOKEN_SIGNATURE"),
        (case().header("typ", json!("JWT")), "USER_TOKEN_TYPE"),
        (case().header("typ", Value::Null), "USER_TOKEN_TYPE"),
        (case().claim("iss", json!("https://hunter2.example")), "USER_TOKEN_ISSUER"),
        (case().claim("aud", json!("hunter2")), "USER_TOKEN_AUDIENCE"),
        (case().claim("azp", json!("hunter2")), "USER_TOKEN_PRESENTER"),
        (case().claim("iat", json!(now + 31)), "USER_TOKEN_NOT_YET_VALID"),
        (case().claim("nbf", json!(now + 31)), "USER_TOKEN_NOT_YET_VALID"),
        (case().claim("exp", json!(now + 301)), "USER_TOKEN_LIVES_TOO_LONG"),
    ];
    for (token, reason) in table {
        let told = told(&server, &token).await;
        assert_eq!(told.reason, reason, "{}", told.message);
        assert!(told.metadata.is_empty());
        assert!(!told.message.contains("hunter2"), "{}", told.message);
    }
    for (claim, value, reason) in [
        ("sub", Value::Null, "USER_TOKEN_CLAIM_MISSING"),
        ("aud", json!(7), "USER_TOKEN_CLAIM_INVALID"),
        ("business", json!("@keyward"), "USER_TOKEN_CLAIM_INVALID"),
    ] {
        let told = told(&server, &case().claim(claim, value)).await;
        assert_eq!((told.reason.as_str(), told.metadata["claim"].as_str()), (reason, claim));
    }
    server.clock.advance(std::time::Duration::from_secs(330));
    assert_eq!(told(&server, &good).await.reason, "USER_TOKEN_EXPIRED");
}
