//! A request for each RPC about a business, in which nothing is wrong but, perhaps, who makes it.

use keyward_proto::v1::{
    BatchImportKeysRequest, BatchRevokeKeysRequest, BatchVerifyRequest, Business, CreateKeyRequest,
    GetBusinessRequest, GetKeyRequest, GrantAccessRequest, ImportKey, Key, KeyFilter,
    ListAccessRequest, ListAuditEventsRequest, ListBusinessesRequest, ListKeysRequest,
    ListMyBusinessesRequest, ListScopesRequest, LookupKeyRequest, QueryUsageRequest,
    ResumeKeyRequest, RetireScopeRequest, RevokeAccessRequest, RevokeKeyRequest, RevokeReason,
    RotateKeyRequest, Scope, SuspendKeyRequest, UpdateBusinessRequest, UpdateKeyRequest,
    UpdateScopeRequest, UsageGranularity, VerifyRequest,
    advisor_access_client::AdvisorAccessClient, batch_revoke_keys_request::Target,
    import_key::SecretDigest, key_management_client::KeyManagementClient,
    key_verification_client::KeyVerificationClient,
};
use keyward_server::access::Rpc;
use prost_types::FieldMask;
use tonic::{Status, service::interceptor::InterceptedService, transport::Channel};

use super::cast::{Cast, Presents, Who, advisor};
use crate::harness::keys::{is_good, named, texts};

type As = InterceptedService<Channel, Presents>;

impl Cast {
    pub(super) fn keys(&self, who: Who) -> KeyManagementClient<As> {
        let channel = self.server.channel.clone();
        KeyManagementClient::with_interceptor(channel, self.presents(who))
    }

    pub(super) fn access(&self, who: Who) -> AdvisorAccessClient<As> {
        let channel = self.server.channel.clone();
        AdvisorAccessClient::with_interceptor(channel, self.presents(who))
    }

    pub(super) fn verification(&self, who: Who) -> KeyVerificationClient<As> {
        let channel = self.server.channel.clone();
        KeyVerificationClient::with_interceptor(channel, self.presents(who))
    }

