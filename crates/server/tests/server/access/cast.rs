//! Who calls, and the businesses that they call about.

use keyward_proto::v1::{Advisor, GrantAccessRequest, RevokeAccessRequest};
use tonic::{Request, Status, service::Interceptor};

use crate::harness::{
    Bearer, Server, ServiceKey,
    keys::named,
    users::{ISSUER, UserToken},
};

/// The business in the admin's token.
pub(super) const OWN: &str = "acme";
/// One that the advisor has a live grant for.
pub(super) const CLIENT: &str = "client";
/// One that the advisor had a grant for.
pub(super) const FORMER: &str = "former";
/// One that neither has anything to do with.
pub(super) const FOREIGN: &str = "foreign";
/// The one of service keys.
pub(super) const KEYWARD: &str = "@keyward";

/// Who calls: a workload by its role, or a person through a workload that may present people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Verify,
    Manage,
    Admin,
    Advisor,
    Other,
    Operate,
    Triage,
    Import,
    Audit,
}

impl Who {
    pub(super) const ALL: [Self; 9] = [
        Self::Verify,
        Self::Manage,
        Self::Admin,
        Self::Advisor,
        Self::Other,
        Self::Operate,
        Self::Triage,
        Self::Import,
        Self::Audit,
    ];

    const fn scope(self) -> &'static str {
        match self {
            Self::Verify => "keyward.verify",
            Self::Manage | Self::Admin | Self::Advisor | Self::Other => "keyward.manage",
            Self::Operate => "keyward.operate",
            Self::Triage => "keyward.triage",
            Self::Import => "keyward.import",
            Self::Audit => "keyward.audit",
        }
    }

    const fn token(self) -> Option<UserToken<'static>> {
        match self {
            Self::Admin => Some(UserToken::admin("ada", OWN)),
            Self::Advisor => Some(UserToken::advisor("dana")),
            Self::Other => Some(UserToken { role: "viewer", ..UserToken::admin("olga", OWN) }),
            Self::Verify
            | Self::Manage
            | Self::Operate
            | Self::Triage
            | Self::Import
            | Self::Audit => None,
        }
    }
}

/// An advisor of the issuer's.
pub(super) fn advisor(subject: &str) -> Advisor {
    Advisor { issuer: ISSUER.to_owned(), subject: subject.to_owned() }
}

/// What a call carries: a service key, and perhaps a person's token.
#[derive(Clone)]
pub(super) struct Presents {
    bearer: Bearer,
    token: Option<String>,
}

impl Interceptor for Presents {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let mut request = self.bearer.call(request)?;
        if let Some(token) = &self.token {
            request.metadata_mut().insert("keyward-user-token", token.parse().unwrap());
        }
        Ok(request)
    }
}

/// A server with everybody on it.
pub(super) struct Cast {
    pub(super) server: Server,
    callers: Vec<(Who, ServiceKey)>,
}

impl Cast {
    /// Each business has a key, and an advisor beside ours, who never calls.
    pub(super) async fn on(server: Server) -> Self {
        let mut cast = Self { server, callers: Vec::new() };
        for who in Who::ALL {
            let key = cast.server.service_key(&[who.scope()]).await;
            cast.callers.push((who, key));
        }
        for business_id in [OWN, CLIENT, FORMER, FOREIGN] {
            cast.server.make_key_of(business_id, named("a key")).await;
            cast.grant(business_id, "nina").await;
        }
        cast.grant(CLIENT, "dana").await;
        cast.grant(FORMER, "dana").await;
        cast.end(FORMER, "dana").await;
        cast
    }

    /// With another workload before one of them.
    pub(super) fn with_caller(mut self, who: Who, key: &ServiceKey) -> Self {
        self.callers.retain(|(caller, _)| *caller != who);
        let ServiceKey { key_id, secret } = key;
        let key = ServiceKey { key_id: key_id.clone(), secret: secret.clone() };
        self.callers.push((who, key));
        self
    }

    fn caller(&self, who: Who) -> &ServiceKey {
        &self.callers.iter().find(|(caller, _)| *caller == who).unwrap().1
    }

    /// The service key of the workload.
    pub(super) fn caller_id(&self, who: Who) -> &str {
        &self.caller(who).key_id
    }

    pub(super) fn presents(&self, who: Who) -> Presents {
        let secret = &self.caller(who).secret;
        let token = who.token().map(|token| self.server.user_token(token));
        Presents { bearer: Bearer::new(secret), token }
    }

    pub(super) async fn grant(&self, business_id: &str, subject: &str) {
        let request = GrantAccessRequest {
            business_id: business_id.to_owned(),
            advisor: Some(advisor(subject)),
        };
        self.access(Who::Operate).grant_access(request).await.unwrap();
    }

    pub(super) async fn end(&self, business_id: &str, subject: &str) {
        let request = RevokeAccessRequest {
            business_id: business_id.to_owned(),
            advisor: Some(advisor(subject)),
            revoke_keys: false,
        };
        self.access(Who::Operate).revoke_access(request).await.unwrap();
    }
}
