//! The RPCs of KeyManagement and AdvisorAccess, one after the other. What each does stands in its
//! group's file.

use keyward_proto::v1::{
    advisor_access_server::AdvisorAccess, key_management_server::KeyManagement, *,
};
use tonic::{Request, Response, Status};

use super::Management;
use crate::callers::Caller;

#[tonic::async_trait]
impl KeyManagement for Management {
    async fn create_key(
        &self,
        request: Request<CreateKeyRequest>,
    ) -> Result<Response<CreateKeyResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::create_key(self, &caller, request.into_inner()).await?))
    }

    async fn get_key(
        &self,
        request: Request<GetKeyRequest>,
    ) -> Result<Response<GetKeyResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::get_key(self, &caller, request.into_inner()).await?))
    }

    async fn list_keys(
        &self,
        request: Request<ListKeysRequest>,
    ) -> Result<Response<ListKeysResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::list_keys(self, &caller, request.into_inner()).await?))
    }

    async fn update_key(
        &self,
        request: Request<UpdateKeyRequest>,
    ) -> Result<Response<UpdateKeyResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::update_key(self, &caller, request.into_inner()).await?))
    }

    async fn rotate_key(
        &self,
        request: Request<RotateKeyRequest>,
    ) -> Result<Response<RotateKeyResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::rotate_key(self, &caller, request.into_inner()).await?))
    }

    async fn revoke_key(
        &self,
        request: Request<RevokeKeyRequest>,
    ) -> Result<Response<RevokeKeyResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::revoke_key(self, &caller, request.into_inner()).await?))
    }

    async fn suspend_key(
        &self,
        request: Request<SuspendKeyRequest>,
    ) -> Result<Response<SuspendKeyResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::suspend_key(self, &caller, request.into_inner()).await?))
    }

    async fn resume_key(
        &self,
        request: Request<ResumeKeyRequest>,
    ) -> Result<Response<ResumeKeyResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::resume_key(self, &caller, request.into_inner()).await?))
    }

    async fn batch_revoke_keys(
        &self,
        request: Request<BatchRevokeKeysRequest>,
    ) -> Result<Response<BatchRevokeKeysResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::batch_revoke_keys(self, &caller, request.into_inner()).await?))
    }

    async fn query_usage(
        &self,
        request: Request<QueryUsageRequest>,
    ) -> Result<Response<QueryUsageResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::query_usage(self, &caller, request.into_inner()).await?))
    }

    async fn list_scopes(
        &self,
        request: Request<ListScopesRequest>,
    ) -> Result<Response<ListScopesResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::list_scopes(self, &caller, request.into_inner()).await?))
    }

    async fn update_scope(
        &self,
        request: Request<UpdateScopeRequest>,
    ) -> Result<Response<UpdateScopeResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::update_scope(self, &caller, request.into_inner()).await?))
    }

    async fn retire_scope(
        &self,
        request: Request<RetireScopeRequest>,
    ) -> Result<Response<RetireScopeResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::retire_scope(self, &caller, request.into_inner()).await?))
    }

    async fn get_business(
        &self,
        request: Request<GetBusinessRequest>,
    ) -> Result<Response<GetBusinessResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::get_business(self, &caller, request.into_inner()).await?))
    }

    async fn update_business(
        &self,
        request: Request<UpdateBusinessRequest>,
    ) -> Result<Response<UpdateBusinessResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::update_business(self, &caller, request.into_inner()).await?))
    }

    async fn list_businesses(
        &self,
        request: Request<ListBusinessesRequest>,
    ) -> Result<Response<ListBusinessesResponse>, Status> {
        Ok(Response::new(Self::list_businesses(self, request.into_inner()).await?))
    }

    async fn lookup_key(
        &self,
        request: Request<LookupKeyRequest>,
    ) -> Result<Response<LookupKeyResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::lookup_key(self, &caller, request.into_inner()).await?))
    }

    async fn batch_import_keys(
        &self,
        request: Request<BatchImportKeysRequest>,
    ) -> Result<Response<BatchImportKeysResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::batch_import_keys(self, &caller, request.into_inner()).await?))
    }

    async fn list_audit_events(
        &self,
        request: Request<ListAuditEventsRequest>,
    ) -> Result<Response<ListAuditEventsResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::list_audit_events(self, &caller, request.into_inner()).await?))
    }
}

#[tonic::async_trait]
impl AdvisorAccess for Management {
    async fn grant_access(
        &self,
        request: Request<GrantAccessRequest>,
    ) -> Result<Response<GrantAccessResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::grant_access(self, &caller, request.into_inner()).await?))
    }

    async fn revoke_access(
        &self,
        request: Request<RevokeAccessRequest>,
    ) -> Result<Response<RevokeAccessResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::revoke_access(self, &caller, request.into_inner()).await?))
    }

    async fn list_access(
        &self,
        request: Request<ListAccessRequest>,
    ) -> Result<Response<ListAccessResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::list_access(self, &caller, request.into_inner()).await?))
    }

    async fn list_my_businesses(
        &self,
        request: Request<ListMyBusinessesRequest>,
    ) -> Result<Response<ListMyBusinessesResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::list_my_businesses(self, &caller, request.into_inner()).await?))
    }
}
