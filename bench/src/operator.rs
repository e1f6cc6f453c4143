//! Fills a new store with one customer's key and one service key, over gRPC as anybody would.

use std::net::SocketAddr;

use anyhow::Context as _;
use keyward_proto::v1::{
    AssignableBy, CreateKeyRequest, Key, Scope, UpdateScopeRequest,
    key_management_client::KeyManagementClient,
};
use tonic::{Request, transport::Channel};

use crate::call;

/// The scope that the customer's key holds, and that is asked for.
pub(crate) const SCOPE: &str = "orders.read";

/// The scopes that a verifying service holds.
const SERVICE_SCOPES: &[&str] = &["keyward.verify", "keyward.verify.skip_usage"];

/// The secrets of what was made.
pub(crate) struct Secrets {
    /// A service key's that may verify, with counting and without, and nothing else.
    pub(crate) service: String,
    /// A customer's key's.
    pub(crate) customer: String,
}

/// Makes the scope and the keys with the secret of the operator key.
pub(crate) async fn make_keys(keyward: SocketAddr, operator: &str) -> anyhow::Result<Secrets> {
    let client = KeyManagementClient::new(call::connect(keyward).await?);
    let mut operator = Operator { client, authorization: format!("Bearer {operator}") };
    operator.make_scope().await.context("UpdateScope")?;
    Ok(Secrets {
        service: operator.make_key("@keyward", SERVICE_SCOPES).await.context("CreateKey")?,
        customer: operator.make_key("acme", &[SCOPE]).await.context("CreateKey")?,
    })
}

struct Operator {
    client: KeyManagementClient<Channel>,
    authorization: String,
}

impl Operator {
    async fn make_scope(&mut self) -> anyhow::Result<()> {
        let scope = Scope {
            name: SCOPE.to_owned(),
            assignable_by: AssignableBy::Users.into(),
            ..Scope::default()
        };
        let request = UpdateScopeRequest {
            scope: Some(scope),
            allow_missing: true,
            ..UpdateScopeRequest::default()
        };
        let request = self.signed(request)?;
        self.client.update_scope(request).await?;
        Ok(())
    }

    /// The secret of a new key with these scopes.
    async fn make_key(&mut self, business: &str, scopes: &[&str]) -> anyhow::Result<String> {
        let key = Key {
            display_name: "Point of sale".to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            ..Key::default()
        };
        let request = CreateKeyRequest {
            business_id: business.to_owned(),
            key: Some(key),
            ..CreateKeyRequest::default()
        };
        let request = self.signed(request)?;
        Ok(self.client.create_key(request).await?.into_inner().secret)
    }

    fn signed<T>(&self, message: T) -> anyhow::Result<Request<T>> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.parse()?);
        Ok(request)
    }
}
