//! A secret shows in one field of two answers, and in no `Debug`.

use std::{collections::BTreeSet, fmt::Debug};

use keyward_proto::v1::{
    BatchImportKeysRequest, BatchVerifyRequest, CreateKeyResponse, ImportKey, LookupKeyRequest,
    RotateKeyResponse, VerifyRequest, import_key,
};
use prost::Message as _;
use prost_types::FileDescriptorSet;

const SECRET: &str = "kw_hunter2";

/// Whoever logs a message logs its name.
#[test]
fn debug_of_a_message_with_a_secret_is_its_name() {
    let secret = || SECRET.to_owned();
    let verify = VerifyRequest { presented_secret: secret(), ..VerifyRequest::default() };
    let import = ImportKey {
        secret_digest: Some(import_key::SecretDigest::Sha256Hex(secret())),
        ..ImportKey::default()
    };
    let shown: [(&dyn Debug, &str); 7] = [
        (&verify, "VerifyRequest { .. }"),
        (
            &BatchVerifyRequest { requests: vec![verify.clone()] },
            "BatchVerifyRequest { requests: [VerifyRequest { .. }] }",
        ),
        (
            &CreateKeyResponse { secret: secret(), ..CreateKeyResponse::default() },
            "CreateKeyResponse { .. }",
        ),
        (
            &RotateKeyResponse { secret: secret(), ..RotateKeyResponse::default() },
            "RotateKeyResponse { .. }",
        ),
        (&LookupKeyRequest { presented_secret: secret() }, "LookupKeyRequest { .. }"),
        (&import, "ImportKey { .. }"),
        (
            &BatchImportKeysRequest { keys: vec![import.clone()], validate_only: false },
            "BatchImportKeysRequest { keys: [ImportKey { .. }], validate_only: false }",
        ),
    ];
    for (message, expected) in shown {
        assert_eq!(format!("{message:?}"), expected);
    }
}

/// A message that comes to carry a secret or a digest needs its place above.
#[test]
fn no_other_message_carries_a_secret() {
    let files = FileDescriptorSet::decode(keyward_proto::DESCRIPTORS).unwrap().file;
    let tells = |name: &str| {
        let parts: Vec<&str> = name.split('_').collect();
        let is_about =
            ["secret", "sha256", "digest", "pepper"].iter().any(|word| parts.contains(word));
        is_about && !["obfuscated_secret", "secret_already_shown"].contains(&name)
    };
    let carriers: BTreeSet<&str> = files
        .iter()
        .flat_map(|file| &file.message_type)
        .filter(|message| message.field.iter().any(|field| tells(field.name())))
        .map(|message| message.name())
        .collect();
    let expected = [
        "CreateKeyResponse",
        "ImportKey",
        "LookupKeyRequest",
        "RotateKeyResponse",
        "VerifyRequest",
    ];
    assert_eq!(carriers, BTreeSet::from(expected));
}
