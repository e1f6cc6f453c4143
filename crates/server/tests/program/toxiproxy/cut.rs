//! A link that is cut while callers make, rotate and revoke keys.

use std::{collections::HashSet, time::Duration};

use keyward_proto::v1::Verdict;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{interval, timeout},
};
use tonic::Status;

use super::{Issued, Site, create, is_outage, revoke, rotate};
use crate::{client::Client, process::BOUND};

const ROUNDS: usize = 3;
/// Callers at once.
const CALLERS: usize = 4;
/// How often a known secret is presented meanwhile.
const PROBE_EVERY: Duration = Duration::from_millis(20);
/// Connections that broke may each cost an attempt after the link is back.
const ATTEMPTS_MAX: usize = 20;

/// Of the link, as the test knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Up,
    Cut,
    Back,
}

/// A key whose every change was acknowledged in the end.
struct Life {
    key_id: String,
    /// The one that counts, where anybody saw it.
    secret: Option<String>,
    /// Rotated away.
    before: Option<String>,
    revoked: bool,
}

/// Whoever has changes acknowledged, or tries them again.
#[derive(Clone)]
struct Caller {
    client: Client,
    link: watch::Receiver<Link>,
    acknowledge: mpsc::UnboundedSender<()>,
}

/// How often known secrets got a verdict, and how often none.
#[derive(Debug, Default)]
struct Probes {
    answered: usize,
    unavailable: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_nothing_is_half_done() {
    let site = Site::new();
    let operator_key = site.home.operator_key();
    let mut server = site.home.serve(&[]);
    let client = Client::new(&server, &operator_key);
    let good = create(&client, &request_id(0, 0, 0)).await.unwrap();
    let good = good.secret.unwrap();
    let gone = create(&client, &request_id(0, 0, 1)).await.unwrap();
    revoke(&client, &gone.key_id).await.unwrap();
    let gone = gone.secret.unwrap();
    let mut lives = Vec::new();
    for round in 1..=ROUNDS {
        let (tell, link) = watch::channel(Link::Up);
        let (acknowledge, mut acknowledged) = mpsc::unbounded_channel();
        let caller = Caller { client: client.clone(), link: link.clone(), acknowledge };
        let callers: JoinSet<_> =
            (0..CALLERS).map(|number| caller.clone().live(round, number)).collect();
        let mut probing = JoinSet::new();
        probing.spawn(probe(client.clone(), link, good.clone(), gone.clone()));
        for _ in 0..10 * round {
            timeout(BOUND, acknowledged.recv()).await.unwrap().unwrap();
        }

        tell.send(Link::Cut).unwrap();
        site.proxy.cut();
        server.process.wait_for_log("the database was lost");
        site.proxy.restore();
        server.process.wait_for_log("the database is back");
        tell.send(Link::Back).unwrap();

        lives.extend(timeout(BOUND, callers.join_all()).await.unwrap().into_iter().flatten());
        let probes = probing.join_next().await.unwrap().unwrap();
        assert!(probes.answered > 0 && probes.unavailable > 0, "{probes:?}");
    }

    for life in &lives {
        life.check(&client).await.unwrap();
    }
    let distinct: HashSet<&str> = lives.iter().map(|life| life.key_id.as_str()).collect();
    assert_eq!(distinct.len(), lives.len(), "two requests were answered with one key");
    stands_together(&site, &lives);
    server.stop();
}

impl Caller {
    /// Makes keys, rotates every third and revokes every third, until the link is back.
    async fn live(self, round: usize, caller: usize) -> Vec<Life> {
        let mut lives = Vec::new();
        let mut requests = (0..).map(|number| request_id(round, caller + 1, number));
        let mut next = || requests.next().unwrap();
        let client = &self.client;
        while *self.link.borrow() != Link::Back {
            let id = next();
            let Issued { key_id, secret } = self.insist(|| create(client, &id)).await;
            let mut life = Life { key_id, secret, before: None, revoked: false };
            match lives.len() % 3 {
                0 => {
                    let id = next();
                    let rotated = self.insist(|| rotate(client, &life.key_id, &id)).await;
                    life.before = std::mem::replace(&mut life.secret, rotated.secret);
                }
                1 => {
                    self.insist(|| revoke(client, &life.key_id)).await;
                    life.revoked = true;
                }
                _ => {}
            }
            // What was acknowledged is in effect.
            if let Err(status) = life.check(&self.client).await {
                is_outage(&status);
            }
            lives.push(life);
        }
        lives
    }

