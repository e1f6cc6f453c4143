//! `keyward import`: the rows of a file, given to a running server in batches. A client like any other,
//! and safe to stop and start again at any moment: a key that is there already is the same key, and a
//! checkpoint beside the file says where to go on.

mod checkpoint;
mod progress;
mod records;
mod row;

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use keyward_proto::v1::{
    BatchImportKeysRequest, ImportKey, ImportKeyResult, ImportOutcome,
    key_management_client::KeyManagementClient,
};
use prost::Message as _;
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;
use zeroize::Zeroizing;

use self::{
    checkpoint::{Checkpoint, Counts},
    progress::Progress,
    records::{Record, Records},
    row::{Columns, Format},
};

/// Rows a batch: large enough that round trips do not count, small enough that other changes get
/// their turn.
const BATCH_MAX: usize = 250;
/// A batch also ends here: the server takes messages of 4 MiB.
const BATCH_BYTES_MAX: usize = 3 * 1024 * 1024;
/// A batch that the server cannot take now is tried again, so often,
const ATTEMPTS_MAX: u32 = 30;
/// and first after so long,
const WAIT_FIRST: Duration = Duration::from_millis(200);
/// and later after so long at most.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long a batch may take.
const CALL_MAX: Duration = Duration::from_secs(60);
/// How long to wait for the server to be reached.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// What to import, and where to.
#[derive(Debug, Args)]
pub struct Import {
    /// The keys: CSV with a header, or an object a line in a file that ends in `.jsonl` or `.ndjson`.
    #[arg(long)]
    pub file: PathBuf,
    /// The running server.
    #[arg(long, default_value = "http://127.0.0.1:50051")]
    pub server: String,
    /// A file that holds the secret of a service key with `keyward.import`. Default: what
    /// KEYWARD_SERVICE_KEY in the environment holds.
    #[arg(long, env = "KEYWARD_SERVICE_KEY_FILE")]
    pub service_key_file: Option<PathBuf>,
    /// Says what would happen, batch by batch, and changes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// A row that is on its way.
struct Sent {
    line: u64,
    key: ImportKey,
}

/// What has come of the file so far.
struct Run {
    client: KeyManagementClient<Channel>,
    bearer: MetadataValue<Ascii>,
    dry_run: bool,
    counts: Counts,
    progress: Progress,
}

impl Import {
    /// Imports the file.
    ///
    /// # Errors
    /// When the file or the server cannot be used, or keys of the file were not imported.
    pub async fn run(
        self,
        service_key: Option<Zeroizing<String>>,
        insecure: bool,
    ) -> anyhow::Result<()> {
        let bearer = self.bearer(service_key)?;
        let client = KeyManagementClient::new(self.channel(insecure)?);
        let format = Format::of(&self.file);
        let mut records = Records::open(&self.file, format)?;
        let columns = Columns::read(format, &mut records)?;
        let checkpoint = if self.dry_run { None } else { Checkpoint::find(&self.file)? };
        if let Some(checkpoint) = &checkpoint {
            records.skip_to((checkpoint.offset, checkpoint.line))?;
            println(&format!("going on at line {}", checkpoint.line));
        }
        let counts = checkpoint.map(|checkpoint| checkpoint.counts).unwrap_or_default();
        let progress = Progress::new(records.length());
        let mut run = Run { client, bearer, dry_run: self.dry_run, counts, progress };
        while run.batch(&mut records, &columns).await? {
            if !self.dry_run {
                let (offset, line) = records.position();
                Checkpoint::write(&self.file, offset, line, run.counts)?;
            }
            run.progress.tell(records.position().0, run.counts);
        }
        if !self.dry_run {
            Checkpoint::remove(&self.file)?;
        }
        run.progress.end();
        let Counts { imported, already, conflicts, invalid } = run.counts;
        let verb = if self.dry_run { "would be imported" } else { "imported" };
        println(&format!(
            "{imported} keys {verb}, {already} already there, {conflicts} conflicts, {invalid} invalid"
        ));
        ensure!(conflicts == 0 && invalid == 0, "{} rows were not imported", conflicts + invalid);
        Ok(())
    }

