//! How much processor time a process has had, to the nanosecond.
//!
//! The kernel's scheduler keeps it for each thread (`/proc/<pid>/task/<tid>/schedstat`), user and
//! system time together; `/proc/<pid>/stat` would tell it in steps of 10 ms.

use std::{collections::BTreeMap, fs, time::Duration};

use anyhow::Context as _;

/// The time each thread of a process has had up to a moment.
#[derive(Debug)]
pub(crate) struct CpuTimes(BTreeMap<String, Duration>);

impl CpuTimes {
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let mut times = BTreeMap::new();
        for thread in fs::read_dir(format!("/proc/{pid}/task")).context("a server is gone")? {
            let thread = thread?;
            // A thread may end while the list is read; a resting one's time is no loss.
            let Ok(text) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let time = parse(&text).context("this kernel keeps no schedstat")?;
            times.insert(thread.file_name().to_string_lossy().into_owned(), time);
        }
        Ok(Self(times))
    }

    /// What the threads that are there now have had since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let had = |thread| earlier.0.get(thread).copied().unwrap_or_default();
        self.0.iter().map(|(thread, time)| time.saturating_sub(had(thread))).sum()
    }
}

/// The first of three numbers: nanoseconds on a processor, nanoseconds waiting for one, turns.
fn parse(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    //! Threads come and go; only the growth of those that are there counts.

    use std::time::Duration;

    use super::{CpuTimes, parse};

    #[test]
    fn schedstat_begins_with_time_on_a_processor() {
        assert_eq!(parse("127945 88 1\n"), Some(Duration::from_nanos(127_945)));
        assert_eq!(parse(""), None);
        assert_eq!(parse("- 1 2"), None);
    }

    #[test]
    fn growth_is_summed_over_threads() {
        let times = |list: &[(&str, u64)]| {
            let times = list.iter();
            CpuTimes(times.map(|(t, ns)| ((*t).to_owned(), Duration::from_nanos(*ns))).collect())
        };
        let earlier = times(&[("1", 10), ("2", 500)]);
        let later = times(&[("1", 15), ("3", 7)]);
        assert_eq!(later.since(&earlier), Duration::from_nanos(12));
    }
}
