//! What was acknowledged survives `kill -9`, and what was not is there whole or not at all.

use std::collections::HashMap;

use keyward_proto::v1::{Key, KeyState, ListKeysRequest, Verdict};
use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinSet,
};

use crate::{
    client::{BUSINESS, Client, Made},
    home::Home,
};

const ROUNDS: usize = 20;
/// Callers at once.
const CALLERS: usize = 4;

/// What its maker knows of a key.
struct Life {
    made: Made,
    revocation: Revocation,
}

enum Revocation {
    Unasked,
    /// Whether it happened nobody was told.
    Asked,
    Acknowledged,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_changes_survive_kills_in_mid_burst() {
    let home = Home::on_sqlite();
    let mut lives = Vec::new();
    for round in 1..=ROUNDS {
        let server = home.serve(&[]);
        let client = Client::new(&server, &home.operator_key());
        let (acknowledge, mut acknowledged) = unbounded_channel();
        let live = || live_until_the_kill(client.clone(), acknowledge.clone());
        let callers: JoinSet<_> = (0..CALLERS).map(|_| live()).collect();
        for _ in 0..round {
            acknowledged.recv().await.unwrap();
        }
        server.kill();
        lives.extend(callers.join_all().await.into_iter().flatten());
    }

    let server = home.serve(&[]);
    let client = Client::new(&server, &home.operator_key());
    let keys = keys(&client).await;
    for Life { made, revocation } in &lives {
        let key = &keys[&made.key_id];
        let revoked = match revocation {
            Revocation::Unasked => false,
            Revocation::Asked => key.state() == KeyState::Revoked,
            Revocation::Acknowledged => true,
        };
        let state = if revoked { KeyState::Revoked } else { KeyState::Active };
        assert_eq!((key.state(), key.revoke_time.is_some()), (state, revoked));
        let verdict = if revoked { Verdict::Revoked } else { Verdict::Valid };
        assert_eq!(client.verdict(&made.secret).await.unwrap(), verdict);
    }
    // Every key has its one secret; besides there is the operator's.
    assert_eq!(server.secrets, keys.len() + 1);
    assert!(keys.len() <= lives.len() + ROUNDS * CALLERS, "keys that nobody asked for");
}

/// Makes keys, and revokes every other one.
async fn live_until_the_kill(client: Client, acknowledge: UnboundedSender<()>) -> Vec<Life> {
    let mut lives = Vec::new();
    while let Ok(made) = client.create_key().await {
        acknowledge.send(()).unwrap();
        let mut revocation = Revocation::Unasked;
        if lives.len() % 2 == 0 {
            revocation = Revocation::Asked;
            if client.revoke_key(&made.key_id).await.is_ok() {
                acknowledge.send(()).unwrap();
                revocation = Revocation::Acknowledged;
            }
        }
        lives.push(Life { made, revocation });
    }
    lives
}

/// All keys of the business, by id.
async fn keys(client: &Client) -> HashMap<String, Key> {
    let list = ListKeysRequest {
        business_ids: vec![BUSINESS.to_owned()],
        page_size: 1_000,
        ..ListKeysRequest::default()
    };
    let page = client.management().list_keys(client.request(list)).await.unwrap().into_inner();
    assert_eq!(page.next_page_token, "", "more keys than one page holds");
    page.keys.into_iter().map(|key| (key.key_id.clone(), key)).collect()
}
