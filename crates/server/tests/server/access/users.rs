//! What a person does is done as that person, and as far as people may.

use keyward_proto::v1::{
    AssignableBy, AuditAction, CreateKeyRequest, Creator, GetKeyRequest, Key, KeyState,
    ListAuditEventsRequest, ListScopesRequest, ResumeKeyRequest, RotateKeyRequest, Scope,
    SuspendKeyRequest, SuspendedBy, UpdateKeyRequest, UpdateScopeRequest,
};
use prost_types::FieldMask;

use super::cast::{CLIENT, Cast, KEYWARD, OWN, Who};
use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{is_good, named, texts},
    told::refused,
    users::ISSUER,
};

on_each_engine!(
    a_key_is_its_makers_and_the_audit_log_tells_who,
    scopes_of_the_platform_are_not_there,
    users_suspend_and_resume_as_their_business,
    a_request_id_is_each_persons_own,
    a_token_narrows_the_platform_too,
);

async fn create(
    cast: &Cast,
    who: Who,
    business_id: &str,
    scopes: &[&str],
) -> Result<tonic::Response<keyward_proto::v1::CreateKeyResponse>, tonic::Status> {
    let scopes = scopes.iter().map(|name| (*name).to_owned()).collect();
    let request = CreateKeyRequest {
        business_id: business_id.to_owned(),
        key: Some(Key { scopes, ..named("made") }),
        ..CreateKeyRequest::default()
    };
    cast.keys(who).create_key(request).await
}

async fn made(cast: &Cast, who: Who, business_id: &str) -> Key {
    create(cast, who, business_id, &[]).await.unwrap().into_inner().key.unwrap()
}

/// Both of them: the workload, and the person behind it.
async fn a_key_is_its_makers_and_the_audit_log_tells_who(server: Server) {
    let cast = Cast::on(server).await;
    for (who, business_id, subject) in [(Who::Admin, OWN, "ada"), (Who::Advisor, CLIENT, "dana")] {
        let key = made(&cast, who, business_id).await;
        let creator = Creator {
            caller: cast.caller_id(who).to_owned(),
            user_issuer: ISSUER.to_owned(),
            user_subject: subject.to_owned(),
        };
        assert_eq!(key.creator.as_ref(), Some(&creator));
        let get = GetKeyRequest { business_id: business_id.to_owned(), key_id: key.key_id.clone() };
        let read = cast.keys(who).get_key(get).await.unwrap().into_inner().key;
        assert_eq!(read.as_ref(), Some(&key));
        let request = ListAuditEventsRequest {
            business_id: business_id.to_owned(),
            key_id: key.key_id.clone(),
            ..Default::default()
        };
        let told = cast.keys(who).list_audit_events(request).await.unwrap().into_inner().events;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].action(), AuditAction::CreateKey);
        assert_eq!(told[0].actor, Some(creator));
    }
}

/// Not to be listed, not to be given, and refused in the words for what does not exist; nor are those
/// of Keyward itself.
async fn scopes_of_the_platform_are_not_there(server: Server) {
    server.make_scope("orders.read", Vec::new()).await;
    let scope = Scope {
        name: "orders.admin".to_owned(),
        assignable_by: AssignableBy::Operators.into(),
        ..Scope::default()
    };
    let request =
        UpdateScopeRequest { scope: Some(scope), allow_missing: true, ..Default::default() };
    server.management().update_scope(request).await.unwrap();
    let cast = Cast::on(server).await;
    let key = create(&cast, Who::Admin, OWN, &["orders.read"]).await.unwrap().into_inner().key;
    let key_id = key.unwrap().key_id;
    for (who, business_id) in [(Who::Admin, OWN), (Who::Advisor, CLIENT)] {
        let listed = cast.keys(who).list_scopes(ListScopesRequest::default()).await.unwrap();
        let listed: Vec<String> =
            listed.into_inner().scopes.into_iter().map(|scope| scope.name).collect();
        assert_eq!(listed, ["orders.read"]);
        create(&cast, who, business_id, &["orders.read"]).await.unwrap();
        let told = refused(create(&cast, who, business_id, &["orders.admin", "orders.none"]).await);
        let [(_, admin), (_, none)] = &told.violations[..] else { panic!("{told:?}") };
        assert_eq!(admin.replace("orders.admin", "orders.none"), *none);
        refused(create(&cast, who, business_id, &["keyward.verify"]).await)
            .violates(&[("key.scopes", "keyward.verify: keyward.* scopes are for")]);
    }
    let update = UpdateKeyRequest {
        business_id: OWN.to_owned(),
        key: Some(Key { key_id, scopes: texts(["orders.admin"]), ..Key::default() }),
        update_mask: Some(FieldMask { paths: texts(["scopes"]) }),
        etag: String::new(),
    };
    refused(cast.keys(Who::Admin).update_key(update.clone()).await)
        .violates(&[("key.scopes", "orders.admin is not in the catalogue")]);
    cast.keys(Who::Operate).update_key(update).await.unwrap();
}

