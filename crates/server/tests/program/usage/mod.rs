//! Counts are right: exactly so whatever happens to the database or its answers, and after a kill as
//! far as was flushed.
//!
//! One body for the test and for the campaign: `cargo xtask campaign usage` only says how many rounds,
//! and where the report goes.

mod campaign;
mod load;
mod proxy;
mod report;
mod site;

use self::campaign::Campaign;

/// In each round something happens at a drawn moment under load, and then every key's count is compared
/// with the answers that its verifiers got.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_and_postgres_counts_are_what_was_answered() {
    let campaign = Campaign::by_environment();
    let findings = campaign.run().await;
    if let Some(file) = &campaign.told.report {
        let report = report::Report { campaign: &campaign, findings: &findings };
        std::fs::write(file, report.to_string()).unwrap();
    }
    assert_eq!(findings.violations, Vec::<String>::new());
    // Or nothing was tried at all.
    let of_all = findings.rounds.values().map(|of| of.answers);
    assert!(of_all.clone().count() == 7 && of_all.min() > Some(0), "{findings:?}");
}
