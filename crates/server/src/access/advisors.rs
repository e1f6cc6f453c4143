//! AdvisorAccess: in the contract, and not yet of this build.

use keyward_proto::v1::{
    GrantAccessRequest, GrantAccessResponse, ListAccessRequest, ListAccessResponse,
    ListMyBusinessesRequest, ListMyBusinessesResponse, RevokeAccessRequest, RevokeAccessResponse,
    advisor_access_server::AdvisorAccess,
};
use tonic::{Request, Response, Status};

use super::Rpc;
use crate::not_yet;

/// AdvisorAccess.
#[derive(Debug, Clone, Copy)]
pub struct Advisors;

#[tonic::async_trait]
impl AdvisorAccess for Advisors {
    async fn grant_access(
        &self,
        _: Request<GrantAccessRequest>,
    ) -> Result<Response<GrantAccessResponse>, Status> {
        Err(not_yet::rpc(Rpc::GrantAccess).into())
    }

    async fn revoke_access(
        &self,
        _: Request<RevokeAccessRequest>,
    ) -> Result<Response<RevokeAccessResponse>, Status> {
        Err(not_yet::rpc(Rpc::RevokeAccess).into())
    }

    async fn list_access(
        &self,
        _: Request<ListAccessRequest>,
    ) -> Result<Response<ListAccessResponse>, Status> {
        Err(not_yet::rpc(Rpc::ListAccess).into())
    }

    async fn list_my_businesses(
        &self,
        _: Request<ListMyBusinessesRequest>,
    ) -> Result<Response<ListMyBusinessesResponse>, Status> {
        Err(not_yet::rpc(Rpc::ListMyBusinesses).into())
    }
}
