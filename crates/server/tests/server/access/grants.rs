//! AdvisorAccess: an advisor is let in, works, and is let go.

use std::time::Duration;

use keyward_proto::v1::{
    AccessGrant, Advisor, AuditAction, CreateKeyRequest, Creator, GetKeyRequest,
    GrantAccessRequest, Key, KeyState, ListAccessRequest, ListAuditEventsRequest,
    ListMyBusinessesRequest, RevokeAccessRequest, RevokeAccessResponse, RevokeReason,
    RotateKeyRequest, Verdict,
};

use tokio::task::JoinSet;

use super::cast::{CLIENT, Cast, FORMER, KEYWARD, OWN, Who, advisor};
use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{is_good, named, without_use},
    told::{Told, refused},
    users::ISSUER,
};

on_each_engine!(
    a_grant_tells_who_gave_it_and_stays_the_same,
    ending_a_grant_works_at_once,
    the_keys_of_who_is_let_go_are_told,
    the_keys_of_who_is_let_go_are_revoked_in_effect,
    no_key_is_left_that_nobody_was_told_of,
    fields_are_checked,
    who_was_never_let_in_cannot_be_let_go,
    grants_are_listed_in_pages,
    a_user_finds_their_businesses_in_pages,
);

fn grant(business_id: &str, subject: &str) -> GrantAccessRequest {
    GrantAccessRequest { business_id: business_id.to_owned(), advisor: Some(advisor(subject)) }
}

fn revoke(business_id: &str, subject: &str, revoke_keys: bool) -> RevokeAccessRequest {
    let advisor = Some(advisor(subject));
    RevokeAccessRequest { business_id: business_id.to_owned(), advisor, revoke_keys }
}

async fn make(cast: &Cast, who: Who, business_id: &str) -> (Key, String) {
    let request = CreateKeyRequest {
        business_id: business_id.to_owned(),
        key: Some(named("made")),
        ..CreateKeyRequest::default()
    };
    // Keys of one moment have no order.
    cast.server.clock.advance(Duration::from_secs(1));
    let made = cast.keys(who).create_key(request).await.unwrap().into_inner();
    (made.key.unwrap(), made.secret)
}

/// Whoever grants again changes nothing.
async fn a_grant_tells_who_gave_it_and_stays_the_same(server: Server) {
    let cast = Cast::on(server).await;
    let answer = cast.access(Who::Admin).grant_access(grant(OWN, "dana")).await;
    let granted = answer.unwrap().into_inner().grant.unwrap();
    let expected = AccessGrant {
        business_id: OWN.to_owned(),
        advisor: Some(advisor("dana")),
        grant_time: Some(cast.server.time_in(0)),
        end_time: None,
        granted_by: Some(Creator {
            caller: cast.caller_id(Who::Admin).to_owned(),
            user_issuer: ISSUER.to_owned(),
            user_subject: "ada".to_owned(),
        }),
    };
    assert_eq!(granted, expected);
    cast.server.clock.advance(Duration::from_secs(1));
    let again = cast.access(Who::Operate).grant_access(grant(OWN, "dana")).await;
    assert_eq!(again.unwrap().into_inner().grant, Some(expected));
}

/// By the business or by the platform: no call that begins after the answer is allowed.
async fn ending_a_grant_works_at_once(server: Server) {
    let cast = Cast::on(server).await;
    for ends in [Who::Admin, Who::Operate] {
        cast.access(Who::Admin).grant_access(grant(OWN, "dana")).await.unwrap();
        let (key, _) = make(&cast, Who::Advisor, OWN).await;
        let get = GetKeyRequest { business_id: OWN.to_owned(), key_id: key.key_id };
        cast.keys(Who::Advisor).get_key(get.clone()).await.unwrap();
        let answer = cast.access(ends).revoke_access(revoke(OWN, "dana", false)).await;
        let ended = answer.unwrap().into_inner().grant.unwrap();
        assert_eq!(ended.end_time, Some(cast.server.time_in(0)));
        let told = refused(cast.keys(Who::Advisor).get_key(get).await);
        assert_eq!(told.reason, "PERMISSION_DENIED");
    }
    // Where there is another grant nothing has ended.
    make(&cast, Who::Advisor, CLIENT).await;
}

