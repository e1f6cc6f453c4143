//! A secret that gets another digest is found at every moment.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
};

use apikey::{
    digest::PepperVersion,
    id::KeyId,
    lifecycle::Lifecycle,
    scope::ScopeSet,
    settings::{Annotations, DisplayName},
    verdict::Generation,
};

use super::*;

const SECRETS: usize = 3_000;

fn peppers() -> PepperSet {
    PepperSet::parse(&format!("1 {}\n2 {}", "1".repeat(64), "2".repeat(64))).unwrap()
}

fn secret(number: usize) -> Vec<u8> {
    format!("secret {number}").into_bytes()
}

/// The digest under the newest pepper, and under the older one.
fn digests(peppers: &PepperSet, number: usize) -> [Digest; 2] {
    let hash = SecretHash::of(&secret(number));
    let all: Vec<Digest> = peppers.iter().map(|pepper| pepper.digest(&hash)).collect();
    [all[0], all[1]]
}

fn held(digest: Digest) -> HeldSecret {
    HeldSecret {
        digest,
        pepper_version: PepperVersion::new(1).unwrap(),
        generation: Generation::Current,
        key_id: KeyId::from_bytes([1; 16]),
        business_id: BusinessId::parse("acme").unwrap(),
        display_name: DisplayName::parse("a key").unwrap(),
        scopes: ScopeSet::default(),
        annotations: Annotations::default(),
        lifecycle: Lifecycle::default(),
    }
}

/// Before its move it is outdated, afterwards it is not, and meanwhile it is either.
#[test]
fn a_secret_that_is_moved_is_never_nowhere() {
    let (view, peppers) = (View::empty(), peppers());
    view.put_secrets((0..SECRETS).map(|i| held(digests(&peppers, i)[1])).collect(), &[]);
    let find = |number| view.find(&peppers, &secret(number));
    assert!(find(0).unwrap().outdated.is_some());
    assert!(find(SECRETS).is_none());
    let (moving, found) = (AtomicUsize::new(0), AtomicU64::new(0));
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            while moving.load(Ordering::Acquire) < SECRETS {
                let number = moving.load(Ordering::Acquire);
                assert!(number >= SECRETS || find(number).is_some(), "secret {number}");
                found.fetch_add(1, Ordering::Release);
            }
        });
        for number in 0..SECRETS {
            moving.store(number, Ordering::Release);
            // The reader is at it by now, or has failed.
            let before = found.load(Ordering::Acquire);
            while found.load(Ordering::Acquire) == before && !reader.is_finished() {
                thread::yield_now();
            }
            let [newest, older] = digests(&peppers, number);
            view.put_secrets(vec![held(newest)], &[older]);
        }
        moving.store(SECRETS, Ordering::Release);
    });
    assert!((0..SECRETS).all(|number| find(number).unwrap().outdated.is_none()));
}
