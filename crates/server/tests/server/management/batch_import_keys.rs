//! BatchImportKeys: keys of another system verify here, each is taken over once, and what is wrong with
//! one harms no other.

use std::time::Duration;

use keyward_proto::v1::{
    BatchImportKeysRequest, BatchImportKeysResponse, ImportKey, ImportKeyResult, ImportOutcome,
    Key, KeyState, RevokeReason, RotateKeyRequest, SuspendedBy, Verdict, import_key::SecretDigest,
};
use ring::digest::{SHA256, digest};

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, is_good, named, texts, without_use},
    told::refused,
};

on_each_engine!(
    a_secret_of_another_system_verifies_when_the_call_returns,
    every_state_is_taken_over,
    the_same_again_is_the_same_key_and_another_a_conflict,
    a_secret_that_ended_here_never_comes_back,
    what_is_wrong_with_one_is_told_of_that_one,
    a_look_beforehand_changes_nothing,
    a_batch_has_its_bounds,
);

fn sha256(secret: &str) -> SecretDigest {
    SecretDigest::Sha256(digest(&SHA256, secret.as_bytes()).as_ref().to_vec())
}

/// A key whose secret in the other system was `old-<id>`.
fn old(id: &str) -> ImportKey {
    ImportKey {
        business_id: ACME.to_owned(),
        external_id: id.to_owned(),
        key: Some(named(id)),
        secret_digest: Some(sha256(&format!("old-{id}"))),
    }
}

fn with(id: &str, key: Key) -> ImportKey {
    ImportKey { key: Some(Key { display_name: id.to_owned(), ..key }), ..old(id) }
}

async fn import(server: &Server, keys: Vec<ImportKey>) -> BatchImportKeysResponse {
    let request = BatchImportKeysRequest { keys, validate_only: false };
    server.management().batch_import_keys(request).await.unwrap().into_inner()
}

fn outcomes(answer: &BatchImportKeysResponse) -> Vec<ImportOutcome> {
    answer.results.iter().map(ImportKeyResult::outcome).collect()
}

/// All of the answer and of the key; by a caller that may do nothing else.
async fn a_secret_of_another_system_verifies_when_the_call_returns(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    let importer = server.service_key(&["keyward.import"]).await;
    let create_time = Some(server.time_in(0));
    server.clock.advance(Duration::from_secs(60));
    let key = Key {
        display_name: "Shop".to_owned(),
        description: "the old one".to_owned(),
        scopes: texts(["orders.read"]),
        annotations: [("tier".to_owned(), "gold".to_owned())].into(),
        create_time,
        last_use_time: create_time,
        obfuscated_secret: "old…7".to_owned(),
        ..Key::default()
    };
    let request = BatchImportKeysRequest {
        keys: vec![ImportKey { key: Some(key.clone()), ..old("7") }],
        validate_only: false,
    };
    let mut client = server.management_as(&importer.secret);
    let answer = client.batch_import_keys(request).await.unwrap().into_inner();
    assert_eq!(
        (outcomes(&answer), answer.receipt),
        (vec![ImportOutcome::Imported], server.receipt().await)
    );
    let key_id = answer.results[0].key_id.clone();
    assert_eq!(answer.results[0].detail, "");

    let verdict = server.verify(is_good("old-7")).await;
    assert_eq!((verdict.verdict(), &verdict.key_id), (Verdict::Valid, &key_id));
    assert_eq!(verdict.annotations["tier"], "gold");
    let found = server.get_key(&key_id).await;
    let expected = Key {
        key_id,
        business_id: ACME.to_owned(),
        state: KeyState::Active.into(),
        creator: found.creator.clone(),
        update_time: Some(server.time_in(0)),
        etag: format!("\"{}\"", answer.receipt.unwrap().revision),
        external_id: "7".to_owned(),
        ..key
    };
    assert_eq!(found.creator.as_ref().unwrap().caller, importer.key_id);
    assert_eq!(found.last_use_time, create_time);
    assert_eq!(without_use(found), without_use(expected));
}

