//! Files that are not as they should be: each row's fault has its line, and the rest is taken over.

use std::fs;

use keyward_proto::v1::Verdict;

use super::{import, sha256_hex};
use crate::{client::Client, home::Home};

const HEADER: &str = "business_id,external_id,display_name,sha256,scopes";

fn row(id: &str, secret: &str) -> String {
    format!("acme,{id},\"Shop, {id}\",{},", sha256_hex(secret))
}

/// No text, too few fields, a million characters, no digest, an open quote, an unknown scope, the same id
/// twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_named_with_its_line_and_the_rest_is_taken_over() {
    let home = Home::on_sqlite();
    let server = home.serve(&[]);
    let service_key = home.operator_key();
    let lines: Vec<Vec<u8>> = vec![
        HEADER.into(),
        row("1", "secret one").into(),
        b"acme,2,caf\xe9,x,".to_vec(),
        b"acme,3,Shop".to_vec(),
        format!("acme,4,{},x,", "x".repeat(1_000_000)).into(),
        b"acme,5,Shop,needle,".to_vec(),
        b"acme,6,\"Shop,needle,".to_vec(),
        format!("acme,7,Shop,{},unknown", sha256_hex("secret seven")).into(),
        row("1", "secret eight").into(),
        row("1", "secret one").into(),
        row("9", "secret nine").into(),
    ];
    fs::write(home.path("keys.csv"), lines.join(&b'\n')).unwrap();
    let look = import(&home, &server, &service_key, &["--file", "keys.csv", "--dry-run"]);
    let ended = import(&home, &server, &service_key, &["--file", "keys.csv"]);
    ended.failed(&["7 rows were not imported"]);
    let told: Vec<&str> = ended.out.lines().collect();
    let begins = [
        "line 3: INVALID: is not UTF-8 from its byte 11 on",
        "line 4: INVALID: has 3 fields, and the header has 5",
        "line 5: INVALID: is longer than 65536 bytes",
        "line 6: INVALID: sha256: must be 64 hexadecimal digits",
        "line 7: INVALID: has a quoted field that is not closed",
        "line 8: INVALID: \"acme\" \"7\": key.scopes: unknown is not in the catalogue",
        "line 9: CONFLICT: \"acme\" \"1\": the business has key_",
        "2 keys imported, 1 already there, 1 conflicts, 6 invalid",
    ];
    assert_eq!(told.len(), begins.len(), "{}", ended.out);
    for (line, begins) in told.iter().zip(begins) {
        assert!(line.starts_with(begins), "{line} / {begins}");
    }
    assert!(!ended.out.contains("needle") && !ended.err.contains("needle"));
    // The look beforehand told the same, but for the ids that keys got later.
    look.failed(&["7 rows were not imported"]);
    assert!(
        look.out.ends_with("2 keys would be imported, 1 already there, 1 conflicts, 6 invalid\n")
    );

    let client = Client::new(&server, &service_key);
    for secret in ["secret one", "secret nine"] {
        assert_eq!(client.verdict(secret).await.unwrap(), Verdict::Valid);
    }
    assert_eq!(client.verdict("secret seven").await.unwrap(), Verdict::NotFound);
    // Again, as JSON lines: what is there is the same key.
    let json = format!(
        "{{\"business_id\": \"acme\", \"external_id\": \"9\", \"display_name\": \"Shop, 9\", \
          \"sha256\": \"{}\"}}\n",
        sha256_hex("secret nine")
    );
    fs::write(home.path("keys.jsonl"), json).unwrap();
    let again = import(&home, &server, &service_key, &["--file", "keys.jsonl"]).succeeded();
    assert_eq!(again, "0 keys imported, 1 already there, 0 conflicts, 0 invalid\n");
    assert!(!home.path("keys.csv.keyward-import").exists());
    server.stop();
}

/// Before anything is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_or_a_call_that_cannot_be_is_refused() {
    let home = Home::on_sqlite();
    let server = home.serve(&[]);
    let service_key = home.operator_key();
    let refused = |content: &[u8], parts: &[&str]| {
        fs::write(home.path("keys.csv"), content).unwrap();
        import(&home, &server, &service_key, &["--file", "keys.csv"]).failed(parts);
    };
    refused(b"", &["the file is empty"]);
    refused(b"business_id,external_id\n", &["the header lacks the column \"display_name\""]);
    refused(b"\xff\xfeb\0", &["keys.csv", "is UTF-16; save it as UTF-8"]);
    fs::write(home.path("keys.csv"), format!("{HEADER}\n{}\n", row("1", "x"))).unwrap();
    let stranger = import(&home, &server, "nobody", &["--file", "keys.csv"]);
    stranger.failed(&["CREDENTIAL_INVALID"]);
    assert!(!stranger.out.contains("nobody") && !stranger.err.contains("nobody"));
    let elsewhere = ["import", "--file", "keys.csv", "--server", "http://192.0.2.1:1"];
    let mut elsewhere = home.command(&elsewhere);
    let elsewhere = crate::process::Process::spawn(elsewhere.env("KEYWARD_SERVICE_KEY", "x"));
    elsewhere.ended().failed(&["--server http://192.0.2.1:1 is elsewhere", "--insecure"]);
    home.run(&["import", "--file", "keys.csv"]).failed(&["KEYWARD_SERVICE_KEY"]);
    server.stop();
}