/// For review: nothing happens to them, and those of others are not among them unless the advisor rotated
/// them last.
async fn the_keys_of_who_is_let_go_are_told(server: Server) {
    let cast = Cast::on(server).await;
    let (first, _) = make(&cast, Who::Advisor, CLIENT).await;
    let (second, secret) = make(&cast, Who::Advisor, CLIENT).await;
    make(&cast, Who::Operate, CLIENT).await;
    let (others, _) = make(&cast, Who::Operate, CLIENT).await;
    let rotate = RotateKeyRequest {
        business_id: CLIENT.to_owned(),
        key_id: others.key_id,
        ..RotateKeyRequest::default()
    };
    let rotated =
        cast.keys(Who::Advisor).rotate_key(rotate).await.unwrap().into_inner().key.unwrap();
    let answer = cast.access(Who::Operate).revoke_access(revoke(CLIENT, "dana", false)).await;
    let RevokeAccessResponse { grant, keys, receipt, key_count } = answer.unwrap().into_inner();
    assert_eq!(grant.unwrap().advisor, Some(advisor("dana")));
    let keys: Vec<Key> = keys.into_iter().map(without_use).collect();
    let left = [first, second, rotated].map(without_use).to_vec();
    assert_eq!((keys, receipt, key_count), (left, None, 3));
    assert!(cast.server.verify(is_good(&secret)).await.valid);
}

/// When the answer comes, none of them verifies any more; the audit log tells of each.
async fn the_keys_of_who_is_let_go_are_revoked_in_effect(server: Server) {
    let cast = Cast::on(server).await;
    let (mut secrets, mut key_ids) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (key, secret) = make(&cast, Who::Advisor, CLIENT).await;
        key_ids.push(key.key_id);
        secrets.push(secret);
    }
    // Also where the access had ended before: the keys were looked at, and are to go.
    cast.end(CLIENT, "dana").await;
    let answer = cast.access(Who::Operate).revoke_access(revoke(CLIENT, "dana", true)).await;
    let answer = answer.unwrap().into_inner();
    for secret in &secrets {
        assert_eq!(cast.server.verify(is_good(secret)).await.verdict(), Verdict::Revoked);
    }
    assert_eq!(answer.receipt, cast.server.receipt().await);
    let told: Vec<&str> = answer.keys.iter().map(|key| key.key_id.as_str()).collect();
    assert_eq!(told, key_ids);
    for key in &answer.keys {
        assert_eq!(
            (key.state(), key.revoke_reason()),
            (KeyState::Revoked, RevokeReason::OwnerLeft)
        );
    }
    let revision = answer.receipt.unwrap().revision;
    let request = ListAuditEventsRequest {
        business_id: CLIENT.to_owned(),
        after_revision: revision - 1,
        ..Default::default()
    };
    let told = cast.keys(Who::Audit).list_audit_events(request).await.unwrap().into_inner().events;
    assert_eq!(told[0].action(), AuditAction::RevokeAccess);
    assert_eq!(told[0].advisor, Some(advisor("dana")));
    assert!(told[1..].iter().all(|event| event.action() == AuditAction::RevokeKey));
    let revoked: Vec<&str> = told[1..].iter().map(|event| event.key_id.as_str()).collect();
    assert_eq!(revoked, key_ids);

    let again = cast.access(Who::Operate).revoke_access(revoke(CLIENT, "dana", true)).await;
    let again = again.unwrap().into_inner();
    assert_eq!((again.keys, again.receipt, again.key_count), (vec![], None, 0));
}

