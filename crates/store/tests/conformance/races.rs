//! Changes that race for one thing: however they interleave, what stands is what the order of their
//! revisions makes of it.

use apikey::{catalogue::AssignableBy, id::BusinessId};
use keyward_store::{
    Store,
    business::BusinessPatch,
    error::{ChangeError, Refused, ScopeProblem},
    record::{NewKey, Revision},
};
use tokio::{join, task::JoinSet};

use crate::{database::Database, samples::*};

on_each_engine![a_scope_is_given_before_it_is_retired_or_not_at_all, the_limit_of_its_moment_holds,];

/// To a new key and to one that is there, while a third process retires it, by force or not. No live key
/// gets a retired scope, and none is refused one that is live.
async fn a_scope_is_given_before_it_is_retired_or_not_at_all(db: Database) {
    const ROUNDS: u64 = 40;
    let [one, other, third] = [(); 3].map(|()| db.other_store());
    for round in 1..=ROUNDS {
        let (name, force) = (format!("scope.{round}"), round % 2 == 0);
        catalogue(&db.store, &name, scope_edit()).await;
        create(&db.store, new_key(2 * round), at(0)).await;
        let mut new = new_key(2 * round + 1);
        new.settings.scopes = scopes([&name]);
        let name = scope(&name);
        let (made, updated, retired) = join!(
            one.create_key(new, AssignableBy::Users, None, act(at(1))),
            change(&other, 2 * round, rescope([name.as_str()]), at(1)),
            third.retire_scope(&name, force, act(at(1))),
        );
        let given: Vec<_> = [made, updated].map(|given| given.map(|key| key.revision)).into();
        let count = i64::try_from(given.iter().filter(|given| given.is_ok()).count()).unwrap();
        match retired {
            Ok(retired) => {
                for given in given {
                    match given {
                        Ok(revision) => assert!(force && revision < retired.revision),
                        refused => {
                            let problem = vec![(name.clone(), ScopeProblem::Retired)];
                            assert_eq!(refusal(refused), Refused::Scopes(problem));
                        }
                    }
                }
                assert_eq!(retired.value.narrowed_keys, count);
            }
            refused => {
                let Refused::ScopeInUse { live_keys } = refusal(refused) else { panic!("{name}") };
                assert!(!force && (1..=2).contains(&live_keys));
                assert_eq!(count, 2);
            }
        }
    }
}

/// Many make keys while others lower and raise the limit: no key is made that the limit of its moment
/// forbids, and none is refused for a limit that never was.
async fn the_limit_of_its_moment_holds(db: Database) {
    const ROUNDS: u64 = 10;
    const CREATIONS: u64 = 6;
    const LIMITS: [i32; 3] = [5, 4, 6];
    for round in 1..=ROUNDS {
        let business_id = business(&format!("business-{round}"));
        let new = |number| NewKey { business_id: business_id.clone(), ..new_key(number) };
        let first = round * 100;
        for number in 0..3 {
            create(&db.store, new(first + number), at(0)).await;
        }
        limit_to(db.store.clone(), business_id.clone(), LIMITS[0]).await.unwrap();

        let mut changes = JoinSet::new();
        for number in 3..3 + CREATIONS {
            let (store, new) = (db.other_store(), new(first + number));
            changes.spawn(async move {
                let made = store.create_key(new, AssignableBy::Users, None, act(at(1))).await;
                made.map(|made| (made.revision, None))
            });
        }
        for limit in [LIMITS[1], LIMITS[2]] {
            changes.spawn(limit_to(db.other_store(), business_id.clone(), limit));
        }
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for result in changes.join_all().await {
            match result {
                Ok(change) => taken.push(change),
                result => refused.push(refusal(result)),
            }
        }
        taken.sort();
        let (mut live, mut limit) = (3, LIMITS[0]);
        for (revision, new_limit) in taken {
            match new_limit {
                Some(new_limit) => limit = new_limit,
                None => {
                    assert!(live < limit, "{revision}: {live} of {limit}");
                    live += 1;
                }
            }
        }
        for refused in refused {
            let Refused::KeyLimitReached { limit } = refused else { panic!("{refused}") };
            assert!(LIMITS.contains(&limit));
        }
        let stands = db.store.get_business(&business_id, at(1)).await.unwrap().unwrap();
        assert_eq!((stands.live_keys, stands.key_limit), (i64::from(live), limit));
    }
}

async fn limit_to(
    store: Store,
    business_id: BusinessId,
    limit: i32,
) -> Result<(Revision, Option<i32>), ChangeError> {
    let patch = BusinessPatch { key_limit: Some(limit), ..BusinessPatch::default() };
    let limited = store.update_business(&business_id, patch, None, act(at(1))).await;
    limited.map(|limited| (limited.revision, Some(limit)))
}