async fn every_state_is_taken_over(server: Server) {
    let past = Some(server.time_in(0));
    server.clock.advance(Duration::from_secs(60));
    let in_state = |state: KeyState| Key { state: state.into(), ..Key::default() };
    let expired = Key { expire_time: past, ..Key::default() };
    let revoked = Key {
        revoke_time: past,
        revoke_reason: RevokeReason::Unused.into(),
        ..in_state(KeyState::Revoked)
    };
    let keys = vec![
        with("active", in_state(KeyState::Active)),
        with("suspended", in_state(KeyState::Suspended)),
        with("expired", Key { state: KeyState::Expired.into(), ..expired.clone() }),
        with("expired too", expired),
        with("revoked", revoked),
        with("revoked too", in_state(KeyState::Revoked)),
    ];
    let answer = import(&server, keys).await;
    assert_eq!(outcomes(&answer), vec![ImportOutcome::Imported; 6]);
    let verdicts = [
        ("active", Verdict::Valid),
        ("suspended", Verdict::Suspended),
        ("expired", Verdict::Expired),
        ("expired too", Verdict::Expired),
        ("revoked", Verdict::Revoked),
        ("revoked too", Verdict::Revoked),
    ];
    for (id, verdict) in verdicts {
        assert_eq!(server.verify(is_good(&format!("old-{id}"))).await.verdict(), verdict, "{id}");
    }
    let key = async |i: usize| server.get_key(&answer.results[i].key_id).await;
    assert_eq!(key(1).await.suspended_by(), SuspendedBy::Platform);
    let revoked = key(4).await;
    assert_eq!((revoked.revoke_time, revoked.revoke_reason()), (past, RevokeReason::Unused));
    let revoked = key(5).await;
    assert_eq!(revoked.revoke_time, Some(server.time_in(0)));
    assert_eq!(revoked.revoke_reason_text, "revoked before it was imported");
}

/// Also when the key was rotated here; nothing is overwritten.
async fn the_same_again_is_the_same_key_and_another_a_conflict(server: Server) {
    let first = import(&server, vec![old("1"), old("2")]).await;
    let key_id = first.results[0].key_id.clone();
    let rotate = RotateKeyRequest {
        business_id: ACME.to_owned(),
        key_id: key_id.clone(),
        ..RotateKeyRequest::default()
    };
    server.management().rotate_key(rotate).await.unwrap();
    let renamed = ImportKey { key: Some(named("another name")), ..old("1") };
    let other_secret = ImportKey { secret_digest: Some(sha256("other")), ..old("1") };
    let taken = ImportKey { secret_digest: Some(sha256("old-2")), ..old("3") };
    let again = import(&server, vec![old("1"), renamed, other_secret, taken]).await;
    use ImportOutcome::{AlreadyImported, Conflict};
    assert_eq!(outcomes(&again), [AlreadyImported, Conflict, Conflict, Conflict]);
    let details: Vec<&str> = again.results.iter().map(|result| result.detail.as_str()).collect();
    assert_eq!(again.results[0].key_id, key_id);
    assert!(details[1].ends_with("differs in display_name; nothing was changed"), "{details:?}");
    assert!(details[2].ends_with("differs in sha256; nothing was changed"), "{details:?}");
    assert!(details[3].contains(&first.results[1].key_id), "{details:?}");
    assert_eq!(server.get_key(&key_id).await.display_name, "1");
}

async fn a_secret_that_ended_here_never_comes_back(server: Server) {
    let made = server.make_key(named("a")).await;
    server.revoke_key(&made.key_id).await;
    server.clock.advance(Duration::from_secs(400 * 24 * 60 * 60));
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::NotFound);
    let back = ImportKey { secret_digest: Some(sha256(&made.secret)), ..old("1") };
    assert_eq!(outcomes(&import(&server, vec![back]).await), [ImportOutcome::Conflict]);
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::NotFound);
}

