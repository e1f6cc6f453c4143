//! BUSINESS_SUSPENDED: all keys of a business at once.

use keyward_proto::v1::{BusinessState, RotateKeyRequest, Verdict};

use super::{denial, not_found};
use crate::harness::{
    Server,
    engines::on_each_engine,
    keys::{ACME, is_good, named},
};

on_each_engine!(it_comes_before_all_but_not_found_and_it_ends);

/// Only which key it is is told; a graver fault is not; and other businesses' keys stay good.
async fn it_comes_before_all_but_not_found_and_it_ends(server: Server) {
    let (good, revoked) = (server.make_key(named("a")).await, server.make_key(named("b")).await);
    let rotated = server.make_key(named("c")).await;
    let other = server.make_key_of("other", named("d")).await;
    server.revoke_key(&revoked.key_id).await;
    let rotate = RotateKeyRequest {
        business_id: ACME.to_owned(),
        key_id: rotated.key_id.clone(),
        ..RotateKeyRequest::default()
    };
    server.management().rotate_key(rotate).await.unwrap();

    server.set_business_state(ACME, BusinessState::Suspended).await;
    for made in [&good, &revoked, &rotated] {
        let expected = denial(&server, made, Verdict::BusinessSuspended).await;
        assert_eq!(server.verify(is_good(&made.secret)).await, expected);
    }
    assert_eq!(server.verify(is_good("unknown")).await, not_found(&server).await);
    assert!(server.verify(is_good(&other.secret)).await.valid);
    let late = server.make_key(named("made meanwhile")).await;
    let verdict = server.verify(is_good(&late.secret)).await.verdict();
    assert_eq!(verdict, Verdict::BusinessSuspended);

    server.set_business_state(ACME, BusinessState::Active).await;
    for (made, verdict) in [
        (good, Verdict::Valid),
        (late, Verdict::Valid),
        (revoked, Verdict::Revoked),
        (rotated, Verdict::SecretRotated),
    ] {
        assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), verdict);
    }
}
