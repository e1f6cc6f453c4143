//! UpdateBusiness: what the mask names changes, and nothing else.

use std::time::Duration;

use keyward_proto::v1::{
    BillingPeriod, Business, BusinessState, CreateKeyRequest, UpdateBusinessRequest, Verdict,
};
use prost_types::FieldMask;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, is_good, named, texts},
    told::refused,
};

on_each_engine!(
    each_setting_changes_alone_if_the_mask_names_it,
    the_period_that_runs_runs_to_its_end,
    a_business_exists_from_this_mention,
    a_suspension_is_in_effect_when_the_call_returns,
    a_new_limit_holds_at_once,
    the_same_again_moves_neither_etag_nor_update_time,
    a_stale_etag_changes_nothing,
    an_etag_makes_no_business,
    everything_wrong_is_told_at_once,
    each_fault_alone_is_told,
);

/// The update of `acme` to these values, as far as the mask names them.
fn request<const N: usize>(values: Business, paths: [&str; N]) -> UpdateBusinessRequest {
    UpdateBusinessRequest {
        business: Some(Business { business_id: ACME.to_owned(), ..values }),
        update_mask: Some(FieldMask { paths: texts(paths) }),
        etag: String::new(),
    }
}

/// Other values for each setting.
fn after() -> Business {
    Business {
        billing_day: 31,
        time_zone: "europe/zurich".to_owned(),
        key_limit: 7,
        state: BusinessState::Suspended.into(),
        ..Business::default()
    }
}

/// Output-only values of the request are not even looked at.
async fn each_setting_changes_alone_if_the_mask_names_it(server: Server) {
    server.make_key(named("a")).await;
    let mut expected = server.get_business(ACME).await;
    for path in ["billing_day", "time_zone", "key_limit", "state"] {
        server.clock.advance(Duration::from_secs(1));
        let sly = Business { live_key_count: 99, etag: "\"99\"".to_owned(), ..after() };
        let answer = server.management().update_business(request(sly, [path])).await;
        let answer = answer.unwrap().into_inner();
        match path {
            "billing_day" => expected.billing_day = 31,
            // Case is set right.
            "time_zone" => expected.time_zone = "Europe/Zurich".to_owned(),
            "key_limit" => expected.key_limit = 7,
            _ => expected.set_state(BusinessState::Suspended),
        }
        expected.update_time = Some(server.time_in(0));
        expected.etag = format!("\"{}\"", answer.receipt.unwrap().revision);
        assert_eq!(answer.business.as_ref(), Some(&expected), "{path}");
        assert_eq!(answer.receipt, server.receipt().await);
        assert_eq!(server.get_business(ACME).await, expected);
    }
}

/// Then the rest of it until the new day is a period too.
async fn the_period_that_runs_runs_to_its_end(server: Server) {
    const DAY: i64 = 24 * 60 * 60;
    server.make_key(named("a")).await;
    let before = server.get_business(ACME).await.billing_period.unwrap();
    let to_day = Business { billing_day: 10, ..Business::default() };
    let answer = server.management().update_business(request(to_day, ["billing_day"])).await;
    let business = answer.unwrap().into_inner().business.unwrap();
    assert_eq!((business.billing_day, business.billing_period), (10, Some(before)));

    server.clock.advance(Duration::from_secs(31 * 24 * 60 * 60));
    let start_time = before.end_time;
    let end_time = start_time
        .map(|start| prost_types::Timestamp { seconds: start.seconds + 9 * DAY, ..start });
    let period = server.get_business(ACME).await.billing_period;
    assert_eq!(period, Some(BillingPeriod { start_time, end_time }));
}

async fn a_business_exists_from_this_mention(server: Server) {
    let answer = server.management().update_business(request(after(), ["key_limit"])).await;
    let business = answer.unwrap().into_inner().business.unwrap();
    assert_eq!((business.key_limit, business.billing_day), (7, 1));
    assert_eq!((business.time_zone.as_str(), business.state()), ("UTC", BusinessState::Active));
    assert_eq!((business.live_key_count, business.create_time), (0, Some(server.time_in(0))));
    assert_eq!(server.get_business(ACME).await, business);
}

/// And so is its end; the keys' own state stays.
async fn a_suspension_is_in_effect_when_the_call_returns(server: Server) {
    let made = server.make_key(named("a")).await;
    for _ in 0..2 {
        for (state, verdict) in [
            (BusinessState::Suspended, Verdict::BusinessSuspended),
            (BusinessState::Active, Verdict::Valid),
        ] {
            server.set_business_state(ACME, state).await;
            assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), verdict);
            assert_eq!(server.get_business(ACME).await.state(), state);
            assert_eq!(server.get_key(&made.key_id).await, made.key);
        }
    }
}

