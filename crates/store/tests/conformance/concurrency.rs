//! Many writers at once: none fails for the others' sake, and none decides on what another has
//! changed meanwhile.

use std::fmt::Debug;

use apikey::{
    catalogue::AssignableBy,
    id::BusinessId,
    scope::built_in::OPERATE,
    settings::{Annotations, Description},
};
use keyward_store::{
    Store,
    change::SettingsPatch,
    error::{ChangeError, Refused},
    record::{NewKey, Revision},
};
use tokio::task::JoinSet;

use crate::{database::Database, samples::*};

on_each_engine![
    writers_of_different_keys_all_succeed,
    changes_of_one_key_do_not_undo_each_other,
    the_key_limit_holds_against_many,
    one_of_two_last_operators_stays,
];

/// From two processes, as from a server and a command line. Each change has a place of its own.
async fn writers_of_different_keys_all_succeed(db: Database) {
    const WRITERS: u64 = 64;
    let stores = [db.store.clone(), db.other_store()];
    let mut writers = JoinSet::new();
    for (store, number) in stores.into_iter().cycle().zip(1..=WRITERS) {
        writers.spawn(async move {
            let created =
                store.create_key(new_key(number), AssignableBy::Users, None, act(at(0))).await;
            let rotated = change(&store, number, rotate(1_000 + number, None), at(1)).await;
            [created.unwrap().revision, rotated.unwrap().revision]
        });
    }
    let mut taken: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    taken.sort();
    let all = (1..).map(Revision).take(taken.len());
    assert!(taken.iter().copied().eq(all), "{taken:?}");
    assert_eq!(held(&db.store).await.len(), 128);
}

/// Each round, three processes change three settings of one key, and a fourth its secret.
async fn changes_of_one_key_do_not_undo_each_other(db: Database) {
    create(&db.store, new_key(1), at(0)).await;
    let stores = [(); 4].map(|()| db.other_store());
    for round in 1..=20_u64 {
        let text = round.to_string();
        let description = Description::parse(&text).unwrap();
        let annotations = Annotations::from_entries([("round".to_owned(), text.clone())]).unwrap();
        let none = SettingsPatch::default;
        let changes = [
            rename(&text),
            update(SettingsPatch { description: Some(description.clone()), ..none() }),
            update(SettingsPatch { annotations: Some(annotations.clone()), ..none() }),
            rotate(round + 1, None),
        ];
        let mut writers = JoinSet::new();
        for (store, next) in stores.clone().into_iter().zip(changes) {
            writers.spawn(async move { change(&store, 1, next, at(1)).await.unwrap() });
        }
        writers.join_all().await;
        let key = get(&db.store, 1).await;
        assert_eq!(key.settings.display_name.as_str(), text);
        assert_eq!(key.settings.description, description);
        assert_eq!(key.settings.annotations, annotations);
        assert_eq!(key.obfuscated_secret, format!("kw_…{}", round + 1));
    }
}

async fn the_key_limit_holds_against_many(db: Database) {
    create(&db.store, new_key(0), at(0)).await;
    db.execute("update businesses set key_limit = 5").unwrap();
    let create = |store: Store, number| async move {
        store.create_key(new_key(number), AssignableBy::Users, None, act(at(0))).await
    };
    let results = all_at_once(&db, 16, create).await;
    assert_eq!(results.iter().filter(|refusal| refusal.is_none()).count(), 4);
    let refused = results.into_iter().flatten();
    refused.for_each(|refusal| assert_eq!(refusal, Refused::KeyLimitReached { limit: 5 }));
    assert_eq!(held(&db.store).await.len(), 5);
}

async fn one_of_two_last_operators_stays(db: Database) {
    for number in 1..=2 {
        let mut operator = NewKey { business_id: BusinessId::keyward(), ..new_key(number) };
        operator.settings.scopes = scopes([OPERATE]);
        create(&db.store, operator, at(0)).await;
    }
    let revoke = |store: Store, number| async move {
        store
            .change_key(target(&BusinessId::keyward(), key_id(number)), revoke(), None, act(at(1)))
            .await
    };
    let mut results = all_at_once(&db, 2, revoke).await;
    results.sort_by_key(Option::is_some);
    assert_eq!(results, [None, Some(Refused::LastOperatorKey)]);
}

/// What so many processes are told that each do this with a number of their own, from 1.
async fn all_at_once<T, Done>(
    db: &Database,
    processes: u64,
    work: impl Fn(Store, u64) -> Done,
) -> Vec<Option<Refused>>
where
    T: Debug + Send + 'static,
    Done: Future<Output = Result<T, ChangeError>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for number in 1..=processes {
        tasks.spawn(work(db.other_store(), number));
    }
    let results = tasks.join_all().await;
    results.into_iter().map(|result| result.is_err().then(|| refusal(result))).collect()
}
