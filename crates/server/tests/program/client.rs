//! A caller of a running server, with a service key.

use std::time::Duration;

use keyward_proto::v1::{
    CreateKeyRequest, Key, Verdict, VerifyRequest, key_management_client::KeyManagementClient,
    key_verification_client::KeyVerificationClient,
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

use crate::{process::BOUND, server::Server};

/// The business of all keys that these tests make.
pub(crate) const BUSINESS: &str = "acme";

#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) channel: Channel,
    bearer: MetadataValue<Ascii>,
}

/// A key that was just made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) key_id: String,
    pub(crate) secret: String,
}

impl Client {
    /// Connects with its first call.
    pub(crate) fn new(server: &Server, service_key: &str) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
        let endpoint = endpoint.timeout(BOUND).connect_timeout(Duration::from_secs(5));
        let bearer = format!("Bearer {service_key}").parse().unwrap();
        Self { channel: endpoint.connect_lazy(), bearer }
    }

    pub(crate) fn management(&self) -> KeyManagementClient<Channel> {
        KeyManagementClient::new(self.channel.clone())
    }

    pub(crate) fn verification(&self) -> KeyVerificationClient<Channel> {
        KeyVerificationClient::new(self.channel.clone())
    }

    /// A request with the service key.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.bearer.clone());
        request
    }

    pub(crate) async fn create_key(&self) -> Result<Made, Status> {
        let key = Key { display_name: "Web shop".to_owned(), ..Key::default() };
        let create = CreateKeyRequest {
            business_id: BUSINESS.to_owned(),
            key: Some(key),
            ..CreateKeyRequest::default()
        };
        let made = self.management().create_key(self.request(create)).await?.into_inner();
        Ok(Made { key_id: made.key.unwrap().key_id, secret: made.secret })
    }

    /// The verdict on a secret, no scope asked.
    pub(crate) async fn verdict(&self, secret: &str) -> Result<Verdict, Status> {
        let verify = VerifyRequest {
            presented_secret: secret.to_owned(),
            authenticate_only: true,
            ..VerifyRequest::default()
        };
        let answer = self.verification().verify(self.request(verify)).await?.into_inner();
        Ok(answer.verdict())
    }
}