async fn a_new_limit_holds_at_once(server: Server) {
    let to = |key_limit| request(Business { key_limit, ..Business::default() }, ["key_limit"]);
    server.management().update_business(to(1)).await.unwrap();
    server.make_key(named("a")).await;
    let create = CreateKeyRequest {
        business_id: ACME.to_owned(),
        key: Some(named("b")),
        ..CreateKeyRequest::default()
    };
    let told = refused(server.management().create_key(create).await);
    assert_eq!(
        (told.reason.as_str(), told.metadata["key_limit"].as_str()),
        ("KEY_LIMIT_REACHED", "1")
    );
    server.management().update_business(to(2)).await.unwrap();
    server.make_key(named("b")).await;
}

/// A repetition is harmless, and its receipt is of a place of its own.
async fn the_same_again_moves_neither_etag_nor_update_time(server: Server) {
    let request = request(after(), ["billing_day", "time_zone", "key_limit", "state"]);
    let first = server.management().update_business(request.clone()).await.unwrap().into_inner();
    server.clock.advance(Duration::from_secs(1));
    let again = server.management().update_business(request).await.unwrap().into_inner();
    assert_eq!(again.business, first.business);
    assert_eq!(again.receipt, server.receipt().await);
    assert!(again.receipt.unwrap().revision > first.receipt.unwrap().revision);
}

async fn a_stale_etag_changes_nothing(server: Server) {
    server.make_key(named("a")).await;
    let stale = server.get_business(ACME).await.etag;
    let with = |etag: &str, path| UpdateBusinessRequest {
        etag: etag.to_owned(),
        ..request(after(), [path])
    };
    let first = server.management().update_business(with(&stale, "key_limit")).await;
    let first = first.unwrap().into_inner().business.unwrap();
    let told = refused(server.management().update_business(with(&stale, "state")).await);
    assert_eq!((told.reason.as_str(), &told.metadata["etag"]), ("ETAG_MISMATCH", &first.etag));
    assert_eq!(server.get_business(ACME).await, first);
    server.management().update_business(with(&first.etag, "state")).await.unwrap();
}

/// Whoever has one has seen a business: that one is not there.
async fn an_etag_makes_no_business(server: Server) {
    let with = UpdateBusinessRequest { etag: "\"1\"".to_owned(), ..request(after(), ["state"]) };
    let told = refused(server.management().update_business(with).await);
    assert_eq!(told.reason, "BUSINESS_NOT_FOUND");
}

/// A request that breaks every rule hears of each, in one error.
async fn everything_wrong_is_told_at_once(server: Server) {
    let values = Business {
        billing_day: 32,
        time_zone: "Europe/Zug".to_owned(),
        key_limit: -1,
        state: 99,
        ..Business::default()
    };
    let paths = ["billing_day", "time_zone", "key_limit", "state", "live_key_count", "*"];
    let mut request = request(values, paths);
    request.business.as_mut().unwrap().business_id = "no spaces".to_owned();
    refused(server.management().update_business(request).await).violates(&[
        ("business.business_id", "character 3 is ' '"),
        ("business.billing_day", "32 is no billing day"),
        ("business.time_zone", "not a known time zone"),
        ("business.key_limit", "must be 0 to 10000000"),
        ("business.state", "must be ACTIVE or SUSPENDED"),
        ("update_mask", "\"live_key_count\" cannot be changed here; name any of billing_day"),
        ("update_mask", "\"*\" cannot be changed here; name any of billing_day"),
    ]);
}

/// Each limit is where the contract says.
async fn each_fault_alone_is_told(server: Server) {
    let unmasked = UpdateBusinessRequest { update_mask: None, ..request(after(), []) };
    for request in [unmasked, request(after(), [])] {
        refused(server.management().update_business(request).await)
            .violates(&[("update_mask", "must name what changes: any of billing_day")]);
    }
    for (values, path, field) in [
        (Business { billing_day: 0, ..after() }, "billing_day", "business.billing_day"),
        (Business { billing_day: -1, ..after() }, "billing_day", "business.billing_day"),
        (Business { time_zone: String::new(), ..after() }, "time_zone", "business.time_zone"),
        (Business { key_limit: 10_000_001, ..after() }, "key_limit", "business.key_limit"),
        (Business { state: 0, ..after() }, "state", "business.state"),
    ] {
        let told = refused(server.management().update_business(request(values, [path])).await);
        told.violates(&[(field, "")]);
    }
    let mut reserved = request(after(), ["state"]);
    reserved.business.as_mut().unwrap().business_id = "@keyward".to_owned();
    refused(server.management().update_business(reserved).await)
        .violates(&[("business.business_id", "@keyward is reserved for service keys")]);
    let nothing = UpdateBusinessRequest { business: None, ..request(after(), ["billing_day"]) };
    refused(server.management().update_business(nothing).await).violates(&[
        ("business.business_id", "it is empty"),
        ("business.billing_day", "0 is no billing day"),
    ]);
}
