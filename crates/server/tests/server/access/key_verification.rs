//! KeyVerification: columns as for KeyManagement.

use keyward_server::access::Rpc;

use super::{
    cast::Who,
    table::{Cell::*, Row},
};

#[rustfmt::skip]
pub(super) const ROWS: [Row; 18] = [
    (Rpc::Verify, Who::Verify, [Ok, Ok, Ok, Ok, Ok, Ok]),
    (Rpc::Verify, Who::Manage, [No, No, No, No, No, No]),
    (Rpc::Verify, Who::Admin, [No, No, No, No, No, No]),
    (Rpc::Verify, Who::Advisor, [No, No, No, No, No, No]),
    (Rpc::Verify, Who::Other, [No, No, No, No, No, No]),
    (Rpc::Verify, Who::Operate, [No, No, No, No, No, No]),
    (Rpc::Verify, Who::Triage, [No, No, No, No, No, No]),
    (Rpc::Verify, Who::Import, [No, No, No, No, No, No]),
    (Rpc::Verify, Who::Audit, [No, No, No, No, No, No]),
    (Rpc::BatchVerify, Who::Verify, [Ok, Ok, Ok, Ok, Ok, Ok]),
    (Rpc::BatchVerify, Who::Manage, [No, No, No, No, No, No]),
    (Rpc::BatchVerify, Who::Admin, [No, No, No, No, No, No]),
    (Rpc::BatchVerify, Who::Advisor, [No, No, No, No, No, No]),
    (Rpc::BatchVerify, Who::Other, [No, No, No, No, No, No]),
    (Rpc::BatchVerify, Who::Operate, [No, No, No, No, No, No]),
    (Rpc::BatchVerify, Who::Triage, [No, No, No, No, No, No]),
    (Rpc::BatchVerify, Who::Import, [No, No, No, No, No, No]),
    (Rpc::BatchVerify, Who::Audit, [No, No, No, No, No, No]),
];
