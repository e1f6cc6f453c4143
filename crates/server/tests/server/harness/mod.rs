//! A server in process, and what tests ask of it. Its clock starts at [`START`].

pub(crate) mod engines;
pub(crate) mod keys;
pub(crate) mod told;
pub(crate) mod users;

use std::{sync::Arc, time::Duration};

use apikey::{
    catalogue::AssignableBy,
    clock::{Clock as _, ManualClock, Timestamp},
    digest::{Pepper, PepperSet},
    id::{BusinessId, KeyId},
    scope::{ScopeName, ScopeSet},
    secret::{IssuedSecret, Prefix},
    settings::{Annotations, Description, DisplayName},
    verdict::RECOGNITION_DEFAULT,
};
use keyward_proto::v1::{
    ChangeReceipt, key_management_client::KeyManagementClient,
    key_verification_client::KeyVerificationClient,
};
use keyward_server::{
    assembly::{self, Parts, Running},
    callers::development_issuer::DevelopmentIssuer,
    operator_key::OperatorKey,
    resident::{follower::Follower, gate::Gate},
    usage::flusher::Flusher,
    wire::time,
};
use keyward_store::{
    PoolLimits, Store,
    record::{Act, Actor, NewKey, NewSecret, Settings},
};
use prost::Message;
use ring::rand::{SecureRandom, SystemRandom};
use tempfile::TempDir;
use test_postgres::Database;
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

/// What the clock shows at first: 2026-03-01T12:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_772_366_400_000_000);
/// Both, so that a rotation shows which of them writes and a page token which of them signs.
const PEPPERS: &str = "1 1111111111111111111111111111111111111111111111111111111111111111\n\
                       2 2222222222222222222222222222222222222222222222222222222222222222";
const LIMITS: PoolLimits = PoolLimits { connections: 4, wait: Duration::from_secs(10) };
const DRAIN: Duration = Duration::from_secs(10);

pub(crate) type Management = KeyManagementClient<InterceptedService<Channel, Bearer>>;
pub(crate) type Verification = KeyVerificationClient<InterceptedService<Channel, Bearer>>;

/// A server that serves until its test ends.
pub(crate) struct Server {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) running: Running,
    /// May do everything.
    pub(crate) operator: ServiceKey,
    pub(crate) channel: Channel,
    pub(crate) peppers: Arc<PepperSet>,
    random: Arc<dyn SecureRandom + Send + Sync>,
    users: DevelopmentIssuer,
    home: Home,
}

/// A service key with its secret.
pub(crate) struct ServiceKey {
    pub(crate) key_id: String,
    pub(crate) secret: String,
}

/// Where the store's data lies, as long as this lives.
enum Home {
    Folder(TempDir),
    Database(Database),
}

/// Presents a service key.
#[derive(Clone)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

