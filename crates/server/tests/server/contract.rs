//! What the proto files promise, held against what is served, and `docs/errors.md` against both.

use std::collections::BTreeSet;

use keyward_proto::v1::{ErrorReason, VerifyRequest};
use keyward_server::{access::Rpc, errors, not_yet::Field};
use prost::Message as _;
use prost_types::{EnumValueDescriptorProto, FileDescriptorProto, FileDescriptorSet};
use tonic::{Code, Request};

use crate::harness::{
    Bearer, Server,
    told::{Told, refused},
};

const ERRORS: &str = include_str!("../../../../docs/errors.md");

fn descriptors() -> FileDescriptorSet {
    FileDescriptorSet::decode(keyward_proto::DESCRIPTORS).unwrap()
}

/// Nothing is served that nobody decided upon, and nothing was decided that is not served.
#[test]
fn each_rpc_of_the_contract_has_its_row_in_access() {
    let files = descriptors().file;
    let in_contract: BTreeSet<String> = files
        .iter()
        .flat_map(|file| file.service.iter().map(move |service| (file.package(), service)))
        .flat_map(|(package, service)| {
            let path = move |method: &str| format!("/{package}.{}/{method}", service.name());
            service.method.iter().map(move |method| path(method.name()))
        })
        .collect();
    let in_access = Rpc::ALL.map(|rpc| rpc.path().to_owned());
    assert_eq!(in_contract, BTreeSet::from(in_access));
}

/// To whoever may call it. ListMyBusinesses is a user's.
#[tokio::test(flavor = "multi_thread")]
async fn every_rpc_answers() {
    let server = Server::on_sqlite().await;
    for rpc in Rpc::ALL {
        let answer = server.call(rpc.path(), Bearer::request(&server.operator.secret)).await;
        let told = answer.err().map(|status| Told::of(&status));
        let reason = told.as_ref().map(|told| told.reason.as_str());
        if rpc == Rpc::ListMyBusinesses {
            assert_eq!(reason, Some("PERMISSION_DENIED"));
        } else {
            assert!(matches!(reason, None | Some("INVALID_FIELDS")), "{rpc:?}: {reason:?}");
        }
    }
}

const FIELDS: [Field; 1] = [Field::VerifyMinRevision];

/// The refusal of a request in which nothing but the field is set.
async fn with_only(server: &Server, field: Field) -> Told {
    match field {
        Field::VerifyMinRevision => {
            let request = VerifyRequest { min_revision: 1, ..Default::default() };
            refused(server.verification().verify(request).await)
        }
    }
}

/// A field that has not come is refused by name, never ignored.
#[tokio::test(flavor = "multi_thread")]
async fn fields_that_have_not_come_say_so() {
    let server = Server::on_sqlite().await;
    for field in FIELDS {
        let told = with_only(&server, field).await;
        assert_eq!(told.reason, "NOT_YET_AVAILABLE", "{field:?}");
        assert_eq!(told.metadata["name"], field.name());
        assert!(told.message.contains(field.name()), "{}", told.message);
    }
}

/// Errors that the gRPC library makes have the same form as Keyward's own.
#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_library_carry_a_reason_too() {
    const GET_KEY: &str = "/keyward.v1.KeyManagement/GetKey";
    let server = Server::on_sqlite().await;
    // The first field as bytes, where a text is expected.
    let carrying = |bytes: Vec<u8>| {
        let (metadata, extensions, ()) = Bearer::request(&server.operator.secret).into_parts();
        Request::from_parts(metadata, extensions, bytes)
    };
    let garbage = refused(server.call(GET_KEY, carrying(vec![0xff])).await);
    assert_eq!(garbage.reason, "MALFORMED_MESSAGE");
    let large = refused(server.call(GET_KEY, carrying(vec![b'x'; 4 * 1024 * 1024])).await);
    assert_eq!(large.reason, "MESSAGE_TOO_LARGE");
    let mut compressed = carrying(Vec::new());
    compressed.metadata_mut().insert("grpc-encoding", "zstd".parse().unwrap());
    let compressed = refused(server.call(GET_KEY, compressed).await);
    assert_eq!(compressed.reason, "UNKNOWN_METHOD");
}

/// A code as gRPC writes it.
fn written(code: Code) -> String {
    let mut text = String::new();
    for character in format!("{code:?}").chars() {
        if character.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(character.to_ascii_uppercase());
    }
    text
}

/// Each reason and its code, in the enum's order.
fn reasons() -> Vec<(String, String)> {
    let (_, values) = reason_values();
    let reasons = values.into_iter().map(|value| ErrorReason::try_from(value.number()).unwrap());
    reasons.map(|reason| (errors::name(reason).to_owned(), written(errors::code(reason)))).collect()
}

/// The values of the enum in its file, without the unspecified one.
fn reason_values() -> (FileDescriptorProto, Vec<EnumValueDescriptorProto>) {
    let defines = |file: &FileDescriptorProto| {
        file.enum_type.first().is_some_and(|first| first.name() == "ErrorReason")
    };
    let file = descriptors().file.into_iter().find(defines).unwrap();
    let values = file.enum_type[0].value[1..].to_vec();
    (file, values)
}

/// `docs/errors.md` has a row for each reason, with its code, in the enum's order, and no other row.
#[test]
fn each_reason_is_documented_once_with_its_code() {
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let documented: Vec<(String, String)> = ERRORS
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|row| match &cells(row)[..] {
            [_, reason, code, when, what_to_do, _]
                if !when.is_empty() && !what_to_do.is_empty() =>
            {
                (reason.replace('`', ""), code.clone())
            }
            _ => panic!("four cells, all filled: {row}"),
        })
        .collect();
    assert_eq!(documented, reasons());
}

/// The comment of each reason in the proto file begins with its code.
#[test]
fn each_reason_is_commented_with_its_code() {
    let (file, values) = reason_values();
    let locations = file.source_code_info.unwrap().location;
    let comments = (1..).take(values.len()).map(|index| {
        // The file's first enum, and its value of this index.
        let of_value = locations.iter().find(|location| location.path == [5, 0, 2, index]);
        of_value.unwrap().leading_comments().to_owned()
    });
    for ((reason, code), comment) in reasons().into_iter().zip(comments) {
        assert!(comment.trim_start().starts_with(&format!("{code}. ")), "{reason}: {comment}");
    }
}
