//! A secret under an older pepper verifies as any other, and is moved to the newest by its use.

use std::time::Duration;

use apikey::{digest::Pepper, id::BusinessId};
use keyward_proto::v1::{LookupKeyRequest, Verdict};
use keyward_store::peppers::PepperUse;
use tokio::time::timeout;

use crate::harness::{
    Server, ServiceKey,
    engines::on_each_engine,
    keys::{ACME, is_good},
};

on_each_engine!(
    a_good_secret_is_moved_by_its_use_and_stays_good,
    a_service_key_is_moved_too,
    a_bad_secret_is_not_moved,
);

/// What waits for no event of its own is asked for again, so long at most.
const BOUND: Duration = Duration::from_secs(30);

fn oldest(server: &Server) -> &Pepper {
    server.peppers.iter().last().unwrap()
}

async fn under_oldest(server: &Server) -> ServiceKey {
    let acme = BusinessId::parse(ACME).unwrap();
    server.key_under(oldest(server), acme, &[]).await
}

/// Live secrets under the oldest pepper; the peppers are made known first, as a start does.
async fn left(server: &Server) -> i64 {
    let now = apikey::clock::Timestamp::MIN;
    server.store.check_peppers(&server.peppers, now, now).await.unwrap().unwrap();
    let uses = server.store.pepper_uses(now).await.unwrap();
    let (_, PepperUse { live, dead: _ }) = uses[0];
    live
}

async fn verdict(server: &Server, key: &ServiceKey) -> Verdict {
    server.verify(is_good(&key.secret)).await.verdict()
}

/// Through rotations of memory, too: no call finds it nowhere.
async fn a_good_secret_is_moved_by_its_use_and_stays_good(server: Server) {
    let mut keys = Vec::new();
    for _ in 0..50 {
        keys.push(under_oldest(&server).await);
    }
    let before = server.get_key(&keys[0].key_id).await;
    assert_eq!(left(&server).await, 50);
    let all_moved = async {
        while left(&server).await > 0 {
            for key in &keys {
                assert_eq!(verdict(&server, key).await, Verdict::Valid);
            }
        }
    };
    timeout(BOUND, all_moved).await.unwrap();
    for key in &keys {
        assert_eq!(verdict(&server, key).await, Verdict::Valid);
    }
    let after = server.get_key(&keys[0].key_id).await;
    assert_eq!((after.etag, after.update_time), (before.etag, before.update_time));
    let look_up = LookupKeyRequest { presented_secret: keys[0].secret.clone() };
    let found = server.management().lookup_key(look_up).await.unwrap().into_inner();
    assert!(found.generation.unwrap().current);
    server.revoke_key(&keys[0].key_id).await;
    assert_eq!(verdict(&server, &keys[0]).await, Verdict::Revoked);
}

async fn a_service_key_is_moved_too(server: Server) {
    let scopes = ["keyward.verify"];
    let service = server.key_under(oldest(&server), BusinessId::keyward(), &scopes).await;
    let all_moved = async {
        while left(&server).await > 0 {
            server.verification_as(&service.secret).verify(is_good("x")).await.unwrap();
        }
    };
    timeout(BOUND, all_moved).await.unwrap();
    server.verification_as(&service.secret).verify(is_good("x")).await.unwrap();
}

/// Only a presented secret that is good is worth a change: nothing else comes into the queue.
async fn a_bad_secret_is_not_moved(server: Server) {
    let bad = under_oldest(&server).await;
    server.suspend_key(&bad.key_id).await;
    let good = under_oldest(&server).await;
    let good_is_moved = async {
        while left(&server).await > 1 {
            assert_eq!(verdict(&server, &bad).await, Verdict::Suspended);
            assert_eq!(verdict(&server, &good).await, Verdict::Valid);
        }
    };
    timeout(BOUND, good_is_moved).await.unwrap();
    assert_eq!(left(&server).await, 1);
    assert_eq!(verdict(&server, &bad).await, Verdict::Suspended);
}
