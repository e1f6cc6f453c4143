//! A server under load, and what its keys' counts must be.

use keyward_proto::v1::{GetKeyRequest, Key, QueryUsageRequest, UsageGranularity};

use super::load::{Answers, Load, OnFailure, now};
use crate::{
    client::{BUSINESS, Client, Made},
    home::Home,
    process::until,
    server::Server,
};

const KEYS: usize = 4;

pub(super) struct Site {
    pub(super) home: Home,
    /// `None`: between two.
    server: Option<Server>,
    operator_key: String,
    client: Client,
    keys: Vec<Made>,
    /// What each key's count was found to be, or must be by now.
    counted: Vec<i64>,
    /// A server was lost here: its last counts may be missing, and are said to.
    incomplete: bool,
}

impl Site {
    pub(super) async fn new(home: Home) -> Self {
        let (server, operator_key) = match home.is_on_postgres() {
            true => {
                let operator_key = home.operator_key();
                (home.serve(&[]), operator_key)
            }
            false => {
                let server = home.serve(&[]);
                let operator_key = home.operator_key();
                (server, operator_key)
            }
        };
        let client = Client::new(&server, &operator_key);
        let mut keys = Vec::new();
        for _ in 0..KEYS {
            keys.push(client.create_key().await.unwrap());
        }
        let counted = vec![0; KEYS];
        let server = Some(server);
        Self { home, server, operator_key, client, keys, counted, incomplete: false }
    }

    pub(super) fn put_load(&self, on_failure: OnFailure) -> Load {
        Load::put(&self.client, &self.keys, on_failure)
    }

    pub(super) async fn end_load(&self, load: Load) -> Vec<Answers> {
        load.end(KEYS).await
    }

    pub(super) fn kill(&mut self) {
        self.server.take().unwrap().kill();
    }

    pub(super) fn drain(&mut self) {
        self.server.take().unwrap().stop();
    }

    pub(super) fn wait_for_log(&mut self, part: &str) {
        self.server.as_mut().unwrap().process.wait_for_log(part);
    }

    /// Starts the next server, as the one before has ended.
    pub(super) fn serve_again(&mut self) {
        let server = self.home.serve(&[]);
        self.client = Client::new(&server, &self.operator_key);
        self.server = Some(server);
    }

    /// A server was killed that had flushed through `through`: every answer before is counted, and no
    /// more than was asked.
    pub(super) async fn compare_after_kill(
        &mut self,
        answers: &[Answers],
        through: i64,
    ) -> (i64, Vec<String>) {
        // On the embedded store the next start knows that the server is gone; elsewhere it may come back
        // for two minutes, and until then holds back what counts as counted.
        self.incomplete |= !self.home.is_on_postgres();
        let mut violations = Vec::new();
        let mut lost = 0;
        let keys = self.keys_now().await;
        let until = micros(keys[0].counted_until_time);
        if !self.incomplete && until != through {
            violations.push(format!("counted until {until}, not {through}"));
        }
        for (place, Answers { arrived, cut_off }) in answers.iter().enumerate() {
            let before = self.counted[place];
            let sum = |answers: usize| before + i64::try_from(answers).unwrap();
            let least = sum(arrived.iter().filter(|at| **at < through).count());
            let answered = sum(arrived.len());
            let most = answered + i64::try_from(*cut_off).unwrap();
            let found = keys[place].request_count;
            if !(least..=most).contains(&found) {
                violations.push(format!("{found} counted, not {least} to {most}"));
            }
            lost += (answered - found).max(0);
            self.counted[place] = found;
        }
        self.compare_rest(&keys, &mut violations).await;
        (lost, violations)
    }

    /// Nothing was killed but what the server can do without: exactly what was answered is counted.
    pub(super) async fn compare(&mut self, answers: &[Answers]) -> Vec<String> {
        let mut violations = Vec::new();
        let last = now();
        // The promise itself says when everything is in.
        let mut keys = self.keys_now().await;
        let deadline = std::time::Instant::now() + crate::process::BOUND;
        while keys.iter().any(|key| micros(key.counted_until_time) < last) {
            assert!(std::time::Instant::now() < deadline, "counted until {keys:?}");
            keys = self.keys_now().await;
        }
        for (place, Answers { arrived, cut_off: _ }) in answers.iter().enumerate() {
            self.counted[place] += i64::try_from(arrived.len()).unwrap();
            let (found, expected) = (keys[place].request_count, self.counted[place]);
            if found != expected {
                violations.push(format!("{found} counted, not {expected}"));
            }
        }
        self.compare_rest(&keys, &mut violations).await;
        violations
    }

    /// What is told in another way is the same.
    async fn compare_rest(&self, keys: &[Key], violations: &mut Vec<String>) {
        if keys.iter().any(|key| key.usage_incomplete != self.incomplete) {
            violations.push(format!("usage_incomplete, which must be {}", self.incomplete));
        }
        let period = keys[0].billing_period.unwrap();
        let query = QueryUsageRequest {
            business_id: BUSINESS.to_owned(),
            key_id: String::new(),
            start_time: period.start_time,
            end_time: period.end_time,
            granularity: UsageGranularity::Hour.into(),
        };
        let report = self.client.management().query_usage(self.client.request(query)).await;
        let rows = report.unwrap().into_inner().rows;
        let in_hours: i64 = rows.iter().flat_map(|row| &row.counts).map(|count| count.count).sum();
        let of_keys: i64 = self.counted.iter().sum();
        if in_hours != of_keys {
            violations.push(format!("{in_hours} in hours, {of_keys} on keys"));
        }
    }

    /// The keys as they stand. A session that was ended may cost an attempt, or the right to answer.
    async fn keys_now(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        let deadline = std::time::Instant::now() + crate::process::BOUND;
        for Made { key_id, .. } in &self.keys {
            loop {
                let get =
                    GetKeyRequest { business_id: BUSINESS.to_owned(), key_id: key_id.clone() };
                match self.client.management().get_key(self.client.request(get)).await {
                    Ok(answer) => break keys.push(answer.into_inner().key.unwrap()),
                    Err(status) => {
                        assert!(std::time::Instant::now() < deadline, "{status:?}");
                    }
                }
            }
        }
        keys
    }

    /// Through when the server that was killed had flushed, in microseconds since the epoch.
    pub(super) fn flushed_through(&self) -> i64 {
        let through = if self.home.is_on_postgres() {
            let micros = "select (extract(epoch from max(flushed_through)) * 1000000)::bigint
                from usage_flushers";
            // The server's own statement may still be under way.
            until("nobody is at it", || {
                let others = "select count(*) from pg_stat_activity
                    where application_name = 'keyward' and datname = current_database()";
                self.home.database().psql(others).unwrap().trim() == "0"
            });
            self.home.database().psql(micros).unwrap()
        } else {
            let micros = "select cast(max(flushed_through) as text) as line from usage_flushers";
            test_sqlite::lines(&self.home.data("keyward.db"), micros).unwrap().remove(0)
        };
        through.trim().parse().unwrap()
    }
}

fn micros(time: Option<prost_types::Timestamp>) -> i64 {
    let prost_types::Timestamp { seconds, nanos } = time.unwrap();
    seconds * 1_000_000 + i64::from(nanos) / 1_000
}