    fn bearer(
        &self,
        service_key: Option<Zeroizing<String>>,
    ) -> anyhow::Result<MetadataValue<Ascii>> {
        let secret = match &self.service_key_file {
            Some(file) => {
                let read = fs::read_to_string(file);
                Zeroizing::new(read.with_context(|| format!("the file {}", file.display()))?)
            }
            None => service_key.context(
                "a service key with keyward.import is needed: give --service-key-file, or \
                 KEYWARD_SERVICE_KEY in the environment",
            )?,
        };
        let bearer = Zeroizing::new(format!("Bearer {}", secret.trim()));
        let mut bearer: MetadataValue<Ascii> =
            bearer.parse().ok().context("the service key holds characters that no key has")?;
        bearer.set_sensitive(true);
        Ok(bearer)
    }

    fn channel(&self, insecure: bool) -> anyhow::Result<Channel> {
        let endpoint = Endpoint::from_shared(self.server.clone())
            .with_context(|| format!("--server {}", self.server))?;
        let uri = endpoint.uri();
        ensure!(uri.scheme_str() == Some("http"), "--server must begin with http://");
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let loopback = host == "localhost"
            || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        ensure!(
            loopback || insecure,
            "--server {} is elsewhere, and the service key would go there in plain text; say \
             --insecure if something in between encrypts",
            self.server
        );
        Ok(endpoint.timeout(CALL_MAX).connect_timeout(CONNECT_MAX).connect_lazy())
    }
}

impl Run {
    /// One batch of the file; `false` when there is none left.
    async fn batch(&mut self, records: &mut Records, columns: &Columns) -> anyhow::Result<bool> {
        let mut sent = Vec::new();
        let mut bytes = 0;
        let mut any = false;
        while sent.len() < BATCH_MAX && bytes < BATCH_BYTES_MAX {
            let Some(Record { line, text }) = records.next()? else { break };
            any = true;
            match text.and_then(|text| columns.key(&text)) {
                Ok(None) => {}
                Ok(Some(key)) => {
                    bytes += key.encoded_len();
                    sent.push(Sent { line, key: *key });
                }
                Err(fault) => {
                    self.counts.invalid += 1;
                    self.progress.problem(&format!("line {line}: INVALID: {fault}"));
                }
            }
        }
        if !sent.is_empty() {
            self.send(sent).await?;
        }
        Ok(any)
    }

    async fn send(&mut self, sent: Vec<Sent>) -> anyhow::Result<()> {
        let keys = sent.iter().map(|row| row.key.clone()).collect();
        let request = BatchImportKeysRequest { keys, validate_only: self.dry_run };
        let results = self.call(&request).await?;
        ensure!(results.len() == sent.len(), "the server answered for {} keys", results.len());
        for (Sent { line, key }, result) in sent.into_iter().zip(results) {
            let kind = match result.outcome() {
                ImportOutcome::Imported => {
                    self.counts.imported += 1;
                    continue;
                }
                ImportOutcome::AlreadyImported => {
                    self.counts.already += 1;
                    continue;
                }
                ImportOutcome::Conflict => {
                    self.counts.conflicts += 1;
                    "CONFLICT"
                }
                ImportOutcome::Invalid | ImportOutcome::Unspecified => {
                    self.counts.invalid += 1;
                    "INVALID"
                }
            };
            let (business, external) = (key.business_id, key.external_id);
            let detail = result.detail;
            self.progress
                .problem(&format!("line {line}: {kind}: {business:?} {external:?}: {detail}"));
        }
        Ok(())
    }

    /// Repeats what is safe to repeat, which every import is.
    async fn call(
        &mut self,
        request: &BatchImportKeysRequest,
    ) -> anyhow::Result<Vec<ImportKeyResult>> {
        let mut wait = WAIT_FIRST;
        let mut attempts = 0;
        loop {
            let mut call = Request::new(request.clone());
            call.metadata_mut().insert("authorization", self.bearer.clone());
            let status = match self.client.batch_import_keys(call).await {
                Ok(answer) => return Ok(answer.into_inner().results),
                Err(status) => status,
            };
            attempts += 1;
            if !may_pass(&status) || attempts == ATTEMPTS_MAX {
                bail!("{}; run the same command again to go on from here", words(&status));
            }
            self.progress.problem(&format!("waiting: {}", words(&status)));
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(WAIT_MAX);
        }
    }
}

/// Whether the same call may well be answered later.
fn may_pass(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Aborted | Code::DeadlineExceeded | Code::Cancelled
    )
}

/// The server's own words, with its reason if it gave one.
fn words(status: &Status) -> String {
    let reason = status.get_details_error_info().map(|info| info.reason);
    let reason = reason.unwrap_or_else(|| format!("{:?}", status.code()));
    format!("{reason}: {}", status.message())
}

/// A line on standard output.
fn println(line: &str) {
    crate::commands::say(line);
}
