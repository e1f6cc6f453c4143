//! What was acknowledged survives `kill -9`, and what was not is there whole or not at all.
//!
//! One body for the test and for the campaign: `cargo xtask campaign durability` only says how many
//! rounds, and where the report goes.

mod campaign;
mod inspection;
mod ledger;
mod report;
mod writer;

use self::campaign::Campaign;

/// In each round several writers are cut off at a drawn moment, and then everything is compared with
/// what they know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_changes_survive_kills_in_mid_burst() {
    let campaign = Campaign::from_environment();
    let findings = campaign.run().await;
    if let Some(file) = &campaign.report {
        std::fs::write(
            file,
            report::Report { campaign: &campaign, findings: &findings }.to_string(),
        )
        .unwrap();
    }
    assert_eq!(findings.violations, Vec::<String>::new());
    // Or nothing was tried at all.
    assert!(findings.rounds_in_flight > 0);
}
