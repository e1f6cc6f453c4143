//! Rows that describe a key, and rows that do not.

use super::*;

const HEX: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const BASE64: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";

/// The same key, in both formats.
#[test]
fn a_row_of_either_format_is_the_same_key() {
    let header = "business_id,external_id,display_name,sha256,scopes,annotations,state,\
                  create_time,expire_time,last_use_time,revoke_time,revoke_reason,\
                  revoke_reason_text,obfuscated_secret,description";
    let csv = Columns::Csv(Columns::from_header(header).unwrap());
    let row = format!(
        "acme,7,\"Shop, old\",{HEX},a b,\"{{\"\"tier\"\":\"\"gold\"\"}}\",REVOKED,\
         2020-01-31T08:30:00Z,,2021-01-31T08:30:00.5Z,2022-01-31T08:30:00Z,UNUSED,gone,sk_…77,\"x\ny\""
    );
    let json = format!(
        r#"{{"business_id": "acme", "external_id": "7", "display_name": "Shop, old", "sha256": "{HEX}",
            "scopes": ["a", "b"], "annotations": {{"tier": "gold"}}, "state": "REVOKED",
            "create_time": "2020-01-31T08:30:00Z", "last_use_time": "2021-01-31T08:30:00.5Z",
            "revoke_time": "2022-01-31T08:30:00Z", "revoke_reason": "UNUSED",
            "revoke_reason_text": "gone", "obfuscated_secret": "sk_…77", "description": "x\ny"}}"#
    );
    let json = Columns::JsonLines.key(&json).unwrap().unwrap();
    assert_eq!(csv.key(&row).unwrap().unwrap(), json);
    let key = json.key.unwrap();
    assert_eq!((key.scopes.len(), key.annotations["tier"].as_str()), (2, "gold"));
    assert_eq!((key.state(), key.revoke_reason()), (KeyState::Revoked, RevokeReason::Unused));
    assert_eq!(key.last_use_time.unwrap().nanos, 500_000_000);
    assert!(json.secret_digest == Some(SecretDigest::Sha256Hex(HEX.to_owned())));
}

#[test]
fn a_digest_may_be_base64() {
    let bytes = STANDARD.decode(BASE64).unwrap();
    assert!(digest(BASE64.to_owned()) == Ok(SecretDigest::Sha256(bytes)));
}

#[test]
fn a_header_names_known_columns_once_and_the_needed_ones() {
    let needed = "business_id,external_id,display_name,sha256";
    assert!(Columns::from_header(needed).is_ok());
    for (header, fault) in [
        ("business_id,external_id,display_name", "lacks the column \"sha256\""),
        (&format!("{needed},colour"), "there is no column \"colour\""),
        (&format!("{needed},sha256"), "\"sha256\" stands there twice"),
    ] {
        let told = Columns::from_header(header).unwrap_err().to_string();
        assert!(told.contains(fault), "{told}");
    }
}

/// And no fault shows what stands there: it may be a secret in the wrong column.
#[test]
fn each_fault_is_told_without_the_content() {
    let columns = Columns::from_header(
        "business_id,external_id,display_name,sha256,create_time,state,annotations",
    );
    let columns = Columns::Csv(columns.unwrap());
    for (row, fault) in [
        ("acme,7,Shop", "has 3 fields, and the header has 7"),
        ("acme,7,Shop,needle,,,", "sha256: must be 64 hexadecimal digits"),
        (&format!("acme,7,Shop,{HEX},needle,,"), "create_time: must be a time of RFC 3339"),
        (&format!("acme,7,Shop,{HEX},,needle,"), "state: must be ACTIVE"),
        (&format!("acme,7,Shop,{HEX},,,needle"), "annotations: must be a JSON object"),
    ] {
        let told = columns.key(row).unwrap_err();
        assert!(told.starts_with(fault) && !told.contains("needle"), "{told}");
    }
    for (row, fault) in [
        ("needle", "is no object of a key: its JSON is wrong, at character"),
        ("{\"sha256\": 7, \"needle\": 1}", "is no object of a key: a member is unknown"),
        ("{\"needle\": ", "is no object of a key: "),
    ] {
        let told = Columns::JsonLines.key(row).unwrap_err();
        assert!(told.starts_with(fault) && !told.contains("needle"), "{told}");
    }
}

#[test]
fn empty_lines_are_nothing() {
    assert_eq!(Columns::JsonLines.key("  "), Ok(None));
}
