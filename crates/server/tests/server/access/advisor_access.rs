//! AdvisorAccess: columns as for KeyManagement.

use keyward_server::access::Rpc;

use super::{
    cast::Who,
    table::{Cell::*, Row},
};

#[rustfmt::skip]
pub(super) const ROWS: [Row; 36] = [
    (Rpc::GrantAccess, Who::Verify, [No, No, No, No, No, No]),
    (Rpc::GrantAccess, Who::Manage, [No, No, No, No, No, No]),
    (Rpc::GrantAccess, Who::Admin, [Ok, No, No, No, No, No]),
    (Rpc::GrantAccess, Who::Advisor, [No, No, No, No, No, No]),
    (Rpc::GrantAccess, Who::Other, [No, No, No, No, No, No]),
    (Rpc::GrantAccess, Who::Operate, [Ok, Ok, Ok, Ok, Ok, Bad]),
    (Rpc::GrantAccess, Who::Triage, [No, No, No, No, No, No]),
    (Rpc::GrantAccess, Who::Import, [No, No, No, No, No, No]),
    (Rpc::GrantAccess, Who::Audit, [No, No, No, No, No, No]),
    (Rpc::RevokeAccess, Who::Verify, [No, No, No, No, No, No]),
    (Rpc::RevokeAccess, Who::Manage, [No, No, No, No, No, No]),
    (Rpc::RevokeAccess, Who::Admin, [Ok, No, No, No, No, No]),
    (Rpc::RevokeAccess, Who::Advisor, [No, No, No, No, No, No]),
    (Rpc::RevokeAccess, Who::Other, [No, No, No, No, No, No]),
    (Rpc::RevokeAccess, Who::Operate, [Ok, Ok, Ok, Ok, NoGrant, Bad]),
    (Rpc::RevokeAccess, Who::Triage, [No, No, No, No, No, No]),
    (Rpc::RevokeAccess, Who::Import, [No, No, No, No, No, No]),
    (Rpc::RevokeAccess, Who::Audit, [No, No, No, No, No, No]),
    (Rpc::ListAccess, Who::Verify, [No, No, No, No, No, No]),
    (Rpc::ListAccess, Who::Manage, [No, No, No, No, No, No]),
    (Rpc::ListAccess, Who::Admin, [Ok, No, No, No, No, No]),
    (Rpc::ListAccess, Who::Advisor, [No, No, No, No, No, No]),
    (Rpc::ListAccess, Who::Other, [No, No, No, No, No, No]),
    (Rpc::ListAccess, Who::Operate, [Ok, Ok, Ok, Ok, Ok, Bad]),
    (Rpc::ListAccess, Who::Triage, [No, No, No, No, No, No]),
    (Rpc::ListAccess, Who::Import, [No, No, No, No, No, No]),
    (Rpc::ListAccess, Who::Audit, [No, No, No, No, No, No]),
    (Rpc::ListMyBusinesses, Who::Verify, [No, No, No, No, No, No]),
    (Rpc::ListMyBusinesses, Who::Manage, [No, No, No, No, No, No]),
    (Rpc::ListMyBusinesses, Who::Admin, [Ok, Ok, Ok, Ok, Ok, Ok]),
    (Rpc::ListMyBusinesses, Who::Advisor, [Ok, Ok, Ok, Ok, Ok, Ok]),
    (Rpc::ListMyBusinesses, Who::Other, [No, No, No, No, No, No]),
    (Rpc::ListMyBusinesses, Who::Operate, [No, No, No, No, No, No]),
    (Rpc::ListMyBusinesses, Who::Triage, [No, No, No, No, No, No]),
    (Rpc::ListMyBusinesses, Who::Import, [No, No, No, No, No, No]),
    (Rpc::ListMyBusinesses, Who::Audit, [No, No, No, No, No, No]),
];
