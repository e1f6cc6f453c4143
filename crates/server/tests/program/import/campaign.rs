//! The import of a large file, killed again and again, while other callers verify.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    time::{Duration, Instant},
};

use keyward_proto::v1::Verdict;
use tonic::Code;

use super::{command, sha256_hex};
use crate::{campaign::Told, client::Client, draw::Draw, home::Home, process::Process};

/// Keys, unless told otherwise.
const KEYS: u64 = 2_000;
/// Keys a business: fewer than it may hold.
const KEYS_A_BUSINESS: u64 = 200;
/// The client is killed after so many verifications at most, or where there are many keys after one for
/// each so many,
const VERIFICATIONS_MOST: u64 = 400;
const KEYS_A_VERIFICATION: u64 = 100;
/// and in one of so many rounds the server is.
const SERVER_KILLED_EVERY: u64 = 12;
/// Each of so many rounds begins with as many verifications without an import, so that whatever else the
/// machine does weighs on both.
const QUIET_EVERY: u64 = 4;
/// The first verifications that a server answers do not count.
const WARM_UP: u64 = 100;
/// So many of the keys are verified at the end.
const VERIFIED_AT_THE_END: u64 = 2_000;
const FILE: &str = "keys.csv";

/// What is to be done.
#[derive(Debug)]
pub(super) struct Campaign {
    pub(super) told: Told,
    pub(super) keys: u64,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) client_kills: u64,
    pub(super) server_kills: u64,
    /// How long the imports ran, kills and all.
    pub(super) took: Duration,
    pub(super) verified: u64,
    /// Between two imports, and during them.
    pub(super) quiet: Latencies,
    pub(super) meanwhile: Latencies,
    pub(super) violations: Vec<String>,
}

/// How long verifications took.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    answers: Vec<Duration>,
    /// So often there was none: the server had no time to prove that it may answer.
    pub(super) unavailable: u64,
}

impl Latencies {
    pub(super) fn count(&self) -> usize {
        self.answers.len()
    }

    /// So many hundredths of them took no longer.
    pub(super) fn percentile(&self, hundredths: usize) -> Duration {
        let mut sorted = self.answers.clone();
        sorted.sort();
        let place = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
        sorted.get(place).copied().unwrap_or_default()
    }
}

/// The one key that callers verify all the while.
struct Probe {
    client: Client,
    secret: String,
}

impl Probe {
    /// So often, and how long each took.
    async fn verify(&self, times: u64, latencies: &mut Latencies) {
        for _ in 0..times {
            let start = Instant::now();
            match self.client.verdict(&self.secret).await {
                Ok(verdict) => {
                    latencies.answers.push(start.elapsed());
                    assert_eq!(verdict, Verdict::Valid);
                }
                Err(status) => {
                    assert_eq!(status.code(), Code::Unavailable, "{status}");
                    latencies.unavailable += 1;
                }
            }
        }
    }

    async fn warm_up(&self) {
        self.verify(WARM_UP, &mut Latencies::default()).await;
    }
}

impl Campaign {
    pub(super) fn by_environment() -> Self {
        let told = Told::by_environment();
        Self { keys: told.size.unwrap_or(KEYS), told }
    }

    pub(super) async fn run(&self, home: Home) -> Findings {
        self.write_file(&home);
        let service_key = home.operator_key();
        let mut server = home.serve(&[]);
        let client = Client::new(&server, &service_key);
        let secret = client.create_key().await.unwrap().secret;
        let mut probe = Probe { client, secret };
        let mut findings = Findings::default();
        probe.warm_up().await;
        let mut draw = Draw::new(self.told.seed, [self.keys, 0]);
        let start = Instant::now();
        loop {
            let until = draw.below(VERIFICATIONS_MOST.max(self.keys / KEYS_A_VERIFICATION));
            if findings.client_kills % QUIET_EVERY == 1 {
                probe.verify(until, &mut findings.quiet).await;
            }
            let mut import =
                Process::spawn(&mut command(&home, &server, &service_key, &["--file", FILE]));
            probe.verify(until, &mut findings.meanwhile).await;
            if import.has_ended() {
                import.ended().succeeded();
                break;
            }
            import.signal("KILL");
            findings.client_kills += 1;
            if findings.client_kills % SERVER_KILLED_EVERY == 1 {
                server.kill();
                server = home.serve(&[]);
                probe.client = Client::new(&server, &service_key);
                probe.warm_up().await;
                findings.server_kills += 1;
            }
        }
        findings.took = start.elapsed();
        self.compare(&home, &probe.client, &mut findings).await;
        server.stop();
        findings
    }

    /// In a folder, as another system exports it.
    fn write_file(&self, home: &Home) {
        let mut file = "business_id,external_id,display_name,sha256\n".to_owned();
        for number in 0..self.keys {
            let (business, sha256) = (number / KEYS_A_BUSINESS, sha256_hex(&secret(number)));
            writeln!(file, "b{business},{number},key {number},{sha256}").unwrap();
        }
        std::fs::write(home.path(FILE), file).unwrap();
    }

    /// Each key is there once, with its event, and verifies.
    async fn compare(&self, home: &Home, client: &Client, findings: &mut Findings) {
        let count = |what: &str| home.database().psql(&format!("select {what}")).unwrap();
        for (what, expected) in [
            ("count(*) from keys where external_id <> ''", self.keys),
            ("count(distinct external_id) from keys where external_id <> ''", self.keys),
            // And those of the operator and the probe.
            ("count(*) from secrets", self.keys + 2),
            ("count(*) from audit_events where action = 7", self.keys),
            ("count(distinct key_id) from audit_events where action = 7", self.keys),
        ] {
            let found = count(what);
            if found.trim() != expected.to_string() {
                findings.violations.push(format!("{what}: {} and not {expected}", found.trim()));
            }
        }
        let mut draw = Draw::new(self.told.seed, [self.keys, 1]);
        let drawn = (0..VERIFIED_AT_THE_END).map(|_| draw.below(self.keys));
        for number in drawn.collect::<BTreeSet<_>>() {
            let verdict = client.verdict(&secret(number)).await.unwrap();
            findings.verified += 1;
            if verdict != Verdict::Valid {
                findings.violations.push(format!("key {number}: {verdict:?}"));
            }
        }
    }
}

fn secret(number: u64) -> String {
    format!("the other system's secret number {number}")
}
