//! Power over Keyward itself does not grow: whatever some service keys do to service keys, they never
//! hold a scope that none of them held before.

use std::collections::BTreeSet;

use apikey::id::{BusinessId, KeyId};
use keyward_proto::v1::{CreateKeyRequest, Key, RotateKeyRequest, UpdateKeyRequest};
use proptest::{collection::vec, prelude::*, sample::subsequence};
use prost_types::FieldMask;
use tokio::runtime::Runtime;

use crate::harness::{
    Server, ServiceKey,
    keys::{named, texts},
};

const KEYWARD: &str = "@keyward";
const SCOPES: [&str; 7] = [
    "keyward.verify",
    "keyward.verify.skip_usage",
    "keyward.manage",
    "keyward.operate",
    "keyward.triage",
    "keyward.import",
    "keyward.audit",
];

type Scopes = Vec<&'static str>;

/// What one of the keys in hand does; the numbers choose among those that there are.
#[derive(Debug, Clone)]
enum Operation {
    Create { by: usize, scopes: Scopes },
    Update { by: usize, of: usize, scopes: Scopes },
    Rotate { by: usize, of: usize },
}

fn operation() -> impl Strategy<Value = Operation> {
    let any = any::<usize>;
    prop_oneof![
        (any(), some_scopes()).prop_map(|(by, scopes)| Operation::Create { by, scopes }),
        (any(), any(), some_scopes()).prop_map(|(by, of, scopes)| Operation::Update {
            by,
            of,
            scopes
        }),
        (any(), any()).prop_map(|(by, of)| Operation::Rotate { by, of }),
    ]
}

fn some_scopes() -> impl Strategy<Value = Scopes> {
    subsequence(SCOPES.to_vec(), 0..=SCOPES.len())
}

/// Those without it can do nothing to service keys, and so most have it.
fn of_a_caller() -> impl Strategy<Value = Scopes> {
    (some_scopes(), prop::bool::weighted(0.8)).prop_map(|(mut scopes, operates)| {
        scopes.retain(|name| *name != "keyward.operate");
        scopes.extend(operates.then_some("keyward.operate"));
        scopes
    })
}

/// Service keys, and which of their secrets the callers have in hand.
struct World {
    server: Server,
    all: Vec<String>,
    /// In the order in which they came there; all of a key's but the last are of no use any more.
    in_hand: Vec<ServiceKey>,
}

impl World {
    /// The callers, and others who never call; the server's own operator is one of them.
    async fn new(callers: &[Scopes], others: &[Scopes]) -> Self {
        let server = Server::on_sqlite().await;
        let mut world =
            Self { all: vec![server.operator.key_id.clone()], in_hand: Vec::new(), server };
        for (scopes, calls) in
            callers.iter().map(|scopes| (scopes, true)).chain(others.iter().map(|s| (s, false)))
        {
            let key = world.server.service_key(scopes).await;
            world.all.push(key.key_id.clone());
            if calls {
                world.in_hand.push(key);
            }
        }
        world
    }

    fn caller(&self, number: usize) -> &str {
        &self.in_hand[number % self.in_hand.len()].secret
    }

    fn key(&self, number: usize) -> String {
        self.all[number % self.all.len()].clone()
    }

    /// Whether it was done.
    async fn run(&mut self, operation: &Operation) -> bool {
        match operation {
            Operation::Create { by, scopes } => {
                let mut caller = self.server.management_as(self.caller(*by));
                let scopes = scopes.iter().map(|name| (*name).to_owned()).collect();
                let request = CreateKeyRequest {
                    business_id: KEYWARD.to_owned(),
                    key: Some(Key { scopes, ..named("made") }),
                    ..CreateKeyRequest::default()
                };
                let Ok(made) = caller.create_key(request).await else { return false };
                let made = made.into_inner();
                let key_id = made.key.unwrap().key_id;
                self.all.push(key_id.clone());
                self.in_hand.push(ServiceKey { key_id, secret: made.secret });
            }
            Operation::Update { by, of, scopes } => {
                let mut caller = self.server.management_as(self.caller(*by));
                let scopes = scopes.iter().map(|name| (*name).to_owned()).collect();
                let request = UpdateKeyRequest {
                    business_id: KEYWARD.to_owned(),
                    key: Some(Key { key_id: self.key(*of), scopes, ..Key::default() }),
                    update_mask: Some(FieldMask { paths: texts(["scopes"]) }),
                    etag: String::new(),
                };
                return caller.update_key(request).await.is_ok();
            }
            Operation::Rotate { by, of } => {
                let mut caller = self.server.management_as(self.caller(*by));
                let key_id = self.key(*of);
                let request = RotateKeyRequest {
                    business_id: KEYWARD.to_owned(),
                    key_id: key_id.clone(),
                    ..RotateKeyRequest::default()
                };
                let Ok(rotated) = caller.rotate_key(request).await else { return false };
                let secret = rotated.into_inner().secret;
                self.in_hand.push(ServiceKey { key_id, secret });
            }
        }
        true
    }

    /// What the keys in hand may do together.
    async fn power(&self) -> BTreeSet<String> {
        let mut power = BTreeSet::new();
        for ServiceKey { key_id, .. } in &self.in_hand {
            let key_id = KeyId::parse(key_id).unwrap();
            let key = self.server.store.get_key(&BusinessId::keyward(), key_id).await.unwrap();
            let scopes = key.unwrap().settings.scopes;
            power.extend(scopes.iter().map(|name| name.as_str().to_owned()));
        }
        power
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_sequence_of_operations_gains_a_scope(
        callers in vec(of_a_caller(), 1..=3),
        others in vec(some_scopes(), 0..=2),
        operations in vec(operation(), 1..=25),
    ) {
        Runtime::new().unwrap().block_on(async {
            let mut world = World::new(&callers, &others).await;
            let before = world.power().await;
            for operation in &operations {
                world.run(operation).await;
                let after = world.power().await;
                assert!(after.is_subset(&before), "{operation:?}: {before:?} became {after:?}");
            }
        });
    }
}

/// The property is about something: with all scopes in hand, each operation is carried out.
#[tokio::test(flavor = "multi_thread")]
async fn who_holds_everything_may_do_everything() {
    let mut world = World::new(&[SCOPES.to_vec()], &[vec!["keyward.audit"]]).await;
    let scopes = vec!["keyward.audit"];
    for operation in [
        Operation::Create { by: 0, scopes: scopes.clone() },
        Operation::Update { by: 0, of: 2, scopes },
        Operation::Rotate { by: 0, of: 2 },
        Operation::Rotate { by: 0, of: 0 },
    ] {
        assert!(world.run(&operation).await, "{operation:?}");
    }
}