    /// Asks until it is acknowledged, the same each time.
    async fn insist<T, Answer>(&self, ask: impl Fn() -> Answer) -> T
    where
        Answer: Future<Output = Result<T, Status>>,
    {
        for _ in 0..ATTEMPTS_MAX {
            match ask().await {
                Ok(answer) => {
                    // Nobody counts any more.
                    let _ = self.acknowledge.send(());
                    return answer;
                }
                Err(status) => is_outage(&status),
            }
            let mut link = self.link.clone();
            link.wait_for(|link| *link == Link::Back).await.unwrap();
        }
        panic!("not in {ATTEMPTS_MAX} attempts");
    }
}

impl Life {
    /// Its verdicts, or that there were none.
    async fn check(&self, client: &Client) -> Result<(), Status> {
        let expected = if self.revoked { Verdict::Revoked } else { Verdict::Valid };
        for (secret, expected) in [(&self.secret, expected), (&self.before, Verdict::SecretRotated)]
        {
            if let Some(secret) = secret {
                assert_eq!(client.verdict(secret).await?, expected, "{}", self.key_id);
            }
        }
        Ok(())
    }
}

/// Presents a good secret and one that was revoked, until the link is back: the good one is good or
/// nothing is said, and the other one is never good.
async fn probe(client: Client, link: watch::Receiver<Link>, good: String, gone: String) -> Probes {
    let mut every = interval(PROBE_EVERY);
    let mut probes = Probes::default();
    while *link.borrow() != Link::Back {
        every.tick().await;
        for (secret, expected) in [(&good, Verdict::Valid), (&gone, Verdict::Revoked)] {
            match client.verdict(secret).await {
                Ok(verdict) => {
                    assert_eq!(verdict, expected);
                    probes.answered += 1;
                }
                Err(status) => {
                    is_outage(&status);
                    probes.unavailable += 1;
                }
            }
        }
    }
    probes
}

/// A key, its secrets, its audit events and the requests that asked for it are there together.
fn stands_together(site: &Site, lives: &[Life]) {
    let count = |what: &str| site.found(&format!("select count(*) from {what}"));
    // The two of the probes besides.
    assert_eq!(count("keys where business_id = 'acme'"), (lives.len() + 2).to_string());
    let of_key = |action: i32| {
        format!(
            "(select count(*) from audit_events a where a.key_id = k.key_id and action = {action})"
        )
    };
    let (created, rotated, revoked) = (of_key(1), of_key(3), of_key(4));
    let secrets = "(select count(*) from secrets s where s.key_id = k.key_id)";
    let requests = "(select count(*) from idempotent_requests r where r.key_id = k.key_id)";
    // Revoking once more, which a lost answer calls for, changes nothing and leaves an event.
    let half_done = format!(
        "keys k where business_id = 'acme' and not (
            {created} = 1
            and {secrets} = 1 + {rotated}
            and {requests} = 1 + {rotated}
            and ({revoked} > 0) = (revoke_time is not null)
            and exists (select from audit_events a where a.key_id = k.key_id and a.rev = k.rev)
            and 1 = (select count(*) from secrets s
                     where s.key_id = k.key_id and s.rotate_time is null))"
    );
    assert_eq!(count(&half_done), "0");
    let of_nothing = "audit_events a where business_id = 'acme'
        and not exists (select from keys k where k.key_id = a.key_id)";
    assert_eq!(count(of_nothing), "0");
    let revoked = lives.iter().filter(|life| life.revoked).count() + 1;
    assert_eq!(count("keys where revoke_time is not null"), revoked.to_string());
}

/// A UUID for each request, the same when it is repeated.
fn request_id(round: usize, caller: usize, number: usize) -> String {
    format!("00000000-{round:04}-4000-8000-{caller:04}{number:08}")
}