/// What the platform suspended only the platform resumes.
async fn users_suspend_and_resume_as_their_business(server: Server) {
    let cast = Cast::on(server).await;
    let key_id = made(&cast, Who::Advisor, CLIENT).await.key_id;
    let suspend = async |who| {
        let request = SuspendKeyRequest { business_id: CLIENT.to_owned(), key_id: key_id.clone() };
        cast.keys(who).suspend_key(request).await.unwrap().into_inner().key.unwrap()
    };
    let resume = async |who| {
        let request = ResumeKeyRequest { business_id: CLIENT.to_owned(), key_id: key_id.clone() };
        cast.keys(who).resume_key(request).await
    };
    assert_eq!(suspend(Who::Advisor).await.suspended_by(), SuspendedBy::Business);
    resume(Who::Advisor).await.unwrap();
    for who in [Who::Triage, Who::Advisor] {
        assert_eq!(suspend(who).await.suspended_by(), SuspendedBy::Platform);
    }
    assert_eq!(refused(resume(Who::Advisor).await).reason, "SUSPENDED_BY_PLATFORM");
    let resumed = resume(Who::Operate).await.unwrap().into_inner().key.unwrap();
    assert_eq!(resumed.state(), KeyState::Active);
}

/// Two people behind one workload, and the workload of a third, do not meet.
async fn a_request_id_is_each_persons_own(server: Server) {
    let cast = Cast::on(server).await;
    cast.grant(OWN, "dana").await;
    let request = CreateKeyRequest {
        business_id: OWN.to_owned(),
        key: Some(named("made")),
        request_id: "6f1c2b7e-2d2c-4a3f-9f39-0a1b2c3d4e5f".to_owned(),
        ..CreateKeyRequest::default()
    };
    let mut key_ids = Vec::new();
    for who in [Who::Admin, Who::Advisor, Who::Operate] {
        let first = cast.keys(who).create_key(request.clone()).await.unwrap().into_inner();
        let again = cast.keys(who).create_key(request.clone()).await.unwrap().into_inner();
        assert!(!first.secret_already_shown && again.secret_already_shown);
        assert_eq!(first.key, again.key);
        key_ids.push(first.key.unwrap().key_id);
    }
    key_ids.sort();
    key_ids.dedup();
    assert_eq!(key_ids.len(), 3);
}

/// A workload that may do everything may do with a token what its user may, and no more.
async fn a_token_narrows_the_platform_too(server: Server) {
    let everything =
        ["keyward.manage", "keyward.operate", "keyward.triage", "keyward.audit", "keyward.verify"];
    let mighty = server.service_key(&everything).await;
    let cast = Cast::on(server).await.with_caller(Who::Admin, &mighty);
    made(&cast, Who::Admin, OWN).await;
    let foreign = create(&cast, Who::Admin, CLIENT, &[]).await;
    assert_eq!(refused(foreign).reason, "PERMISSION_DENIED");
    let rotate = RotateKeyRequest {
        business_id: KEYWARD.to_owned(),
        key_id: mighty.key_id.clone(),
        ..RotateKeyRequest::default()
    };
    assert_eq!(refused(cast.keys(Who::Admin).rotate_key(rotate).await).reason, "PERMISSION_DENIED");
    let verified = cast.verification(Who::Admin).verify(is_good("unknown")).await;
    assert_eq!(refused(verified).reason, "PERMISSION_DENIED");
}
