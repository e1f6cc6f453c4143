//! What counts on which key, and what does not.

use std::time::Duration;

use keyward_proto::v1::{
    BatchVerifyRequest, BusinessState, Endpoint, GetKeyRequest, HttpEndpoint, Key,
    RotateKeyRequest, VerifyRequest, endpoint,
};

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, is_good, march, named, texts, without_use},
};

on_each_engine!(
    each_valid_verdict_is_a_request,
    each_denial_of_a_known_key_moves_its_last_denied_use,
    what_concerns_no_key_counts_on_none,
    who_may_skips_usage,
    a_batch_counts_each,
    the_answer_to_a_change_tells_of_use,
    a_new_period_begins_at_nought,
);

/// A retry is a second one. Neither etag nor update time moves.
async fn each_valid_verdict_is_a_request(server: Server) {
    let made = server.make_key(named("a")).await;
    assert_eq!((made.key.last_use_time, made.key.request_count), (None, 0));
    assert_eq!(made.key.billing_period, Some(march()));
    server.verify(is_good(&made.secret)).await;
    server.clock.advance(Duration::from_secs(5));
    let last_use_time = Some(server.time_in(0));
    server.verify(is_good(&made.secret)).await;
    server.clock.advance(Duration::from_secs(60));
    let key = server.counted_key(&made.key_id).await;
    let expected = Key {
        last_use_time,
        request_count: 2,
        counted_until_time: Some(server.time_in(0)),
        ..made.key.clone()
    };
    assert_eq!(key, expected);
}

/// Of each verdict in turn, by a moment of its own.
async fn each_denial_of_a_known_key_moves_its_last_denied_use(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    let expire_time = Some(server.time_in(1_000));
    let made = server.make_key(Key { expire_time, ..named("a") }).await;
    let unmapped = Endpoint {
        service: "shop".to_owned(),
        kind: Some(endpoint::Kind::Http(HttpEndpoint {
            method: "GET".to_owned(),
            raw_path: "/nowhere".to_owned(),
        })),
    };
    let presented_secret = made.secret.clone();
    let asks_too_much = VerifyRequest {
        presented_secret: presented_secret.clone(),
        required_scopes: texts(["orders.read"]),
        ..VerifyRequest::default()
    };
    let asks_nowhere =
        VerifyRequest { presented_secret, endpoint: Some(unmapped), ..VerifyRequest::default() };
    let denied = async |question: VerifyRequest, verdict: &str| {
        server.clock.advance(Duration::from_secs(1));
        let moment = Some(server.time_in(0));
        let answer = server.verify(question).await;
        assert_eq!(answer.verdict().as_str_name(), format!("VERDICT_{verdict}"));
        server.clock.advance(Duration::from_secs(1));
        let key = server.counted_key(&made.key_id).await;
        assert_eq!(key.last_denied_use_time, moment, "{verdict}");
        assert_eq!((key.last_use_time, key.request_count), (None, 0), "{verdict}");
    };
    denied(asks_too_much, "INSUFFICIENT_SCOPE").await;
    denied(asks_nowhere, "ENDPOINT_NOT_MAPPED").await;
    server.set_business_state(ACME, BusinessState::Suspended).await;
    denied(is_good(&made.secret), "BUSINESS_SUSPENDED").await;
    server.set_business_state(ACME, BusinessState::Active).await;
    server.suspend_key(&made.key_id).await;
    denied(is_good(&made.secret), "SUSPENDED").await;
    server.clock.advance(Duration::from_secs(1_000));
    denied(is_good(&made.secret), "EXPIRED").await;
    let rotate = RotateKeyRequest {
        business_id: ACME.to_owned(),
        key_id: made.key_id.clone(),
        expire_time: Some(server.time_in(1_000)),
        ..RotateKeyRequest::default()
    };
    server.management().rotate_key(rotate).await.unwrap();
    denied(is_good(&made.secret), "SECRET_ROTATED").await;
    server.revoke_key(&made.key_id).await;
    denied(is_good(&made.secret), "REVOKED").await;
}