impl Server {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::sqlite(folder.path(), LIMITS).unwrap();
        Self::start(store, Home::Folder(folder)).await
    }

    pub(crate) async fn on_postgres(database: Database) -> Self {
        let url = database.url();
        Self::reaching_postgres_by(&url, database).await
    }

    pub(crate) async fn reaching_postgres_by(url: &str, database: Database) -> Self {
        let store = Store::postgres(url, LIMITS).unwrap();
        Self::start(store, Home::Database(database)).await
    }

    #[expect(clippy::disallowed_methods, reason = "the tests' assembly")]
    async fn start(store: Store, home: Home) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let random: Arc<dyn SecureRandom + Send + Sync> = Arc::new(SystemRandom::new());
        let peppers = Arc::new(PepperSet::parse(PEPPERS).unwrap());
        let prefixes: Arc<[Prefix]> = ["kw", "kw_test"].map(|p| Prefix::parse(p).unwrap()).into();
        store.migrate().await.unwrap();
        let key =
            OperatorKey::generate("operator", &prefixes[0], &peppers, &*random, &*clock).unwrap();
        let secret = key.secret.expose().to_owned();
        let key_id = key.store(&store, &*clock).await.unwrap().key_id.to_string();

        let gate = Arc::new(Gate::default());
        let follower =
            Follower::start(store.clone(), Arc::clone(&gate), clock.clone(), RECOGNITION_DEFAULT);
        let usage = Flusher::open(store.clone(), clock.clone(), Arc::clone(&random));
        let (users, asked) = users::issuer(&*random, clock.clone());
        let parts = Parts {
            store: store.clone(),
            follower: Arc::new(follower.await.unwrap()),
            gate,
            usage: Arc::new(usage.await.unwrap()),
            peppers: Arc::clone(&peppers),
            random: Arc::clone(&random),
            clock: clock.clone(),
            users: Some(asked),
            prefixes,
            recognition: RECOGNITION_DEFAULT,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let running = assembly::start(parts, listener, None, DRAIN).await.unwrap();
        let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
        let operator = ServiceKey { key_id, secret };
        Self { store, clock, running, operator, channel, peppers, random, users, home }
    }

    /// KeyManagement, called by the operator.
    pub(crate) fn management(&self) -> Management {
        self.management_as(&self.operator.secret)
    }

    pub(crate) fn management_as(&self, secret: &str) -> Management {
        KeyManagementClient::with_interceptor(self.channel.clone(), Bearer::new(secret))
    }

    /// KeyVerification, called by the operator.
    pub(crate) fn verification(&self) -> Verification {
        self.verification_as(&self.operator.secret)
    }

    pub(crate) fn verification_as(&self, secret: &str) -> Verification {
        KeyVerificationClient::with_interceptor(self.channel.clone(), Bearer::new(secret))
    }

    /// Any message to any path, presented as `request` says and nothing else.
    pub(crate) async fn call<M: Message + Default + 'static>(
        &self,
        path: &'static str,
        request: Request<M>,
    ) -> Result<Response<()>, Status> {
        let mut grpc = tonic::client::Grpc::new(self.channel.clone());
        grpc.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<M, ()>::default();
        grpc.unary(request, http::uri::PathAndQuery::from_static(path), codec).await
    }

    /// A service key with exactly these scopes: past the RPCs, which make no operators.
    pub(crate) async fn service_key(&self, scopes: &[&str]) -> ServiceKey {
        self.key_under(self.peppers.newest(), BusinessId::keyward(), scopes).await
    }

    /// A key whose secret is digested under this pepper: past the RPCs, which know one that writes.
    pub(crate) async fn key_under(
        &self,
        pepper: &Pepper,
        business_id: BusinessId,
        scopes: &[&str],
    ) -> ServiceKey {
        let prefix = Prefix::default();
        let secret = IssuedSecret::generate(&prefix, &*self.random).unwrap();
        let scopes = scopes.iter().map(|name| ScopeName::parse(name).unwrap());
        let new = NewKey {
            key_id: KeyId::generate(self.clock.now(), &*self.random).unwrap(),
            business_id,
            settings: Settings {
                display_name: DisplayName::parse("service").unwrap(),
                description: Description::default(),
                scopes: ScopeSet::from_names(scopes).unwrap(),
                annotations: Annotations::default(),
            },
            expire_time: None,
            prefix,
            obfuscated_secret: secret.obfuscated(),
            creator: Actor::workload(Actor::COMMAND_LINE),
            secret: NewSecret {
                digest: pepper.digest(&secret.hash()),
                pepper_version: pepper.version(),
            },
        };
        let act = Act {
            actor: new.creator.clone(),
            peer_address: String::new(),
            time: self.clock.now(),
            admitted_at: None,
            by_grant: false,
        };
        let made = self.store.create_key(new, AssignableBy::Operators, None, act).await;
        self.running.follower.catch_up().await.unwrap();
        let key_id = made.unwrap().value.key_id.to_string();
        ServiceKey { key_id, secret: secret.expose().to_owned() }
    }

    /// What the clock shows, and so many seconds later.
    pub(crate) fn time_in(&self, seconds: u64) -> prost_types::Timestamp {
        time::to_wire(self.clock.now().saturating_add(Duration::from_secs(seconds)))
    }

    /// The receipt of the newest change, made at this moment.
    pub(crate) async fn receipt(&self) -> Option<ChangeReceipt> {
        Some(ChangeReceipt {
            revision: self.store.revision().await.unwrap().0,
            commit_time: Some(self.time_in(0)),
            effective_time: Some(self.time_in(0)),
            replicas_acknowledged: 1,
            replicas_expired: 0,
        })
    }

    /// Changes keys past the server. On SQLite it has to be forced.
    pub(crate) fn by_hand(&self, sql: &str) {
        match &self.home {
            Home::Database(database) => drop(database.psql(sql).unwrap()),
            Home::Folder(folder) => {
                let forced = format!("drop trigger if exists keys_update_stamped; {sql}");
                test_sqlite::execute(&folder.path().join("keyward.db"), &forced).unwrap();
            }
        }
    }

    /// Sets the history back by a place, as a restored database has it. No statement by hand can.
    pub(crate) fn set_back(&self) {
        let unguarded = match &self.home {
            Home::Database(_) => "alter table change_counter disable trigger forward_only",
            Home::Folder(_) => "drop trigger change_counter_forward_only",
        };
        self.by_hand(&format!("{unguarded}; update change_counter set rev = rev - 1"));
    }

    /// The PostgreSQL below.
    pub(crate) fn database(&self) -> &Database {
        match &self.home {
            Home::Database(database) => database,
            Home::Folder(_) => panic!("this server is on SQLite"),
        }
    }
}

impl Bearer {
    pub(crate) fn new(secret: &str) -> Self {
        Self(format!("Bearer {secret}").parse().unwrap())
    }

    /// An empty request that presents the key.
    pub(crate) fn request(secret: &str) -> Request<()> {
        Self::new(secret).call(Request::new(())).unwrap()
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}