/// An advisor's calls under way while the access ends are carried out before, or refused like those that
/// begin afterwards.
async fn no_key_is_left_that_nobody_was_told_of(server: Server) {
    let cast = Cast::on(server).await;
    let request = CreateKeyRequest {
        business_id: CLIENT.to_owned(),
        key: Some(named("made")),
        ..CreateKeyRequest::default()
    };
    let mut makers = JoinSet::new();
    for _ in 0..4 {
        let (mut keys, request) = (cast.keys(Who::Advisor), request.clone());
        makers.spawn(async move {
            for made in 0.. {
                if let Err(status) = keys.create_key(request.clone()).await {
                    assert_eq!(Told::of(&status).reason, "PERMISSION_DENIED");
                    return made;
                }
            }
            0
        });
    }
    let revoke = revoke(CLIENT, "dana", true);
    let ended = cast.access(Who::Operate).revoke_access(revoke).await.unwrap().into_inner();
    let made: i32 = makers.join_all().await.into_iter().sum();
    assert_eq!(ended.key_count, made);
}

/// As every other field is; the reserved business takes no advisor.
async fn fields_are_checked(server: Server) {
    let cast = Cast::on(server).await;
    let mut access = cast.access(Who::Operate);
    let wrong = GrantAccessRequest { business_id: KEYWARD.to_owned(), advisor: None };
    refused(access.grant_access(wrong).await).violates(&[
        ("business_id", "@keyward is reserved"),
        ("advisor.issuer", "must have 1 to 512 characters"),
        ("advisor.subject", "must have 1 to 255 characters"),
    ]);
    for (issuer, subject, fields) in [
        ("i".repeat(513), "s".repeat(256), &["advisor.issuer", "advisor.subject"][..]),
        ("i\n".to_owned(), "s".repeat(255), &["advisor.issuer"]),
        ("é".repeat(512), "s\0".to_owned(), &["advisor.subject"]),
    ] {
        let request = RevokeAccessRequest {
            business_id: OWN.to_owned(),
            advisor: Some(Advisor { issuer, subject }),
            revoke_keys: false,
        };
        let told = refused(access.revoke_access(request).await);
        let broken: Vec<&str> = told.violations.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(broken, fields);
    }
    let longest = Advisor { issuer: "é".repeat(512), subject: "é".repeat(255) };
    let request = GrantAccessRequest { advisor: Some(longest), ..grant(OWN, "") };
    access.grant_access(request).await.unwrap();
}

/// A mistaken name must not look like an access that ended.
async fn who_was_never_let_in_cannot_be_let_go(server: Server) {
    let cast = Cast::on(server).await;
    for (business_id, subject) in [(OWN, "Nina"), (OWN, "dana"), ("nowhere", "nina")] {
        let request = revoke(business_id, subject, true);
        let told = refused(cast.access(Who::Operate).revoke_access(request).await);
        assert_eq!(told.reason, "GRANT_NOT_FOUND");
    }
    cast.access(Who::Operate).revoke_access(revoke(FORMER, "dana", false)).await.unwrap();
}