/// Unknown secrets, another business's key, and a service key, whose calls are uses and no requests.
async fn what_concerns_no_key_counts_on_none(server: Server) {
    let made = server.make_key(named("a")).await;
    let before = server.counted_key(&made.key_id).await;
    let of_another = VerifyRequest { business_id: "other".to_owned(), ..is_good(&made.secret) };
    for question in [is_good("unknown"), is_good(""), of_another, is_good(&server.operator.secret)]
    {
        let answer = server.verify(question).await;
        assert_eq!(answer.verdict().as_str_name(), "VERDICT_NOT_FOUND");
    }
    assert_eq!(server.counted_key(&made.key_id).await, before);

    server.clock.advance(Duration::from_secs(7));
    let moment = Some(server.time_in(0));
    server.verify(is_good("unknown")).await;
    server.running.usage.flush().await.unwrap();
    let get = GetKeyRequest {
        business_id: "@keyward".to_owned(),
        key_id: server.operator.key_id.clone(),
    };
    let operator = server.management().get_key(get).await.unwrap().into_inner().key.unwrap();
    assert_eq!((operator.last_use_time, operator.request_count), (moment, 0));
    assert_eq!(operator.last_denied_use_time, None);
}

async fn who_may_skips_usage(server: Server) {
    let made = server.make_key(named("a")).await;
    let skip_usage = || VerifyRequest { skip_usage: true, ..is_good(&made.secret) };
    let denied = VerifyRequest { required_scopes: texts(["none"]), ..is_good(&made.secret) };
    let denied = VerifyRequest { authenticate_only: false, skip_usage: true, ..denied };
    server.verify(skip_usage()).await;
    server.verify(denied).await;
    let refused = server.service_key(&["keyward.verify"]).await;
    server.verification_as(&refused.secret).verify(skip_usage()).await.unwrap_err();
    assert_eq!(server.counted_key(&made.key_id).await, made.key);
}

async fn a_batch_counts_each(server: Server) {
    let (a, b) = (server.make_key(named("a")).await, server.make_key(named("b")).await);
    let skipped = VerifyRequest { skip_usage: true, ..is_good(&b.secret) };
    let requests = vec![
        is_good(&a.secret),
        is_good(&b.secret),
        is_good("unknown"),
        is_good(&a.secret),
        skipped,
    ];
    server.verification().batch_verify(BatchVerifyRequest { requests }).await.unwrap();
    // A batch that is refused counts nothing.
    let requests = vec![is_good(&a.secret), VerifyRequest::default()];
    server.verification().batch_verify(BatchVerifyRequest { requests }).await.unwrap_err();
    assert_eq!(server.counted_key(&a.key_id).await.request_count, 2);
    assert_eq!(server.counted_key(&b.key_id).await.request_count, 1);
}

async fn the_answer_to_a_change_tells_of_use(server: Server) {
    let made = server.make_key(named("a")).await;
    server.verify(is_good(&made.secret)).await;
    let used = server.counted_key(&made.key_id).await;
    assert_eq!(used.request_count, 1);
    let revoked = server.revoke_key(&made.key_id).await;
    assert_eq!((revoked.request_count, revoked.last_use_time), (1, used.last_use_time));
    assert_eq!(server.get_key(&made.key_id).await, revoked);
    assert_ne!(without_use(revoked.clone()), revoked);
}

async fn a_new_period_begins_at_nought(server: Server) {
    let made = server.make_key(named("a")).await;
    server.verify(is_good(&made.secret)).await;
    let used = server.counted_key(&made.key_id).await;
    // The first moment of April.
    server.clock.advance(Duration::from_secs(31 * 86_400 - 43_200));
    let key = server.counted_key(&made.key_id).await;
    assert_eq!((key.request_count, key.last_use_time), (0, used.last_use_time));
    assert_eq!(key.billing_period.unwrap().start_time, march().end_time);
    server.verify(is_good(&made.secret)).await;
    assert_eq!(server.counted_key(&made.key_id).await.request_count, 1);
}
