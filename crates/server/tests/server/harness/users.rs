//! People, and the tokens that the development issuer signs for them.

use std::sync::Arc;

use apikey::clock::Clock;
use keyward_server::callers::{
    development_issuer::{DevelopmentIssuer, Person},
    issuer::UserIssuer,
    key_cache::KeyCache,
    token::Expected,
};
use ring::rand::SecureRandom;
use serde_json::Value;

use super::Server;

/// The issuer of every token here.
pub(crate) const ISSUER: &str = keyward_server::callers::development_issuer::ISSUER;

/// What their `aud` and `typ` are.
pub(crate) const AUDIENCE: &str = "keyward";
pub(crate) const TOKEN_TYPE: &str = "keyward-user+jwt";

/// What a token says of a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UserToken<'a> {
    pub(crate) subject: &'a str,
    pub(crate) role: &'a str,
    pub(crate) business: Option<&'a str>,
}

impl<'a> UserToken<'a> {
    pub(crate) const fn admin(subject: &'a str, business: &'a str) -> Self {
        Self { subject, role: "business_admin", business: Some(business) }
    }

    pub(crate) const fn advisor(subject: &'a str) -> Self {
        Self { subject, role: "advisor", business: None }
    }
}

fn expected() -> Expected {
    DevelopmentIssuer::expected(AUDIENCE, TOKEN_TYPE)
}

/// An issuer, and whom the server asks about it.
pub(super) fn issuer(
    random: &dyn SecureRandom,
    clock: Arc<dyn Clock>,
) -> (DevelopmentIssuer, UserIssuer) {
    let issuer = DevelopmentIssuer::parse(&DevelopmentIssuer::generate(random).unwrap()).unwrap();
    let keys = Arc::new(KeyCache::fixed(issuer.keys(), Arc::clone(&clock)));
    (issuer, UserIssuer { expected: expected(), keys, clock })
}

impl Server {
    /// A token that is good now.
    pub(crate) fn user_token(&self, token: UserToken<'_>) -> String {
        let UserToken { subject, role, business } = token;
        let person = Person {
            subject: subject.to_owned(),
            role: role.to_owned(),
            business: business.map(str::to_owned),
        };
        self.users.token(&person, &expected(), self.clock.now())
    }

    /// Whatever it says, signed by the issuer.
    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
        self.users.sign(header, claims)
    }

    /// What the clock shows, in seconds since 1970.
    pub(crate) fn clock_seconds(&self) -> i64 {
        self.clock.now().as_micros() / 1_000_000
    }
}
