//! The RPCs of KeyVerification.

use keyward_proto::v1::{
    BatchVerifyRequest, BatchVerifyResponse, VerifyRequest, VerifyResponse,
    key_verification_server::KeyVerification,
};
use tonic::{Request, Response, Status};

use super::Verification;
use crate::callers::Caller;

#[tonic::async_trait]
impl KeyVerification for Verification {
    async fn verify(
        &self,
        request: Request<VerifyRequest>,
    ) -> Result<Response<VerifyResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::verify(self, &caller, request.get_ref())?))
    }

    async fn batch_verify(
        &self,
        request: Request<BatchVerifyRequest>,
    ) -> Result<Response<BatchVerifyResponse>, Status> {
        let caller = Caller::of(&request)?;
        let responses = self.verify_batch(&caller, &request.get_ref().requests)?;
        Ok(Response::new(BatchVerifyResponse { responses }))
    }
}
