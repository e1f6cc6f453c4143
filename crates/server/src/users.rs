//! Who vouches for users, by the configuration: an issuer of the platform's, or on the embedded store, as
//! long as nobody else can reach it, the development issuer.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use apikey::clock::Clock;
use ring::rand::SecureRandom;

use crate::{
    callers::{
        development_issuer::DevelopmentIssuer, issuer::UserIssuer, key_cache::KeyCache,
        key_source::KeySource, token::Expected,
    },
    config::{Config, KeyPlace},
    data_dir,
};

/// The issuer; `None`: nobody vouches for users, and a user token is refused.
pub(crate) fn issuer(
    config: &Config,
    clock: &Arc<dyn Clock>,
    random: &dyn SecureRandom,
) -> anyhow::Result<Option<UserIssuer>> {
    let issuer = |expected, keys| {
        Some(UserIssuer { expected, keys: Arc::new(keys), clock: Arc::clone(clock) })
    };
    let (audience, token_type) = (&config.user_audience, &config.user_token_type);
    if let (Some(name), Some(place)) = (&config.user_issuer, &config.user_jwks) {
        let source = match place {
            KeyPlace::File(file) => KeySource::File(file.clone()),
            KeyPlace::Url(url) => {
                KeySource::url(url.clone()).context("no certificates to trust --user-jwks by")?
            }
        };
        let expected = Expected {
            issuer: name.clone(),
            audience: audience.clone(),
            token_type: token_type.clone(),
            any_caller: false,
        };
        return Ok(issuer(expected, KeyCache::fetched(source, Arc::clone(clock))));
    }
    if config.database_url.is_none() && config.listen.ip().is_loopback() {
        let development = data_dir::development_issuer(&config.data_dir, random)?;
        let expected = DevelopmentIssuer::expected(audience, token_type);
        return Ok(issuer(expected, KeyCache::fixed(development.keys(), Arc::clone(clock))));
    }
    let file = data_dir::development_issuer_file(&config.data_dir);
    if file.exists() {
        bail!(
            "{} would let whoever can read it be any user, and this server is not for trying things \
             out alone: name the issuer of your users (--user-issuer, --user-jwks), or delete the file",
            file.display()
        );
    }
    Ok(None)
}
