//! Which role may call which RPC. A new RPC does not build into the service until it has its row.

pub mod rights;

use crate::resident::Roles;

/// Every RPC of Keyward's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named as in the proto files, which say what each does")]
pub enum Rpc {
    Verify,
    BatchVerify,
    CreateKey,
    GetKey,
    ListKeys,
    UpdateKey,
    RotateKey,
    RevokeKey,
    SuspendKey,
    ResumeKey,
    BatchRevokeKeys,
    QueryUsage,
    ListScopes,
    UpdateScope,
    RetireScope,
    GetBusiness,
    UpdateBusiness,
    ListBusinesses,
    LookupKey,
    BatchImportKeys,
    ListAuditEvents,
    GrantAccess,
    RevokeAccess,
    ListAccess,
    ListMyBusinesses,
}

/// The users to whom an RPC is open, through a caller with `keyward.manage`. What they reach by it are
/// their own businesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForUsers {
    /// To none.
    Nobody,
    /// To business admins.
    Admins,
    /// To business admins and advisors.
    AdminsAndAdvisors,
}

impl Rpc {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::Verify,
        Self::BatchVerify,
        Self::CreateKey,
        Self::GetKey,
        Self::ListKeys,
        Self::UpdateKey,
        Self::RotateKey,
        Self::RevokeKey,
        Self::SuspendKey,
        Self::ResumeKey,
        Self::BatchRevokeKeys,
        Self::QueryUsage,
        Self::ListScopes,
        Self::UpdateScope,
        Self::RetireScope,
        Self::GetBusiness,
        Self::UpdateBusiness,
        Self::ListBusinesses,
        Self::LookupKey,
        Self::BatchImportKeys,
        Self::ListAuditEvents,
        Self::GrantAccess,
        Self::RevokeAccess,
        Self::ListAccess,
        Self::ListMyBusinesses,
    ];

    /// As it stands in a request's `:path`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Verify => "/keyward.v1.KeyVerification/Verify",
            Self::BatchVerify => "/keyward.v1.KeyVerification/BatchVerify",
            Self::CreateKey => "/keyward.v1.KeyManagement/CreateKey",
            Self::GetKey => "/keyward.v1.KeyManagement/GetKey",
            Self::ListKeys => "/keyward.v1.KeyManagement/ListKeys",
            Self::UpdateKey => "/keyward.v1.KeyManagement/UpdateKey",
            Self::RotateKey => "/keyward.v1.KeyManagement/RotateKey",
            Self::RevokeKey => "/keyward.v1.KeyManagement/RevokeKey",
            Self::SuspendKey => "/keyward.v1.KeyManagement/SuspendKey",
            Self::ResumeKey => "/keyward.v1.KeyManagement/ResumeKey",
            Self::BatchRevokeKeys => "/keyward.v1.KeyManagement/BatchRevokeKeys",
            Self::QueryUsage => "/keyward.v1.KeyManagement/QueryUsage",
            Self::ListScopes => "/keyward.v1.KeyManagement/ListScopes",
            Self::UpdateScope => "/keyward.v1.KeyManagement/UpdateScope",
            Self::RetireScope => "/keyward.v1.KeyManagement/RetireScope",
            Self::GetBusiness => "/keyward.v1.KeyManagement/GetBusiness",
            Self::UpdateBusiness => "/keyward.v1.KeyManagement/UpdateBusiness",
            Self::ListBusinesses => "/keyward.v1.KeyManagement/ListBusinesses",
            Self::LookupKey => "/keyward.v1.KeyManagement/LookupKey",
            Self::BatchImportKeys => "/keyward.v1.KeyManagement/BatchImportKeys",
            Self::ListAuditEvents => "/keyward.v1.KeyManagement/ListAuditEvents",
            Self::GrantAccess => "/keyward.v1.AdvisorAccess/GrantAccess",
            Self::RevokeAccess => "/keyward.v1.AdvisorAccess/RevokeAccess",
            Self::ListAccess => "/keyward.v1.AdvisorAccess/ListAccess",
            Self::ListMyBusinesses => "/keyward.v1.AdvisorAccess/ListMyBusinesses",
        }
    }

    /// The RPC at a `:path`.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rpc| rpc.path() == path)
    }

    /// The roles of which a caller needs one, when no user stands behind it.
    #[must_use]
    pub const fn allowed(self) -> Roles {
        let platform = Roles::OPERATE;
        match self {
            Self::Verify | Self::BatchVerify => Roles::VERIFY,
            Self::CreateKey | Self::UpdateKey | Self::RotateKey | Self::ResumeKey => platform,
            Self::GetKey | Self::ListKeys => platform.and(Roles::TRIAGE).and(Roles::AUDIT),
            Self::RevokeKey | Self::SuspendKey | Self::BatchRevokeKeys => {
                platform.and(Roles::TRIAGE)
            }
            Self::QueryUsage | Self::ListAuditEvents => platform.and(Roles::AUDIT),
            Self::ListScopes => {
                platform.and(Roles::MANAGE).and(Roles::TRIAGE).and(Roles::IMPORT).and(Roles::AUDIT)
            }
            Self::UpdateScope | Self::RetireScope => platform,
            Self::GetBusiness => platform.and(Roles::TRIAGE).and(Roles::IMPORT).and(Roles::AUDIT),
            Self::UpdateBusiness | Self::ListBusinesses => platform,
            Self::LookupKey => platform.and(Roles::TRIAGE),
            Self::BatchImportKeys => platform.and(Roles::IMPORT),
            Self::GrantAccess | Self::RevokeAccess | Self::ListAccess => platform,
            // The businesses of the user, and there is none.
            Self::ListMyBusinesses => Roles::NONE,
        }
    }

    /// The users to whom it is open.
    #[must_use]
    pub const fn for_users(self) -> ForUsers {
        match self {
            Self::Verify
            | Self::BatchVerify
            | Self::UpdateScope
            | Self::RetireScope
            | Self::UpdateBusiness
            | Self::ListBusinesses
            | Self::LookupKey
            | Self::BatchImportKeys => ForUsers::Nobody,
            Self::GrantAccess | Self::RevokeAccess | Self::ListAccess => ForUsers::Admins,
            Self::CreateKey
            | Self::GetKey
            | Self::ListKeys
            | Self::UpdateKey
            | Self::RotateKey
            | Self::RevokeKey
            | Self::SuspendKey
            | Self::ResumeKey
            | Self::BatchRevokeKeys
            | Self::QueryUsage
            | Self::ListScopes
            | Self::GetBusiness
            | Self::ListAuditEvents
            | Self::ListMyBusinesses => ForUsers::AdminsAndAdvisors,
        }
    }
}
