//! Whom a call proves: every kind of service key with every kind of user token, on every RPC. A literal
//! table, no expectation of which is computed.

use keyward_proto::v1::RevokeKeyRequest;
use keyward_server::access::Rpc;
use serde_json::{Value, json};
use tonic::Request;

use crate::harness::{
    Bearer, Server,
    told::Told,
    users::{AUDIENCE, ISSUER, TOKEN_TYPE},
};

/// What presents itself, a row each.
const CALLERS: [&str; 10] =
    ["none", "wrong", "revoked", "verify", "manage", "operate", "triage", "import", "audit", "all"];
/// What it presents besides, a column each.
const TOKENS: [&str; 9] =
    ["none", "valid", "expired", "forged", "other aud", "other typ", "other azp", "no sub", "two"];

/// Known, and as whom the call says: what it may do is the other tables' matter.
const KNOWN: &str = "";
const MISSING: &str = "CREDENTIAL_MISSING";
const INVALID: &str = "CREDENTIAL_INVALID";
/// Whoever may not present people is not told how good its token is.
const DENIED: &str = "PERMISSION_DENIED";
const EXPIRED: &str = "USER_TOKEN_EXPIRED";
const FORGED: &str = "USER_TOKEN_SIGNATURE";
const AUD: &str = "USER_TOKEN_AUDIENCE";
const TYP: &str = "USER_TOKEN_TYPE";
const AZP: &str = "USER_TOKEN_PRESENTER";
const CLAIM: &str = "USER_TOKEN_CLAIM_MISSING";
const TWO: &str = "USER_TOKEN_AMBIGUOUS";

const TABLE: [[&str; 9]; 10] = [
    [MISSING, MISSING, MISSING, MISSING, MISSING, MISSING, MISSING, MISSING, MISSING],
    [INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID],
    [INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID],
    [KNOWN, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED],
    [KNOWN, KNOWN, EXPIRED, FORGED, AUD, TYP, AZP, CLAIM, TWO],
    [KNOWN, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED],
    [KNOWN, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED],
    [KNOWN, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED],
    [KNOWN, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED],
    [KNOWN, KNOWN, EXPIRED, FORGED, AUD, TYP, AZP, CLAIM, TWO],
];

/// Each cell is called on each RPC, and its reason is that of the table.
#[tokio::test(flavor = "multi_thread")]
async fn each_caller_with_each_token_is_known_or_told_why_not() {
    let server = Server::on_sqlite().await;
    let mut cells = 0;
    for (caller, row) in CALLERS.into_iter().zip(TABLE) {
        let secret = secret(&server, caller).await;
        for (token, expected) in TOKENS.into_iter().zip(row) {
            for rpc in Rpc::ALL {
                let mut request =
                    secret.as_deref().map_or_else(|| Request::new(()), Bearer::request);
                for token in tokens(&server, token) {
                    request.metadata_mut().append("keyward-user-token", token.parse().unwrap());
                }
                let answer = server.call(rpc.path(), request).await;
                let reason =
                    answer.err().map(|status| Told::of(&status).reason).unwrap_or_default();
                let place = format!("{caller} with {token} on {rpc:?}: {reason:?}");
                if expected == KNOWN {
                    assert!(
                        !reason.starts_with("CREDENTIAL") && !reason.contains("TOKEN"),
                        "{place}"
                    );
                } else {
                    assert_eq!(reason, expected, "{place}");
                }
                cells += 1;
            }
        }
    }
    println!("{cells} cells: {} callers, {} tokens, {} RPCs", CALLERS.len(), TOKENS.len(), 25);
}

async fn secret(server: &Server, caller: &str) -> Option<String> {
    Some(match caller {
        "none" => return None,
        "wrong" => "kw_thisIsNoKeyAtAll".to_owned(),
        "revoked" => {
            let key = server.service_key(&["keyward.manage"]).await;
            let request = RevokeKeyRequest {
                business_id: "@keyward".to_owned(),
                key_id: key.key_id,
                reason: 1,
                reason_text: String::new(),
            };
            server.management().revoke_key(request).await.unwrap();
            key.secret
        }
        "all" => server.operator.secret.clone(),
        role => server.service_key(&[&format!("keyward.{role}")]).await.secret,
    })
}

fn tokens(server: &Server, token: &str) -> Vec<String> {
    let now = server.clock_seconds();
    let header = json!({"alg": "EdDSA", "kid": "development", "typ": TOKEN_TYPE});
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "azp": "*", "iat": now, "exp": now + 300,
        "role": "business_admin", "business": "acme",
    });
    let with = |mut part: Value, name: &str, value: Value| {
        part[name] = value;
        part
    };
    let good = server.signed(&header, &claims);
    vec![match token {
        "none" => return Vec::new(),
        "valid" => good,
        "expired" => {
            let earlier = with(claims, "iat", json!(now - 330));
            server.signed(&header, &with(earlier, "exp", json!(now - 30)))
        }
        "forged" => {
            let claims = with(claims, "business", json!("other"));
            let other = server.signed(&header, &claims);
            let signature = good.rsplit_once('.').unwrap().1;
            format!("{}.{signature}", other.rsplit_once('.').unwrap().0)
        }
        "other aud" => server.signed(&header, &with(claims, "aud", json!("somebody-else"))),
        "other typ" => server.signed(&with(header, "typ", json!("at+jwt")), &claims),
        "other azp" => server.signed(&header, &with(claims, "azp", json!("key_other"))),
        "no sub" => server.signed(&header, &with(claims, "sub", Value::Null)),
        "two" => return vec![good.clone(), good],
        unknown => panic!("{unknown}"),
    }]
}
