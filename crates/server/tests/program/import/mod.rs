//! `keyward import`: every key of a file comes in once, whatever interrupts it, and what is wrong with a
//! row is told of that row.
//!
//! One body for the test and for the campaign: `cargo xtask campaign import` only says how many keys, and
//! where the report goes.

mod campaign;
mod faults;
mod peppers;
mod report;

use std::process::Command;

use self::campaign::Campaign;
use crate::{
    home::Home,
    process::{Ended, Process},
    server::Server,
};

/// The client is killed at drawn moments, and the server too, until the file is through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_takes_every_key_over_once_whatever_interrupts_it() {
    let campaign = Campaign::by_environment();
    let findings = campaign.run(Home::on_postgres()).await;
    if let Some(file) = &campaign.told.report {
        let report = report::Report { campaign: &campaign, findings: &findings };
        std::fs::write(file, report.to_string()).unwrap();
    }
    assert_eq!(findings.violations, Vec::<String>::new());
    // Or nothing was tried at all.
    assert!(findings.client_kills > 0 && findings.server_kills > 0);
}

/// The import of a file in the home's folder.
fn command(home: &Home, server: &Server, service_key: &str, arguments: &[&str]) -> Command {
    let mut all = vec!["import"];
    all.extend(arguments);
    let url = format!("http://{}", server.address);
    all.extend(["--server", &url]);
    let mut command = home.command(&all);
    command.env("KEYWARD_SERVICE_KEY", service_key);
    command
}

fn import(home: &Home, server: &Server, service_key: &str, arguments: &[&str]) -> Ended {
    Process::spawn(&mut command(home, server, service_key, arguments)).ended()
}

/// 64 hexadecimal digits.
fn sha256_hex(secret: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, secret.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
