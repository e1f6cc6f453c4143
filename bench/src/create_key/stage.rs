//! One cluster with two databases of the same content: Keyward writes to one, pgbench to the other,
//! so that Keyward's memory does not fill with what pgbench makes.

use anyhow::{Context as _, ensure};
use keyward_proto::v1::key_management_client::KeyManagementClient;
use tempfile::TempDir;
use test_postgres::{Cluster, Database, Options};
use tonic::Request;

use super::{
    callers::create_key,
    script::{Script, Unique},
};
use crate::{
    call,
    machine::Build,
    operator::make_keys,
    process::{Process, SERVER_LIMIT, Server},
};

/// Keys are spread over so many businesses: each CreateKey counts those of its business.
pub(super) const BUSINESSES: u32 = 1_000;
/// The business and the revision of the logged call: numbers that nothing else in it is.
const LOGGED_BUSINESS: u32 = 777_777;
const LOGGED_AFTER: u32 = 888_888;
const PEPPERS: &str = "1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";

/// See the module. Fields are dropped in their order: servers first.
pub(super) struct Stage {
    pub(super) keyward: Server,
    pub(super) operator_key: String,
    pub(super) script: Script,
    /// What PostgreSQL calls itself.
    pub(super) postgres: String,
    pub(super) folder: TempDir,
    /// Held for Keyward.
    _keyward_database: Database,
    pub(super) pgbench_database: Database,
    _cluster: Cluster,
}

impl Stage {
    pub(super) async fn set(build: &Build) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("keyward-bench-").tempdir()?;
        let peppers = folder.path().join("peppers");
        std::fs::write(&peppers, PEPPERS)?;
        // Whoever commits waits for the disk, as in production.
        let cluster = Cluster::start_with(&Options { fsync: true, ..Options::default() })?;
        let keyward_database = cluster.create_database()?;
        let url = keyward_database.url();
        let peppers = peppers.to_str().context("the temporary folder's path is no text")?;
        let program = build.program("keyward")?;
        let common = ["--database-url", &url, "--pepper-file", peppers];
        run(&[&[program.as_str(), "migrate", "up"], common.as_slice()].concat()).await?;
        let make_operator = [&[program.as_str(), "operator-key"], common.as_slice()].concat();
        let operator_key = run(&make_operator).await?.trim().to_owned();

        let serve = [&[program.as_str()], common.as_slice(), &["--listen", "127.0.0.1:0"]].concat();
        let script = log_a_call(&cluster, &keyward_database, &serve, &operator_key).await?;
        // Their first mentions are no part of what is measured.
        keyward_database.psql(&format!(
            "insert into businesses (business_id, rev, key_limit, create_time, update_time)
             select n::text, 0, 1000, now(), now() from generate_series(1, {BUSINESSES}) as n"
        ))?;
        let pgbench_database = cluster.create_database_from(&keyward_database)?;
        let postgres = keyward_database.psql("select split_part(version(), ' on ', 1)")?;
        let keyward = Server::start(None, &serve).await.context("starting Keyward")?;
        Ok(Self {
            keyward,
            operator_key,
            script,
            postgres,
            folder,
            _keyward_database: keyward_database,
            pgbench_database,
            _cluster: cluster,
        })
    }
}

/// Makes a scope and a few keys, and reads the statements of the last out of PostgreSQL's log.
async fn log_a_call(
    cluster: &Cluster,
    database: &Database,
    serve: &[&str],
    operator_key: &str,
) -> anyhow::Result<Script> {
    let name = database.name();
    database.psql(&format!("update change_counter set rev = {LOGGED_AFTER}"))?;
    database.psql(&format!("alter database {name} set log_statement = 'all'"))?;
    let server = Server::start(None, serve).await.context("starting Keyward")?;
    make_keys(server.address, operator_key).await?;
    let mut client = KeyManagementClient::new(call::connect(server.address).await?);
    let mut revision = 0;
    // Not the business's first, and not the first of a connection.
    for _ in 0..20 {
        let mut request = Request::new(create_key(LOGGED_BUSINESS));
        request.metadata_mut().insert("authorization", format!("Bearer {operator_key}").parse()?);
        let receipt = client.create_key(request).await?.into_inner().receipt;
        revision = receipt.context("a receipt")?.revision;
    }
    server.stop().await?;
    database.psql(&format!("alter database {name} reset log_statement"))?;
    let log = std::fs::read_to_string(cluster.folder().join("log"))?;
    let unique = Unique { business: LOGGED_BUSINESS.to_string(), revision: revision.to_string() };
    Script::of(&log, &unique)
}

/// What a program says that ends well.
async fn run(command: &[&str]) -> anyhow::Result<String> {
    let (status, said) = Process::start(None, command)?.finish(SERVER_LIMIT).await?;
    ensure!(status.success(), "{:?} ended with {status}", command.get(1));
    Ok(said)
}
