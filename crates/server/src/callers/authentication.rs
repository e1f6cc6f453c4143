//! The layer that finds the caller of each request and asks whether it may call this RPC at all,
//! from headers and memory alone: before a body is decoded, and without a query.

use std::{
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use apikey::{
    clock::Clock,
    digest::PepperSet,
    usage::CountedVerdict,
    verdict::{RECOGNITION_DEFAULT, Requirement, Verdict, decide},
};
use futures_util::future::Either;
use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use keyward_proto::v1::ErrorReason;
use tonic::{Status, transport::server::TcpConnectInfo};
use tower::{Layer, Service};

use super::{
    Caller,
    issuer::{self, USER_TOKEN, UserIssuer},
    user::User,
};
use crate::{
    access::{Rpc, rights},
    errors::Refusal,
    peppers::MoveQueue,
    resident::{Found, Index, Roles, View},
    usage::recorder::{Decision, Recorder},
};

/// The scheme before a service key, whatever its case (RFC 7235).
const SCHEME: &[u8] = b"bearer ";
/// gRPC's own services, health and reflection, are open to all.
const OPEN: &str = "/grpc.";

/// What it takes to know a caller.
#[derive(Debug)]
pub struct Authenticator {
    /// Where service keys are found.
    pub index: Arc<Index>,
    /// What their digests are made with.
    pub peppers: Arc<PepperSet>,
    /// When they expire.
    pub clock: Arc<dyn Clock>,
    /// Where a service key's last use is noted.
    pub recorder: Arc<Recorder>,
    /// Where those go that are seen under an older pepper.
    pub moves: MoveQueue,
    /// Who vouches for users, if anybody does.
    pub users: Option<Arc<UserIssuer>>,
}

/// Makes [`Authentication`].
#[derive(Debug, Clone)]
pub struct AuthenticationLayer(pub Arc<Authenticator>);

/// See the module.
#[derive(Debug, Clone)]
pub struct Authentication<S> {
    authenticator: Arc<Authenticator>,
    inner: S,
}

impl Authenticator {
    /// The caller, if it may call the RPC at `path`; later steps may still refuse what it names.
    fn admit(&self, path: &str, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let mut caller = self.authenticate(headers)?;
        if headers.contains_key(USER_TOKEN) {
            caller.user = self.user(&caller, headers)?;
        }
        let Some(rpc) = Rpc::from_path(path) else {
            return Ok(caller);
        };
        rights::admit(rpc, &caller)?;
        Ok(caller)
    }

    fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let secret = bearer(headers)?;
        let mut counting = self.recorder.begin();
        let (caller, decision) = self.index.answer(|view| self.caller(view, secret))?;
        decision.into_iter().for_each(|decision| counting.touch(decision));
        caller.ok_or_else(|| {
            Refusal::new(ErrorReason::CredentialInvalid, "the credential is not a live service key")
        })
    }

    /// The caller, if it is one, and what was decided on which service key.
    fn caller(&self, view: &View, secret: &[u8]) -> (Option<Caller>, Option<Decision>) {
        // Before the record: what comes meanwhile is asked for again in a change.
        let admitted_at = view.applied();
        let found = view.find(&self.peppers, secret);
        let found = found.filter(|found| found.record.business.id.is_reserved());
        let Some(Found { record, outdated }) = found else { return (None, None) };
        let nothing = Requirement { required: &[], sufficient: &[], endpoint: None };
        let found = record.found();
        let now = self.clock.now();
        let verdict = decide(Some(&found), &nothing, &view.catalogue(), RECOGNITION_DEFAULT, now);
        let (key_id, roles) = (record.key_id, record.roles);
        let decision = CountedVerdict::of(&verdict);
        let decision = decision.map(|verdict| Decision { key_id, verdict, time: now });
        let caller = Caller { key_id, roles, admitted_at, peer: None, user: None };
        if verdict == Verdict::Valid {
            self.moves.offer(outdated);
        }
        ((verdict == Verdict::Valid).then_some(caller), decision)
    }

    /// The user whom the caller presents, which it needs a role for, whatever it presents.
    fn user(&self, caller: &Caller, headers: &HeaderMap) -> Result<Option<Arc<User>>, Refusal> {
        if !caller.roles.any(Roles::MANAGE) {
            return Err(Refusal::permission_denied());
        }
        let Some(token) = issuer::presented(headers)? else { return Ok(None) };
        let not_configured = || {
            Refusal::new(
                ErrorReason::UsersNotConfigured,
                "no issuer of user tokens is configured here; call without keyward-user-token, or \
                 have --user-issuer and --user-jwks set",
            )
        };
        let users = self.users.as_ref().ok_or_else(not_configured)?;
        Ok(Some(Arc::new(users.verify(token, &caller.key_id)?)))
    }
}

/// The one bearer credential of a request.
///
/// # Errors
/// When there is none, or more than one.
pub fn bearer(headers: &HeaderMap) -> Result<&[u8], Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let missing = || {
        Refusal::new(
            ErrorReason::CredentialMissing,
            "the call needs a service key: `authorization: Bearer <key>`",
        )
    };
    let value = values.next().ok_or_else(missing)?.as_bytes();
    if values.next().is_some() {
        return Err(Refusal::new(
            ErrorReason::CredentialAmbiguous,
            "the call carries more than one authorization header; send one",
        ));
    }
    match value.split_at_checked(SCHEME.len()) {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case(SCHEME) => Ok(secret.trim_ascii()),
        _ => Err(missing()),
    }
}

impl<S> Layer<S> for AuthenticationLayer {
    type Service = Authentication<S>;

    fn layer(&self, inner: S) -> Authentication<S> {
        Authentication { authenticator: Arc::clone(&self.0), inner }
    }
}

impl<S, B, R> Service<Request<B>> for Authentication<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response<R>, S::Error>>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let path = request.uri().path();
        if path.starts_with(OPEN) {
            return Either::Right(self.inner.call(request));
        }
        match self.authenticator.admit(path, request.headers()) {
            Ok(caller) => {
                let connection = request.extensions().get::<TcpConnectInfo>();
                let peer = connection.and_then(TcpConnectInfo::remote_addr);
                request.extensions_mut().insert(Caller { peer, ..caller });
                Either::Right(self.inner.call(request))
            }
            Err(refusal) => Either::Left(ready(Ok(Status::from(refusal).into_http()))),
        }
    }
}
