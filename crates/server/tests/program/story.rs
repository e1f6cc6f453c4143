//! The life of a key, told by grpcurl: made, good, not good for everything, rotated, revoked; and all
//! of it still so after a restart.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{grpcurl::Grpcurl, home::Home, process::BOUND};

#[test]
fn grpcurl_tells_it_on_sqlite() {
    let home = Home::on_sqlite();
    tell(&home, || home.operator_key());
}

#[test]
fn grpcurl_tells_it_on_postgres() {
    let home = Home::on_postgres();
    tell(&home, || home.operator_key());
}

fn tell(home: &Home, operator_key: impl Fn() -> String) {
    let server = home.serve(&[]);
    let operator = Grpcurl { address: server.address.clone(), service_key: operator_key() };
    wait_until_known(&operator);

    operator.call("KeyManagement/UpdateScope", &orders_read());
    let (kept, kept_secret) = issued(&operator.call("KeyManagement/CreateKey", &web_shop()));
    let (lost, first) = issued(&operator.call("KeyManagement/CreateKey", &web_shop()));
    let the_lost = json!({"business_id": "acme", "key_id": lost});
    assert_eq!(verdict(&operator, &first, "orders.read"), "VERDICT_VALID");
    assert_eq!(verdict(&operator, &first, "orders.write"), "VERDICT_INSUFFICIENT_SCOPE");

    let (rotated, second) = issued(&operator.call("KeyManagement/RotateKey", &the_lost));
    assert_eq!(rotated, lost);
    assert_eq!(verdict(&operator, &first, "orders.read"), "VERDICT_SECRET_ROTATED");
    assert_eq!(verdict(&operator, &second, "orders.read"), "VERDICT_VALID");

    let revoke = json!({"business_id": "acme", "key_id": lost, "reason": "REVOKE_REASON_LEAKED"});
    let revoked = operator.call("KeyManagement/RevokeKey", &revoke);
    assert_eq!(revoked["key"]["state"], "KEY_STATE_REVOKED");
    assert_eq!(verdict(&operator, &second, "orders.read"), "VERDICT_REVOKED");

    let before = everything(&operator);
    server.stop();
    let server = home.serve(&[]);
    let operator = Grpcurl { address: server.address.clone(), ..operator };
    assert_eq!(everything(&operator), before);
    assert_eq!(before["keys"][0], without_usage(&revoked["key"]));
    assert_eq!(before["keys"][1]["keyId"], kept);
    assert_eq!(verdict(&operator, &second, "orders.read"), "VERDICT_REVOKED");
    assert_eq!(verdict(&operator, &first, "orders.read"), "VERDICT_REVOKED");
    assert_eq!(verdict(&operator, &kept_secret, "orders.read"), "VERDICT_VALID");
    assert_eq!(verdict(&operator, &kept_secret, "orders.write"), "VERDICT_INSUFFICIENT_SCOPE");
}

/// A key that was made beside the running server is good soon, but not at once.
fn wait_until_known(caller: &Grpcurl) {
    let deadline = Instant::now() + BOUND;
    while let Err(complaint) = caller.try_call("KeyManagement/ListScopes", &json!({})) {
        assert!(complaint.contains("CREDENTIAL_INVALID"), "{complaint}");
        assert!(Instant::now() < deadline, "{complaint}");
    }
}

fn orders_read() -> Value {
    json!({
        "allow_missing": true,
        "scope": {
            "name": "orders.read",
            "assignable_by": "ASSIGNABLE_BY_USERS",
            "endpoints": [{"service": "orders", "http": {"method": "GET", "path": "/v1/orders/**"}}],
        },
    })
}

fn web_shop() -> Value {
    json!({
        "business_id": "acme",
        "key": {"display_name": "Web shop", "scopes": ["orders.read"], "annotations": {"team": "web"}},
    })
}

/// The key's id and its new secret.
fn issued(answer: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&answer["key"]["keyId"]), text(&answer["secret"]))
}

fn verdict(caller: &Grpcurl, secret: &str, scope: &str) -> String {
    let question = json!({"presented_secret": secret, "required_scopes": [scope]});
    let answer = caller.call("KeyVerification/Verify", &question);
    let verdict = answer["verdict"].as_str().unwrap();
    assert_eq!(answer["valid"] == true, verdict == "VERDICT_VALID", "{answer}");
    verdict.to_owned()
}

/// The business's keys, newest first, and the catalogue.
fn everything(caller: &Grpcurl) -> Value {
    let keys = caller.call("KeyManagement/ListKeys", &json!({"business_ids": ["acme"]}));
    let keys: Vec<Value> = keys["keys"].as_array().unwrap().iter().map(without_usage).collect();
    let scopes = caller.call("KeyManagement/ListScopes", &json!({"include_retired": true}));
    json!({"keys": keys, "scopes": scopes["scopes"]})
}

/// A key but for what is counted, which goes on by itself.
fn without_usage(key: &Value) -> Value {
    let mut key = key.clone();
    for counted in ["countedUntilTime", "lastUseTime", "lastDeniedUseTime", "requestCount"] {
        key.as_object_mut().unwrap().remove(counted);
    }
    key
}
