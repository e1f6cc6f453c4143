//! ListAuditEvents: who did what, in the order of revisions, and never a secret.

use std::time::Duration;

use keyward_proto::v1::{
    AuditAction, AuditEvent, BusinessState, CreateKeyRequest, Creator, Key, KeyState,
    ListAuditEventsRequest, ListAuditEventsResponse, RetireScopeRequest, RotateKeyRequest,
    RotateKeyResponse, UpdateKeyRequest,
};
use prost::Message as _;
use prost_types::FieldMask;

use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, NO_KEY, named, texts, without_use},
    told::refused,
};

on_each_engine!(
    each_change_of_a_key_is_told_with_who_and_from_where,
    changes_of_scopes_and_businesses_are_told,
    a_refused_call_and_a_look_leave_none,
    a_reader_resumes_where_it_stopped,
    they_are_told_by_business_and_by_key,
    no_event_tells_a_secret,
    everything_wrong_is_told_at_once,
);

async fn list(server: &Server, request: ListAuditEventsRequest) -> ListAuditEventsResponse {
    server.management().list_audit_events(request).await.unwrap().into_inner()
}

/// All but the making of the operator's key.
fn all() -> ListAuditEventsRequest {
    ListAuditEventsRequest { after_revision: 1, ..ListAuditEventsRequest::default() }
}

fn actions(answer: &ListAuditEventsResponse) -> Vec<AuditAction> {
    answer.events.iter().map(AuditEvent::action).collect()
}

async fn rotate(server: &Server, key_id: &str) -> RotateKeyResponse {
    let request = RotateKeyRequest {
        business_id: ACME.to_owned(),
        key_id: key_id.to_owned(),
        ..RotateKeyRequest::default()
    };
    server.management().rotate_key(request).await.unwrap().into_inner()
}

async fn describe(server: &Server, key_id: &str, description: &str) -> Key {
    let (key_id, description) = (key_id.to_owned(), description.to_owned());
    let request = UpdateKeyRequest {
        business_id: ACME.to_owned(),
        key: Some(Key { key_id, description, ..Key::default() }),
        update_mask: Some(FieldMask { paths: texts(["description"]) }),
        etag: String::new(),
    };
    server.management().update_key(request).await.unwrap().into_inner().key.unwrap()
}

/// With the key as each call answered it.
async fn each_change_of_a_key_is_told_with_who_and_from_where(server: Server) {
    let made = server.make_key(named("a")).await;
    server.clock.advance(Duration::from_secs(1));
    let mut states = vec![made.key.clone(), describe(&server, &made.key_id, "b").await];
    server.clock.advance(Duration::from_secs(1));
    states.push(rotate(&server, &made.key_id).await.key.unwrap());
    states.push(server.suspend_key(&made.key_id).await);
    states.push(server.revoke_key(&made.key_id).await);

    let answer = list(&server, all()).await;
    let expected = [
        AuditAction::CreateKey,
        AuditAction::UpdateKey,
        AuditAction::RotateKey,
        AuditAction::SuspendKey,
        AuditAction::RevokeKey,
    ];
    assert_eq!(actions(&answer), expected);
    assert_eq!(answer.last_revision, server.store.revision().await.unwrap().0);
    let actor = Creator { caller: server.operator.key_id.clone(), ..Creator::default() };
    for (index, event) in answer.events.iter().enumerate() {
        let after = &states[index];
        let peer: std::net::SocketAddr = event.peer_address.parse().unwrap();
        assert!(peer.ip().is_loopback());
        let expected = AuditEvent {
            revision: after.etag.trim_matches('"').parse().unwrap(),
            event_time: after.update_time,
            action: expected[index].into(),
            business_id: ACME.to_owned(),
            key_id: made.key_id.clone(),
            scope: String::new(),
            actor: Some(actor.clone()),
            peer_address: event.peer_address.clone(),
            key_before: index.checked_sub(1).map(|before| without_use(states[before].clone())),
            key_after: Some(without_use(after.clone())),
            advisor: None,
        };
        assert_eq!(event, &expected);
    }
}

