//! The keys, scopes and questions that most tests begin with.

use keyward_proto::v1::{
    AssignableBy, BillingPeriod, Business, BusinessState, CreateKeyRequest, CreateKeyResponse,
    EndpointTemplate, GetBusinessRequest, GetKeyRequest, HttpTemplate, Key, RevokeKeyRequest,
    RevokeReason, Scope, SuspendKeyRequest, UpdateBusinessRequest, UpdateScopeRequest,
    VerifyRequest, VerifyResponse, endpoint_template,
};
use prost_types::FieldMask;

use super::Server;

/// The business of most tests.
pub(crate) const ACME: &str = "acme";
/// The id of no key.
pub(crate) const NO_KEY: &str = "key_00000000000000000000000000";

/// A key and its secret.
pub(crate) struct Made {
    pub(crate) key: Key,
    pub(crate) key_id: String,
    pub(crate) secret: String,
}

/// The settings of a key of this name.
pub(crate) fn named(display_name: &str) -> Key {
    Key { display_name: display_name.to_owned(), ..Key::default() }
}

/// The billing period that tests begin in, of a business that chose none.
pub(crate) fn march() -> BillingPeriod {
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    BillingPeriod { start_time: time(1_772_323_200), end_time: time(1_775_001_600) }
}

/// The key as the history knows it, which knows nothing of its use.
pub(crate) fn without_use(key: Key) -> Key {
    Key {
        last_use_time: None,
        last_denied_use_time: None,
        request_count: 0,
        billing_period: None,
        counted_until_time: None,
        usage_incomplete: false,
        ..key
    }
}

/// Texts as fields have them.
pub(crate) fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// All of an HTTP path's methods, at a service called `shop`.
pub(crate) fn any_method(path: &str) -> EndpointTemplate {
    let http = HttpTemplate { method: "ANY".to_owned(), path: path.to_owned() };
    let kind = Some(endpoint_template::Kind::Http(http));
    EndpointTemplate { service: "shop".to_owned(), kind }
}

/// Is this secret good at all?
pub(crate) fn is_good(secret: &str) -> VerifyRequest {
    let presented_secret = secret.to_owned();
    VerifyRequest { presented_secret, authenticate_only: true, ..VerifyRequest::default() }
}

impl Server {
    pub(crate) async fn make_key(&self, key: Key) -> Made {
        self.make_key_of(ACME, key).await
    }

    pub(crate) async fn make_key_of(&self, business_id: &str, key: Key) -> Made {
        let business_id = business_id.to_owned();
        let request =
            CreateKeyRequest { business_id, key: Some(key), ..CreateKeyRequest::default() };
        let made = self.management().create_key(request).await.unwrap().into_inner();
        let CreateKeyResponse { key, secret, .. } = made;
        let key = key.unwrap();
        Made { key_id: key.key_id.clone(), key, secret }
    }

    pub(crate) async fn make_scope(&self, name: &str, endpoints: Vec<EndpointTemplate>) {
        let assignable_by = AssignableBy::Users.into();
        let scope = Scope { name: name.to_owned(), assignable_by, endpoints, ..Scope::default() };
        let request = UpdateScopeRequest {
            scope: Some(scope),
            allow_missing: true,
            ..UpdateScopeRequest::default()
        };
        self.management().update_scope(request).await.unwrap();
    }

    pub(crate) async fn get_key(&self, key_id: &str) -> Key {
        let request = GetKeyRequest { business_id: ACME.to_owned(), key_id: key_id.to_owned() };
        self.management().get_key(request).await.unwrap().into_inner().key.unwrap()
    }

    pub(crate) async fn revoke_key(&self, key_id: &str) -> Key {
        let request = RevokeKeyRequest {
            business_id: ACME.to_owned(),
            key_id: key_id.to_owned(),
            reason: RevokeReason::Unused.into(),
            reason_text: String::new(),
        };
        self.management().revoke_key(request).await.unwrap().into_inner().key.unwrap()
    }

    pub(crate) async fn suspend_key(&self, key_id: &str) -> Key {
        let request = SuspendKeyRequest { business_id: ACME.to_owned(), key_id: key_id.to_owned() };
        self.management().suspend_key(request).await.unwrap().into_inner().key.unwrap()
    }

    pub(crate) async fn get_business(&self, business_id: &str) -> Business {
        let request = GetBusinessRequest { business_id: business_id.to_owned() };
        self.management().get_business(request).await.unwrap().into_inner().business.unwrap()
    }

    /// Suspends or resumes a business.
    pub(crate) async fn set_business_state(&self, business_id: &str, state: BusinessState) {
        let business_id = business_id.to_owned();
        let business = Business { business_id, state: state.into(), ..Business::default() };
        let request = UpdateBusinessRequest {
            business: Some(business),
            update_mask: Some(FieldMask { paths: texts(["state"]) }),
            etag: String::new(),
        };
        self.management().update_business(request).await.unwrap();
    }

    pub(crate) async fn verify(&self, question: VerifyRequest) -> VerifyResponse {
        self.verification().verify(question).await.unwrap().into_inner()
    }
}
