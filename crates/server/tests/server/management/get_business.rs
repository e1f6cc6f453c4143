//! GetBusiness: a business as it stands.

use std::time::Duration;

use keyward_proto::v1::{BillingPeriod, Business, BusinessState, GetBusinessRequest, Key};
use prost_types::Timestamp;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, named},
    told::refused,
};

on_each_engine!(
    it_is_there_from_its_first_key,
    time_alone_moves_its_period_and_its_live_keys,
    what_nobody_mentioned_is_not_found,
    a_fault_is_told,
);

/// 2026-03-01, and the first of the months after it, at 00:00 UTC.
const MARCH: i64 = 1_772_323_200;
const APRIL: i64 = MARCH + 31 * 24 * 60 * 60;
const MAY: i64 = APRIL + 30 * 24 * 60 * 60;

fn period(start: i64, end: i64) -> Option<BillingPeriod> {
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    Some(BillingPeriod { start_time: at(start), end_time: at(end) })
}

async fn it_is_there_from_its_first_key(server: Server) {
    let made = server.make_key(named("a")).await;
    server.clock.advance(Duration::from_secs(1));
    server.make_key(named("b")).await;
    let expected = Business {
        business_id: ACME.to_owned(),
        billing_day: 1,
        time_zone: "UTC".to_owned(),
        key_limit: 1_000,
        state: BusinessState::Active.into(),
        live_key_count: 2,
        billing_period: period(MARCH, APRIL),
        create_time: made.key.create_time,
        update_time: made.key.create_time,
        etag: made.key.etag,
    };
    assert_eq!(server.get_business(ACME).await, expected);
}

async fn time_alone_moves_its_period_and_its_live_keys(server: Server) {
    let expire_time = Some(Timestamp { seconds: APRIL, nanos: 0 });
    server.make_key(Key { expire_time, ..named("a") }).await;
    let before = server.get_business(ACME).await;
    server.clock.advance(Duration::from_secs(31 * 24 * 60 * 60));
    let after = server.get_business(ACME).await;
    let expected = Business { live_key_count: 0, billing_period: period(APRIL, MAY), ..before };
    assert_eq!(after, expected);
}

async fn what_nobody_mentioned_is_not_found(server: Server) {
    server.make_key(named("a")).await;
    for business_id in ["other", "ACME"] {
        let request = GetBusinessRequest { business_id: business_id.to_owned() };
        let told = refused(server.management().get_business(request).await);
        assert_eq!(told.reason, "BUSINESS_NOT_FOUND");
    }
}

async fn a_fault_is_told(server: Server) {
    let request = GetBusinessRequest::default();
    refused(server.management().get_business(request).await)
        .violates(&[("business_id", "it is empty")]);
}