/// The first of all is the operator's own key, made by no service key.
async fn changes_of_scopes_and_businesses_are_told(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    let name = "orders.read".to_owned();
    let retire = RetireScopeRequest { name, ..RetireScopeRequest::default() };
    server.management().retire_scope(retire).await.unwrap();
    server.set_business_state(ACME, BusinessState::Suspended).await;
    let answer = list(&server, ListAuditEventsRequest::default()).await;
    let told: Vec<_> = answer
        .events
        .iter()
        .map(|event| (event.action(), event.business_id.as_str(), event.scope.as_str()))
        .collect();
    let expected = [
        (AuditAction::CreateKey, "@keyward", ""),
        (AuditAction::UpdateScope, "", "orders.read"),
        (AuditAction::RetireScope, "", "orders.read"),
        (AuditAction::UpdateBusiness, ACME, ""),
    ];
    assert_eq!(told, expected);
    let first = &answer.events[0];
    assert_eq!(first.actor.as_ref().unwrap().caller, "command-line");
    assert_eq!(
        (first.key_id.as_str(), first.peer_address.as_str()),
        (&*server.operator.key_id, "")
    );
    assert!(answer.events[1..].iter().all(|event| event.key_before.is_none()
        && event.key_after.is_none()
        && event.key_id.is_empty()));
}

/// What was not done is not told, and neither is who looked.
async fn a_refused_call_and_a_look_leave_none(server: Server) {
    let made = server.make_key(named("a")).await;
    server.revoke_key(&made.key_id).await;
    let before = list(&server, all()).await;
    for key_id in [made.key_id.as_str(), NO_KEY] {
        let request = RotateKeyRequest {
            business_id: ACME.to_owned(),
            key_id: key_id.to_owned(),
            ..RotateKeyRequest::default()
        };
        refused(server.management().rotate_key(request).await);
    }
    let dry = CreateKeyRequest {
        business_id: ACME.to_owned(),
        key: Some(named("b")),
        validate_only: true,
        ..CreateKeyRequest::default()
    };
    server.management().create_key(dry).await.unwrap();
    server.get_key(&made.key_id).await;
    assert_eq!(list(&server, all()).await, before);
    // A second revocation changes nothing, and is one all the same.
    let revoked = without_use(server.revoke_key(&made.key_id).await);
    let after_revision = before.last_revision;
    let answer = list(&server, ListAuditEventsRequest { after_revision, ..all() }).await;
    assert_eq!(actions(&answer), [AuditAction::RevokeKey]);
    let event = &answer.events[0];
    assert_eq!((&event.key_before, &event.key_after), (&Some(revoked.clone()), &Some(revoked)));
}

/// In pages of any size, and without an end: what comes later comes after it.
async fn a_reader_resumes_where_it_stopped(server: Server) {
    let made = server.make_key(named("a")).await;
    for turn in 0..4 {
        describe(&server, &made.key_id, &turn.to_string()).await;
    }
    let everything = list(&server, all()).await;
    assert_eq!(everything.events.len(), 5);
    for page_size in [1, 2, 5, 6] {
        let mut request = ListAuditEventsRequest { page_size, ..all() };
        let mut told = Vec::new();
        loop {
            let page = list(&server, request.clone()).await;
            if page.events.is_empty() {
                assert_eq!(page.last_revision, request.after_revision);
                break;
            }
            assert!(page.events.len() <= usize::try_from(page_size).unwrap());
            request.after_revision = page.last_revision;
            told.extend(page.events);
        }
        assert_eq!(told, everything.events, "{page_size}");
        assert_eq!(request.after_revision, everything.last_revision);
    }
    server.suspend_key(&made.key_id).await;
    let after_revision = everything.last_revision;
    let next = list(&server, ListAuditEventsRequest { after_revision, ..all() }).await;
    assert_eq!(actions(&next), [AuditAction::SuspendKey]);
}