    /// Calls an RPC about a business and a key of it.
    #[expect(clippy::too_many_lines, reason = "an arm an RPC")]
    pub(super) async fn ask(
        &self,
        rpc: Rpc,
        who: Who,
        business_id: &str,
        key_id: &str,
    ) -> Result<(), Status> {
        let (mut keys, mut access) = (self.keys(who), self.access(who));
        let business_id = business_id.to_owned();
        let key_id = key_id.to_owned();
        match rpc {
            Rpc::Verify => {
                let question = VerifyRequest { business_id, ..is_good("unknown") };
                self.verification(who).verify(question).await.map(drop)
            }
            Rpc::BatchVerify => {
                let question = VerifyRequest { business_id, ..is_good("unknown") };
                let request = BatchVerifyRequest { requests: vec![question] };
                self.verification(who).batch_verify(request).await.map(drop)
            }
            Rpc::CreateKey => {
                let key = Some(named("made"));
                let request = CreateKeyRequest { business_id, key, ..Default::default() };
                keys.create_key(request).await.map(drop)
            }
            Rpc::GetKey => keys.get_key(GetKeyRequest { business_id, key_id }).await.map(drop),
            Rpc::ListKeys => {
                let request =
                    ListKeysRequest { business_ids: vec![business_id], ..Default::default() };
                keys.list_keys(request).await.map(drop)
            }
            Rpc::UpdateKey => {
                let request = UpdateKeyRequest {
                    business_id,
                    key: Some(Key { key_id, ..named("renamed") }),
                    update_mask: Some(FieldMask { paths: texts(["display_name"]) }),
                    etag: String::new(),
                };
                keys.update_key(request).await.map(drop)
            }
            Rpc::RotateKey => {
                let request = RotateKeyRequest { business_id, key_id, ..Default::default() };
                keys.rotate_key(request).await.map(drop)
            }
            Rpc::RevokeKey => {
                let reason = RevokeReason::Unused.into();
                let request =
                    RevokeKeyRequest { business_id, key_id, reason, reason_text: String::new() };
                keys.revoke_key(request).await.map(drop)
            }
            Rpc::SuspendKey => {
                keys.suspend_key(SuspendKeyRequest { business_id, key_id }).await.map(drop)
            }
            Rpc::ResumeKey => {
                keys.resume_key(ResumeKeyRequest { business_id, key_id }).await.map(drop)
            }
            Rpc::BatchRevokeKeys => {
                let filter =
                    KeyFilter { display_name_part: "none".to_owned(), ..Default::default() };
                let request = BatchRevokeKeysRequest {
                    business_ids: vec![business_id],
                    target: Some(Target::Filter(filter)),
                    reason: RevokeReason::Unused.into(),
                    ..Default::default()
                };
                keys.batch_revoke_keys(request).await.map(drop)
            }
            Rpc::QueryUsage => {
                let request = QueryUsageRequest {
                    business_id,
                    start_time: Some(self.server.time_in(0)),
                    end_time: Some(self.server.time_in(86_400)),
                    granularity: UsageGranularity::Day.into(),
                    ..Default::default()
                };
                keys.query_usage(request).await.map(drop)
            }
            Rpc::ListScopes => keys.list_scopes(ListScopesRequest::default()).await.map(drop),
            Rpc::UpdateScope => {
                let scope = Scope {
                    name: "orders.read".to_owned(),
                    assignable_by: keyward_proto::v1::AssignableBy::Users.into(),
                    ..Default::default()
                };
                let request = UpdateScopeRequest {
                    scope: Some(scope),
                    allow_missing: true,
                    ..Default::default()
                };
                keys.update_scope(request).await.map(drop)
            }
            Rpc::RetireScope => {
                let name = "orders.old".to_owned();
                keys.retire_scope(RetireScopeRequest { name, ..Default::default() }).await.map(drop)
            }
            Rpc::GetBusiness => {
                keys.get_business(GetBusinessRequest { business_id }).await.map(drop)
            }
            Rpc::UpdateBusiness => {
                let request = UpdateBusinessRequest {
                    business: Some(Business { business_id, key_limit: 99, ..Default::default() }),
                    update_mask: Some(FieldMask { paths: texts(["key_limit"]) }),
                    etag: String::new(),
                };
                keys.update_business(request).await.map(drop)
            }
            Rpc::ListBusinesses => {
                keys.list_businesses(ListBusinessesRequest::default()).await.map(drop)
            }
            Rpc::LookupKey => {
                let presented_secret = "unknown".to_owned();
                keys.lookup_key(LookupKeyRequest { presented_secret }).await.map(drop)
            }
            Rpc::BatchImportKeys => {
                let key = ImportKey {
                    business_id,
                    external_id: "1".to_owned(),
                    key: Some(named("imported")),
                    secret_digest: Some(SecretDigest::Sha256(vec![1; 32])),
                };
                let request = BatchImportKeysRequest { keys: vec![key], validate_only: true };
                keys.batch_import_keys(request).await.map(drop)
            }
            Rpc::ListAuditEvents => {
                let request = ListAuditEventsRequest { business_id, ..Default::default() };
                keys.list_audit_events(request).await.map(drop)
            }
            Rpc::GrantAccess => {
                let advisor = Some(advisor("nina"));
                access.grant_access(GrantAccessRequest { business_id, advisor }).await.map(drop)
            }
            Rpc::RevokeAccess => {
                let (advisor, revoke_keys) = (Some(advisor("nina")), false);
                let request = RevokeAccessRequest { business_id, advisor, revoke_keys };
                access.revoke_access(request).await.map(drop)
            }
            Rpc::ListAccess => {
                let request = ListAccessRequest { business_id, ..Default::default() };
                access.list_access(request).await.map(drop)
            }
            Rpc::ListMyBusinesses => {
                access.list_my_businesses(ListMyBusinessesRequest::default()).await.map(drop)
            }
        }
    }
}
