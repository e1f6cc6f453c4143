//! What each suite came to: one failure hides no other, and what did not run is said aloud.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::ensure;

/// Why a suite could not run: something that this machine cannot be given.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// The suites so far, in the order they ran.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    suite: &'static str,
    outcome: Outcome,
    took: Duration,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Passed,
    Failed(String),
    NotRun(String),
}

impl Report {
    /// Runs one suite and writes down what it came to; an error that is [`Missing`] means NOT RUN.
    pub(crate) fn suite<T>(
        &mut self,
        suite: &'static str,
        run: impl FnOnce() -> anyhow::Result<T>,
    ) -> Option<T> {
        println!("\n=== {suite}");
        let start = Instant::now();
        let result = run();
        let took = start.elapsed();
        let (value, outcome) = match result {
            Ok(value) => (Some(value), Outcome::Passed),
            Err(error) if error.is::<Missing>() => (None, Outcome::NotRun(format!("{error:#}"))),
            Err(error) => (None, Outcome::Failed(format!("{error:#}"))),
        };
        println!("=== {suite}: {outcome} ({:.1} s)", took.as_secs_f64());
        self.rows.push(Row { suite, outcome, took });
        value
    }

    /// Prints the table, and is an error if a suite failed, or did not run although `all_must_run`.
    pub(crate) fn close(&self, all_must_run: bool) -> anyhow::Result<()> {
        println!("\n{self}");
        let [passed, failed, skipped] = self.counts();
        println!("suites: {passed} passed, {failed} failed, {skipped} skipped");
        ensure!(failed == 0, "{failed} of {} suites failed", self.rows.len());
        ensure!(skipped == 0 || !all_must_run, "with CI=true every suite must run");
        Ok(())
    }

    fn counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        let [passed, failed, skipped] = &mut counts;
        for row in &self.rows {
            *match row.outcome {
                Outcome::Passed => &mut *passed,
                Outcome::Failed(_) => &mut *failed,
                Outcome::NotRun(_) => &mut *skipped,
            } += 1;
        }
        counts
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16}{:>9}  result", "suite", "seconds")?;
        self.rows.iter().try_for_each(|row| {
            writeln!(f, "{:<16}{:>9.1}  {}", row.suite, row.took.as_secs_f64(), row.outcome)
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("ok"),
            Self::Failed(reason) => write!(f, "FAILED: {reason}"),
            Self::NotRun(reason) => write!(f, "NOT RUN: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    //! A failure does not stop the run, and a missing tool is loud everywhere but fatal in CI alone.

    use anyhow::bail;

    use super::{Missing, Report};

    #[test]
    fn failure_lets_later_suites_run_and_fails_the_whole() {
        let mut report = Report::default();
        assert_eq!(report.suite::<()>("first", || bail!("broken")), None);
        assert_eq!(report.suite("second", || Ok(2)), Some(2));
        assert_eq!(report.counts(), [1, 1, 0]);
        assert!(report.to_string().contains("FAILED: broken"));
        report.close(false).unwrap_err();
    }

    #[test]
    fn missing_tool_is_not_run_and_fails_only_where_all_must_run() {
        let mut report = Report::default();
        report.suite::<()>("late", || Err(Missing("no such tool".into()).into()));
        assert!(report.to_string().contains("NOT RUN: no such tool"));
        report.close(false).unwrap();
        report.close(true).unwrap_err();
    }
}