async fn they_are_told_by_business_and_by_key(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    let one = server.make_key(named("a")).await;
    let other = server.make_key_of("other", named("b")).await;
    server.make_key(named("c")).await;
    server.revoke_key(&one.key_id).await;
    server.set_business_state("other", BusinessState::Suspended).await;
    for (business_id, key_id, expected) in [
        (ACME, "", vec![3, 5, 6]),
        (ACME, one.key_id.as_str(), vec![3, 6]),
        ("other", "", vec![4, 7]),
        ("", other.key_id.as_str(), vec![4]),
        (ACME, other.key_id.as_str(), vec![]),
        ("nobody", "", vec![]),
    ] {
        let (business_id, key_id) = (business_id.to_owned(), key_id.to_owned());
        let answer = list(&server, ListAuditEventsRequest { business_id, key_id, ..all() }).await;
        let revisions: Vec<i64> = answer.events.iter().map(|event| event.revision).collect();
        assert_eq!(revisions, expected);
        assert_eq!(answer.last_revision, expected.last().copied().unwrap_or(1));
    }
}

/// Neither on the wire nor, on the way there, in a form that somebody could use.
async fn no_event_tells_a_secret(server: Server) {
    let made = server.make_key(named("a")).await;
    let rotated = rotate(&server, &made.key_id).await;
    server.revoke_key(&made.key_id).await;
    let answer = list(&server, ListAuditEventsRequest::default()).await;
    assert_eq!(answer.events.len(), 4);
    let (bytes, shown) = (answer.encode_to_vec(), format!("{answer:?}"));
    for secret in [&made.secret, &rotated.secret, &server.operator.secret] {
        // Its ends are shown on purpose; the half between them is not.
        let middle = &secret.as_bytes()[8..secret.len() - 8];
        assert!(!bytes.windows(middle.len()).any(|window| window == middle));
        assert!(!shown.contains(std::str::from_utf8(middle).unwrap()));
    }
    let key = answer.events[3].key_after.as_ref().unwrap();
    assert_eq!(key.state(), KeyState::Revoked);
}

/// A request that breaks every rule hears of each, in one error.
async fn everything_wrong_is_told_at_once(server: Server) {
    let request = ListAuditEventsRequest {
        business_id: "no spaces".to_owned(),
        key_id: "key_1".to_owned(),
        after_revision: -1,
        page_size: -1,
    };
    refused(server.management().list_audit_events(request).await).violates(&[
        ("business_id", "character 3 is ' '"),
        ("key_id", "a key id is `key_` and 26"),
        ("after_revision", "must not be negative; 0 begins with the first event"),
        ("page_size", "must not be negative"),
    ]);
}

/// Keys as large as can be, before and after: a page ends before the 4 MiB that generated clients
/// accept, and the next goes on from there.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_at_3_mib() {
    const BYTES_MAX: usize = 3 * 1024 * 1024;
    let server = Server::on_sqlite().await;
    let scopes: Vec<String> = (0..100).map(|i| format!("{i:064}")).collect();
    for scope in &scopes {
        server.make_scope(scope, Vec::new()).await;
    }
    let large = Key { scopes, ..named(&"🔑".repeat(63)) };
    let made = server.make_key(large).await;
    let first = made.key.etag.trim_matches('"').parse::<i64>().unwrap() - 1;
    let (mut bytes, mut count) = (made.key.encoded_len(), 1);
    while bytes <= BYTES_MAX {
        let description = format!("{count:🔑<1024}");
        bytes += 2 * describe(&server, &made.key_id, &description).await.encoded_len();
        count += 1;
    }
    let request = ListAuditEventsRequest { after_revision: first, page_size: 1_000, ..all() };
    let page = list(&server, request.clone()).await;
    assert!(page.encoded_len() <= BYTES_MAX + 1_024, "{}", page.encoded_len());
    assert!(page.events.len() < count);
    let next = ListAuditEventsRequest { after_revision: page.last_revision, ..request };
    let rest = list(&server, next).await;
    let revisions = page.events.iter().chain(&rest.events).map(|event| event.revision);
    let expected = (first + 1..).take(count);
    assert!(revisions.eq(expected));
}
