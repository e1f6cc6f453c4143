//! Callers of CreateKey, each one call after the other.

use std::time::{Duration, Instant};

use anyhow::ensure;
use keyward_proto::v1::{CreateKeyRequest, Key, key_management_client::KeyManagementClient};
use tokio::task::JoinSet;
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use super::stage::{BUSINESSES, Stage};
use crate::call;

/// So many callers, on a connection each.
pub(super) struct Callers {
    channels: Vec<Channel>,
    authorization: MetadataValue<Ascii>,
}

/// What they came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) calls: u32,
    time: Duration,
}

impl Load {
    pub(super) fn calls_per_second(self) -> f64 {
        f64::from(self.calls) / self.time.as_secs_f64()
    }
}

impl Callers {
    pub(super) async fn connect(stage: &Stage, callers: usize) -> anyhow::Result<Self> {
        let mut channels = Vec::new();
        for _ in 0..callers {
            channels.push(call::connect(stage.keyward.address).await?);
        }
        let authorization = format!("Bearer {}", stage.operator_key).parse()?;
        Ok(Self { channels, authorization })
    }

    /// Makes keys for so long. Every call must be answered with a secret.
    pub(super) async fn run(&self, length: Duration) -> anyhow::Result<Load> {
        let begin = Instant::now();
        let mut callers = JoinSet::new();
        for (channel, first) in self.channels.iter().zip(0..) {
            let authorization = self.authorization.clone();
            callers.spawn(make_keys(channel.clone(), authorization, first, begin + length));
        }
        let mut calls = 0;
        while let Some(made) = callers.join_next().await {
            calls += made??;
        }
        Ok(Load { calls, time: begin.elapsed() })
    }
}

async fn make_keys(
    channel: Channel,
    authorization: MetadataValue<Ascii>,
    first: u32,
    end: Instant,
) -> anyhow::Result<u32> {
    let mut client = KeyManagementClient::new(channel);
    let mut calls = 0_u32;
    while Instant::now() < end {
        // Spread over all businesses, callers apart: steps of a large prime.
        let business = (first * 31 + calls * 7_919) % BUSINESSES + 1;
        let mut request = Request::new(create_key(business));
        request.metadata_mut().insert("authorization", authorization.clone());
        let secret = client.create_key(request).await?.into_inner().secret;
        ensure!(!secret.is_empty(), "a CreateKey without a secret");
        calls += 1;
    }
    Ok(calls)
}

/// The one request, but for the business.
pub(super) fn create_key(business: u32) -> CreateKeyRequest {
    CreateKeyRequest {
        business_id: business.to_string(),
        key: Some(Key {
            display_name: "Point of sale".to_owned(),
            scopes: vec![crate::operator::SCOPE.to_owned()],
            ..Key::default()
        }),
        ..CreateKeyRequest::default()
    }
}
