//! QueryUsage.

use std::time::Duration;

use keyward_proto::v1::{
    Business, QueryUsageRequest, QueryUsageResponse, UpdateBusinessRequest, UsageGranularity,
    UsageRow, Verdict, VerdictCount,
};
use prost_types::FieldMask;

use crate::harness::{
    Server, ServiceKey,
    engines::on_each_engine,
    keys::{ACME, NO_KEY, is_good, named, texts},
    told::refused,
};

on_each_engine!(
    usage_is_told_by_hour_and_by_day,
    days_are_those_of_the_businesses_zone,
    each_fault_alone_is_told,
    everything_wrong_is_told_at_once,
);

const HOUR: u64 = 3_600;

fn row(start: prost_types::Timestamp, counts: &[(Verdict, i64)]) -> UsageRow {
    let count = |(verdict, count): &(Verdict, i64)| VerdictCount {
        verdict: (*verdict).into(),
        count: *count,
    };
    UsageRow { start_time: Some(start), counts: counts.iter().map(count).collect() }
}

/// Of everything around this moment.
fn around(server: &Server, granularity: UsageGranularity) -> QueryUsageRequest {
    let now = server.time_in(0);
    let shifted =
        |seconds| Some(prost_types::Timestamp { seconds: now.seconds + seconds, nanos: 0 });
    QueryUsageRequest {
        business_id: ACME.to_owned(),
        key_id: String::new(),
        start_time: shifted(-3 * 86_400),
        end_time: shifted(86_400),
        granularity: granularity.into(),
    }
}

async fn ask(server: &Server, request: QueryUsageRequest) -> QueryUsageResponse {
    server.running.usage.flush().await.unwrap();
    server.management().query_usage(request).await.unwrap().into_inner()
}

async fn usage_is_told_by_hour_and_by_day(server: Server) {
    let (a, b) = (server.make_key(named("a")).await, server.make_key(named("b")).await);
    let other = server.make_key_of("other", named("c")).await;
    let noon = server.time_in(0);
    let ServiceKey { secret, .. } = server.service_key(&["keyward.audit"]).await;
    for _ in 0..2 {
        for secret in [&a.secret, &a.secret, &b.secret, &other.secret] {
            server.verify(is_good(secret)).await;
        }
        server.revoke_key(&b.key_id).await;
        server.clock.advance(Duration::from_secs(HOUR));
    }
    let one = server.time_in(0);
    let one = prost_types::Timestamp { seconds: one.seconds - 3_600, ..one };
    use Verdict::{Revoked, Valid};
    let hours = ask(&server, around(&server, UsageGranularity::Hour)).await;
    let both = [row(noon, &[(Valid, 3)]), row(one, &[(Valid, 2), (Revoked, 1)])];
    assert_eq!(hours.rows, both);
    assert_eq!(hours.counted_until_time, Some(server.time_in(0)));
    assert!(!hours.usage_incomplete);
    // The end is not in it.
    let until_one = QueryUsageRequest {
        start_time: Some(noon),
        end_time: Some(one),
        ..around(&server, UsageGranularity::Hour)
    };
    assert_eq!(ask(&server, until_one).await.rows, both[..1]);
    let midnight = prost_types::Timestamp { seconds: noon.seconds - 43_200, nanos: 0 };
    let of_b = QueryUsageRequest { key_id: b.key_id, ..around(&server, UsageGranularity::Day) };
    let day = [row(midnight, &[(Valid, 1), (Revoked, 1)])];
    assert_eq!(ask(&server, of_b).await.rows, day);
    // An auditor may ask too; and of who is not there there is nothing.
    let mut auditor = server.management_as(&secret);
    let days = around(&server, UsageGranularity::Day);
    let days = auditor.query_usage(days).await.unwrap().into_inner();
    assert_eq!(days.rows, [row(midnight, &[(Valid, 5), (Revoked, 1)])]);
    let nobody = QueryUsageRequest {
        business_id: "nobody".to_owned(),
        ..around(&server, UsageGranularity::Day)
    };
    assert_eq!(ask(&server, nobody).await.rows, []);
}

/// It is one in the morning of the 2nd in Auckland when the clock shows noon in UTC.
async fn days_are_those_of_the_businesses_zone(server: Server) {
    let made = server.make_key(named("a")).await;
    let business = Business {
        business_id: ACME.to_owned(),
        time_zone: "Pacific/Auckland".to_owned(),
        ..Business::default()
    };
    let change = UpdateBusinessRequest {
        business: Some(business),
        update_mask: Some(FieldMask { paths: texts(["time_zone"]) }),
        etag: String::new(),
    };
    server.management().update_business(change).await.unwrap();
    // The zone counts from the end of the period on: into April, in which it is 13 hours ahead.
    server.clock.advance(Duration::from_secs(35 * 86_400));
    server.verify(is_good(&made.secret)).await;
    let days = ask(&server, around(&server, UsageGranularity::Day)).await;
    // Summer time ended in the night before.
    let midnight = prost_types::Timestamp { seconds: server.time_in(0).seconds, nanos: 0 };
    assert_eq!(days.rows, [row(midnight, &[(Verdict::Valid, 1)])]);
}

async fn each_fault_alone_is_told(server: Server) {
    let good = around(&server, UsageGranularity::Hour);
    let end_time = good.start_time;
    let no_span = "must be after start_time, by at most 400 days";
    let of = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let table = [
        (
            QueryUsageRequest { key_id: "key_1".to_owned(), ..good.clone() },
            "key_id",
            "a key id is `key_` and 26 characters of `0-9a-z` without `i`, `l`, `o` and `u`, of which \
             the first is `0` to `7`",
        ),
        (QueryUsageRequest { start_time: None, ..good.clone() }, "start_time", "must be set"),
        (QueryUsageRequest { end_time: None, ..good.clone() }, "end_time", "must be set"),
        (QueryUsageRequest { end_time, ..good.clone() }, "end_time", no_span),
        (
            QueryUsageRequest { start_time: of(0), end_time: of(400 * 86_400 + 1), ..good.clone() },
            "end_time",
            no_span,
        ),
        (
            QueryUsageRequest { granularity: 3, ..good.clone() },
            "granularity",
            "must be USAGE_GRANULARITY_HOUR or USAGE_GRANULARITY_DAY",
        ),
    ];
    for (request, field, description) in table {
        refused(server.management().query_usage(request).await).violates(&[(field, description)]);
    }
    let longest =
        QueryUsageRequest { start_time: of(0), end_time: of(400 * 86_400), ..good.clone() };
    server.management().query_usage(longest).await.unwrap();
    let no_key = QueryUsageRequest { key_id: NO_KEY.to_owned(), ..good };
    let told = refused(server.management().query_usage(no_key).await);
    assert_eq!(told.reason, "KEY_NOT_FOUND");
}

async fn everything_wrong_is_told_at_once(server: Server) {
    let told = refused(server.management().query_usage(QueryUsageRequest::default()).await);
    let fields: Vec<&str> = told.violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["business_id", "start_time", "end_time", "granularity"]);
}
