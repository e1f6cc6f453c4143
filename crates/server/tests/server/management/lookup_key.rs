//! LookupKey: any secret that ever was, and never a word of the string itself.

use std::time::Duration;

use keyward_proto::v1::{
    AuditAction, ListAuditEventsRequest, LookupKeyRequest, LookupKeyResponse, RotateKeyRequest,
    SecretGeneration,
};

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, named, without_use},
    told::refused,
};

on_each_engine!(
    each_secret_of_a_key_is_told_with_its_generation,
    a_service_key_is_found_too,
    an_unknown_string_is_nothing,
    each_question_is_audited_without_the_string,
);

async fn look_up(server: &Server, secret: &str) -> LookupKeyResponse {
    let request = LookupKeyRequest { presented_secret: secret.to_owned() };
    server.management().lookup_key(request).await.unwrap().into_inner()
}

/// Also when Verify has long forgotten it.
async fn each_secret_of_a_key_is_told_with_its_generation(server: Server) {
    let made = server.make_key(named("a")).await;
    let made_time = Some(server.time_in(0));
    server.clock.advance(Duration::from_secs(1));
    let rotate_time = Some(server.time_in(0));
    let rotate = RotateKeyRequest {
        business_id: ACME.to_owned(),
        key_id: made.key_id.clone(),
        ..RotateKeyRequest::default()
    };
    let rotated = server.management().rotate_key(rotate).await.unwrap().into_inner();
    server.clock.advance(Duration::from_secs(400 * 24 * 60 * 60));
    let key = without_use(server.get_key(&made.key_id).await);
    for (secret, generation) in [
        (
            made.secret,
            SecretGeneration { number: 1, current: false, create_time: made_time, rotate_time },
        ),
        (
            rotated.secret,
            SecretGeneration {
                number: 2,
                current: true,
                create_time: rotate_time,
                rotate_time: None,
            },
        ),
    ] {
        let expected = LookupKeyResponse { key: Some(key.clone()), generation: Some(generation) };
        let LookupKeyResponse { key: found, generation } = look_up(&server, &secret).await;
        let found = LookupKeyResponse { key: found.map(without_use), generation };
        assert_eq!(found, expected);
    }
}

async fn a_service_key_is_found_too(server: Server) {
    let triage = server.service_key(&["keyward.triage"]).await;
    let request = LookupKeyRequest { presented_secret: server.operator.secret.clone() };
    let found = server.management_as(&triage.secret).lookup_key(request).await.unwrap();
    assert_eq!(found.into_inner().key.unwrap().key_id, server.operator.key_id);
}

async fn an_unknown_string_is_nothing(server: Server) {
    for unknown in ["x", "kw_0000000000000000000000000000000000000000", &"x".repeat(513)] {
        assert_eq!(look_up(&server, unknown).await, LookupKeyResponse::default());
    }
    let empty = server.management().lookup_key(LookupKeyRequest::default()).await;
    refused(empty).violates(&[("presented_secret", "must be set")]);
}

async fn each_question_is_audited_without_the_string(server: Server) {
    let made = server.make_key(named("a")).await;
    let after_revision = server.store.revision().await.unwrap().0;
    look_up(&server, &made.secret).await;
    look_up(&server, "a string that nobody knows").await;
    let all = ListAuditEventsRequest { after_revision, ..ListAuditEventsRequest::default() };
    let answer = server.management().list_audit_events(all).await.unwrap().into_inner();
    let told: Vec<_> =
        answer.events.iter().map(|event| (event.action(), event.key_id.as_str())).collect();
    assert_eq!(
        told,
        [(AuditAction::LookupKey, made.key_id.as_str()), (AuditAction::LookupKey, "")]
    );
    assert_eq!(answer.events[0].actor.as_ref().unwrap().caller, server.operator.key_id);
    let text = format!("{:?}", answer.events);
    assert!(!text.contains(&made.secret) && !text.contains("nobody knows"));
}
