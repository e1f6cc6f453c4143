//! Which role may call which RPC: a literal table, no expectation of which is computed.

use keyward_server::access::Rpc;

use crate::harness::{
    Bearer, Server,
    told::{Told, refused},
};

const YES: bool = true;
const NO: bool = false;

const ROLES: [&str; 6] = [
    "keyward.verify",
    "keyward.manage",
    "keyward.operate",
    "keyward.triage",
    "keyward.import",
    "keyward.audit",
];

/// A row an RPC; a column a role, in the order of `ROLES`, with no user behind the caller.
const TABLE: [(Rpc, [bool; 6]); 25] = [
    (Rpc::Verify, [YES, NO, NO, NO, NO, NO]),
    (Rpc::BatchVerify, [YES, NO, NO, NO, NO, NO]),
    (Rpc::CreateKey, [NO, NO, YES, NO, NO, NO]),
    (Rpc::GetKey, [NO, NO, YES, YES, NO, YES]),
    (Rpc::ListKeys, [NO, NO, YES, YES, NO, YES]),
    (Rpc::UpdateKey, [NO, NO, YES, NO, NO, NO]),
    (Rpc::RotateKey, [NO, NO, YES, NO, NO, NO]),
    (Rpc::RevokeKey, [NO, NO, YES, YES, NO, NO]),
    (Rpc::SuspendKey, [NO, NO, YES, YES, NO, NO]),
    (Rpc::ResumeKey, [NO, NO, YES, NO, NO, NO]),
    (Rpc::BatchRevokeKeys, [NO, NO, YES, YES, NO, NO]),
    (Rpc::QueryUsage, [NO, NO, YES, NO, NO, YES]),
    (Rpc::ListScopes, [NO, YES, YES, YES, YES, YES]),
    (Rpc::UpdateScope, [NO, NO, YES, NO, NO, NO]),
    (Rpc::RetireScope, [NO, NO, YES, NO, NO, NO]),
    (Rpc::GetBusiness, [NO, NO, YES, YES, YES, YES]),
    (Rpc::UpdateBusiness, [NO, NO, YES, NO, NO, NO]),
    (Rpc::ListBusinesses, [NO, NO, YES, NO, NO, NO]),
    (Rpc::LookupKey, [NO, NO, YES, YES, NO, NO]),
    (Rpc::BatchImportKeys, [NO, NO, YES, NO, YES, NO]),
    (Rpc::ListAuditEvents, [NO, NO, YES, NO, NO, YES]),
    (Rpc::GrantAccess, [NO, NO, YES, NO, NO, NO]),
    (Rpc::RevokeAccess, [NO, NO, YES, NO, NO, NO]),
    (Rpc::ListAccess, [NO, NO, YES, NO, NO, NO]),
    (Rpc::ListMyBusinesses, [NO, NO, NO, NO, NO, NO]),
];

/// Each cell is called. Whatever else an empty request is refused for, it was allowed.
#[tokio::test(flavor = "multi_thread")]
async fn each_role_reaches_its_rpcs_and_no_others() {
    let server = Server::on_sqlite().await;
    let mut cells = 0;
    for (column, role) in ROLES.into_iter().enumerate() {
        let caller = server.service_key(&[role]).await;
        for (rpc, allowed) in TABLE {
            let answer = server.call(rpc.path(), Bearer::request(&caller.secret)).await;
            let told = answer.err().map(|status| Told::of(&status));
            let denied = told.is_some_and(|told| told.reason == "PERMISSION_DENIED");
            assert_eq!(!denied, allowed[column], "{role} on {rpc:?}");
            cells += 1;
        }
    }
    println!("{cells} cells: {} roles on {} RPCs", ROLES.len(), TABLE.len());
}

/// A new RPC has no expectation until it has its row.
#[test]
fn each_rpc_has_its_row() {
    assert_eq!(TABLE.map(|(rpc, _)| rpc), Rpc::ALL);
}

/// No scopes, no power; and not counting is nothing without verifying.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_a_role_may_do_nothing() {
    let server = Server::on_sqlite().await;
    for scopes in [&[][..], &["keyward.verify.skip_usage"]] {
        let caller = server.service_key(scopes).await;
        for rpc in Rpc::ALL {
            let answer = server.call(rpc.path(), Bearer::request(&caller.secret)).await;
            assert_eq!(refused(answer).reason, "PERMISSION_DENIED", "{scopes:?} on {rpc:?}");
        }
    }
}
