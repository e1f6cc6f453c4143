//! What changed can no longer be taken into memory: no answer is better than one from before.

use std::time::Duration;

use keyward_proto::v1::{RevokeKeyRequest, RevokeReason, Verdict};
use tokio::time::timeout;
use tonic::Streaming;
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, is_good, named},
    told::refused,
};

on_each_engine!(
    a_row_that_cannot_be_read_closes_the_gate_until_it_can,
    a_database_that_went_back_in_time_closes_the_gate,
);

/// More than it takes until nobody may answer any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a change cannot be told from a revocation, nothing is good. Health says so; and when the row is
/// mended, all goes on, with what was done meanwhile.
async fn a_row_that_cannot_be_read_closes_the_gate_until_it_can(server: Server) {
    let (broken, other) = (server.make_key(named("a")).await, server.make_key(named("b")).await);
    let mut health = Health::watch(&server).await;
    health.says(ServingStatus::Serving).await;

    server.by_hand("update keys set display_name = '' where display_name = 'a'");
    health.says(ServingStatus::NotServing).await;
    for secret in [&broken.secret, &other.secret] {
        let told = refused(server.verification().verify(is_good(secret)).await);
        assert_eq!((told.reason.as_str(), told.retry_hint), ("NOT_SERVING", true));
    }
    let revoke = RevokeKeyRequest {
        business_id: ACME.to_owned(),
        key_id: other.key_id.clone(),
        reason: RevokeReason::Unused.into(),
        reason_text: String::new(),
    };
    let told = refused(server.management().revoke_key(revoke).await);
    assert_eq!(told.reason, "NOT_SERVING");

    server.by_hand("update keys set suspended_by = 2 where display_name = 'b'");
    server.by_hand("update keys set display_name = 'c' where display_name = ''");
    health.says(ServingStatus::Serving).await;
    let answer = server.verify(is_good(&broken.secret)).await;
    assert_eq!((answer.verdict(), answer.display_name.as_str()), (Verdict::Valid, "c"));
    assert_eq!(server.verify(is_good(&other.secret)).await.verdict(), Verdict::Suspended);
}

/// Restored, or failed over with a loss: what is in memory is then nothing that anybody else knows.
async fn a_database_that_went_back_in_time_closes_the_gate(server: Server) {
    let made = server.make_key(named("a")).await;
    let mut health = Health::watch(&server).await;
    health.says(ServingStatus::Serving).await;
    server.by_hand("update change_counter set rev = rev - 1");
    health.says(ServingStatus::NotServing).await;
    let told = refused(server.verification().verify(is_good(&made.secret)).await);
    assert_eq!(told.reason, "NOT_SERVING");
}

/// What a load balancer hears of health as a whole.
struct Health(Streaming<HealthCheckResponse>);

impl Health {
    async fn watch(server: &Server) -> Self {
        let request = HealthCheckRequest { service: String::new() };
        let watch = HealthClient::new(server.channel.clone()).watch(request).await;
        Self(watch.unwrap().into_inner())
    }

    /// Waits until it says so.
    async fn says(&mut self, status: ServingStatus) {
        let told = async { while self.0.message().await.unwrap().unwrap().status() != status {} };
        timeout(PATIENCE, told).await.unwrap();
    }
}