/// Live ones first, then the newest; a page token goes with its request.
async fn grants_are_listed_in_pages(server: Server) {
    let cast = Cast::on(server).await;
    for subject in ["a", "b", "c"] {
        cast.grant(OWN, subject).await;
    }
    cast.end(OWN, "nina").await;
    cast.end(OWN, "b").await;
    let list = |include_ended, page_token: &str| {
        let request = ListAccessRequest {
            business_id: OWN.to_owned(),
            include_ended,
            page_size: 2,
            page_token: page_token.to_owned(),
        };
        let mut access = cast.access(Who::Admin);
        async move { access.list_access(request).await }
    };
    for (include_ended, expected) in [(false, &["c", "a"][..]), (true, &["c", "a", "b", "nina"])] {
        let (mut told, mut token) = (Vec::new(), String::new());
        loop {
            let page = list(include_ended, &token).await.unwrap().into_inner();
            let subjects = page.grants.into_iter().map(|grant| grant.advisor.unwrap().subject);
            told.extend(subjects);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(told, expected);
    }
    let token = list(true, "").await.unwrap().into_inner().next_page_token;
    refused(list(false, &token).await).violates(&[("page_token", "must be next_page_token")]);
}

/// An admin's is one; an advisor's come sorted, and no other user goes on with their token.
async fn a_user_finds_their_businesses_in_pages(server: Server) {
    let cast = Cast::on(server).await;
    let names = (0..40).map(|number| format!("client.{number:02}"));
    for name in names.clone() {
        cast.grant(&name, "dana").await;
    }
    let list = async |who, page_size, page_token: &str| {
        let page_token = page_token.to_owned();
        let request = ListMyBusinessesRequest { page_size, page_token };
        cast.access(who).list_my_businesses(request).await
    };
    let own = list(Who::Admin, 0, "").await.unwrap().into_inner();
    assert_eq!((own.business_ids, own.next_page_token), (vec![OWN.to_owned()], String::new()));
    let first = list(Who::Advisor, 15, "").await.unwrap().into_inner();
    let second = list(Who::Advisor, 1_000, &first.next_page_token).await.unwrap().into_inner();
    let expected: Vec<String> = [CLIENT.to_owned()].into_iter().chain(names).collect();
    assert_eq!([first.business_ids, second.business_ids].concat(), expected);
    assert_eq!(second.next_page_token, "");
    refused(list(Who::Admin, 0, &first.next_page_token).await)
        .violates(&[("page_token", "must be next_page_token")]);
}

mod postgres_by_hand {
    //! More keys than one answer holds are quickly made only there.

    use super::*;

    const LONG: &str = "update keys set description = repeat('é', 1024)
        where creator_user_subject = 'dana'";

    /// All of them are revoked, and the answer says how many there were.
    #[tokio::test(flavor = "multi_thread")]
    async fn one_answer_holds_a_thousand_keys() {
        let database = test_postgres::shared().create_database().unwrap();
        let cast = Cast::on(Server::on_postgres(database).await).await;
        make(&cast, Who::Advisor, CLIENT).await;
        cast.server.database().psql(LONG).unwrap();
        let columns = "business_id, rev, display_name, description, scopes, annotations, \
            revoke_reason_text, prefix, obfuscated_secret, creator_caller, creator_user_issuer, \
            creator_user_subject, create_time, update_time";
        let copies = format!(
            "insert into keys (key_id, {columns}) select gen_random_uuid(), {columns} \
             from keys, generate_series(1, 1000) where creator_user_subject = 'dana'"
        );
        cast.server.database().psql(&copies).unwrap();
        let request = revoke(CLIENT, "dana", true);
        let ended = cast.access(Who::Operate).revoke_access(request).await.unwrap().into_inner();
        assert_eq!((ended.key_count, ended.keys.len()), (1_001, 1_000));
        let live = "select count(*) from keys \
                    where creator_user_subject = 'dana' and revoke_time is null";
        assert_eq!(cast.server.database().psql(live).unwrap().trim(), "0");

        // One revision with more events than one answer holds is told in parts.
        let revision = ended.receipt.unwrap().revision;
        let mut request = ListAuditEventsRequest {
            business_id: CLIENT.to_owned(),
            after_revision: revision - 1,
            ..ListAuditEventsRequest::default()
        };
        let (mut told, mut parts) = (0, 0);
        loop {
            let answer = cast.keys(Who::Audit).list_audit_events(request.clone()).await.unwrap();
            let answer = answer.into_inner();
            (told, parts) = (told + answer.events.len(), parts + 1);
            if answer.next_page_token.is_empty() {
                assert_eq!(answer.last_revision, revision);
                break;
            }
            assert_eq!(answer.last_revision, revision - 1);
            request.page_token = answer.next_page_token;
        }
        assert_eq!(told, 1 + 1_001);
        assert!(parts > 1);
    }
}