/// In its place among the results; the rest is taken over.
async fn what_is_wrong_with_one_is_told_of_that_one(server: Server) {
    let hex = |digits: &str| Some(SecretDigest::Sha256Hex(digits.to_owned()));
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let future = Some(server.time_in(1));
    let cases = [
        (ImportKey::default(), "business_id: it is empty"),
        (ImportKey { business_id: "@keyward".to_owned(), ..old("1") }, "business_id: service keys"),
        (ImportKey { external_id: String::new(), ..old("1") }, "external_id: it is empty"),
        (ImportKey { secret_digest: None, ..old("1") }, "sha256: one of sha256 and sha256_hex"),
        (ImportKey { secret_digest: hex("abc"), ..old("1") }, "sha256_hex: must be 64"),
        (ImportKey { secret_digest: hex(empty), ..old("1") }, "sha256: is the SHA-256 of nothing"),
        (ImportKey { key: None, ..old("1") }, "key.display_name: it is empty"),
        (
            with("1", Key { scopes: texts(["unknown"]), ..Key::default() }),
            "key.scopes: unknown is not",
        ),
        (
            with("1", Key { scopes: texts(["keyward.verify"]), ..Key::default() }),
            "key.scopes: keyward.verify: keyward.* scopes are",
        ),
        (with("1", Key { create_time: future, ..Key::default() }), "key.create_time: must not be"),
        (with("1", Key { state: 99, ..Key::default() }), "key.state: must be ACTIVE"),
        (
            with("1", Key { state: KeyState::Expired.into(), ..Key::default() }),
            "key.state: EXPIRED goes with an expire_time in the past",
        ),
        (
            with("1", Key { obfuscated_secret: "old-1".to_owned(), ..Key::default() }),
            "key.obfuscated_secret: is the secret itself",
        ),
    ];
    let mut keys: Vec<ImportKey> = cases.iter().map(|(key, _)| key.clone()).collect();
    keys.insert(3, old("good"));
    let answer = import(&server, keys).await;
    let good = answer.results[3].clone();
    assert_eq!(good.outcome(), ImportOutcome::Imported);
    let others = answer.results.iter().enumerate().filter(|(i, _)| *i != 3);
    for ((_, result), (_, begins)) in others.zip(&cases) {
        assert_eq!(result.outcome(), ImportOutcome::Invalid, "{result:?}");
        assert!(result.detail.starts_with(begins), "{} / {begins}", result.detail);
        assert_eq!(result.key_id, "");
    }
    assert_eq!(server.verify(is_good("old-good")).await.verdict(), Verdict::Valid);
}

async fn a_look_beforehand_changes_nothing(server: Server) {
    import(&server, vec![old("1")]).await;
    let before = server.store.revision().await.unwrap();
    let keys = vec![old("1"), old("2"), ImportKey::default()];
    let request = BatchImportKeysRequest { keys, validate_only: true };
    let look = server.management().batch_import_keys(request).await.unwrap().into_inner();
    use ImportOutcome::{AlreadyImported, Imported, Invalid};
    assert_eq!((outcomes(&look), look.receipt), (vec![AlreadyImported, Imported, Invalid], None));
    assert_eq!(server.store.revision().await.unwrap(), before);
    assert_eq!(server.verify(is_good("old-2")).await.verdict(), Verdict::NotFound);
}

async fn a_batch_has_its_bounds(server: Server) {
    for count in [0, 1_001] {
        let request = BatchImportKeysRequest { keys: vec![old("1"); count], validate_only: true };
        refused(server.management().batch_import_keys(request).await)
            .violates(&[("keys", "must be 1 to 1000 keys")]);
    }
    let many =
        (0..1_000).map(|i| ImportKey { business_id: format!("b{i}"), ..old(&i.to_string()) });
    let answer = import(&server, many.collect()).await;
    assert_eq!(outcomes(&answer), vec![ImportOutcome::Imported; 1_000]);
    assert_eq!(server.verify(is_good("old-999")).await.verdict(), Verdict::Valid);
}
