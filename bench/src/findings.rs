//! What the rounds say, and whether they may say it.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::{
    rounds::{Leg, Round},
    statistics::{Interval, Spread},
};

/// What of the handicap must be seen at least and at most, in the median.
const HANDICAP_SEEN: std::ops::RangeInclusive<f64> = 0.5..=2.0;

/// One server over all rounds.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) cpu_micros: Spread,
    pub(crate) calls_per_second: Spread,
    pub(crate) busy_percent: Spread,
}

/// A figure taken once in each round.
#[derive(Debug)]
pub(crate) struct Paired {
    pub(crate) median: f64,
    pub(crate) interval: Interval,
}

/// All that a run found.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) keyward: Series,
    pub(crate) uncounted: Series,
    pub(crate) empty: Series,
    pub(crate) handicapped: Series,
    /// The empty service's processor time for a call over Keyward's: 1 is as cheap.
    pub(crate) cpu_ratio: Paired,
    /// Keyward's calls per second over the empty service's.
    pub(crate) throughput_ratio: Paired,
    /// Processor time of a call without counting over that with it: 1 is as cheap.
    pub(crate) counting_ratio: Paired,
    /// Microseconds of a call that Keyward adds.
    pub(crate) added_micros: Paired,
    /// Microseconds that the handicap was measured to add.
    pub(crate) handicap_micros: Paired,
    handicap: Duration,
}

impl Findings {
    pub(crate) fn of(rounds: &[Round], handicap: Duration) -> anyhow::Result<Self> {
        let series = |leg: fn(&Round) -> Leg| Series::of(rounds.iter().map(leg));
        let paired = |figure: fn(&Round) -> f64| Paired::of(rounds.iter().map(figure));
        let findings = || {
            Some(Self {
                keyward: series(|round| round.keyward)?,
                uncounted: series(|round| round.uncounted)?,
                empty: series(|round| round.empty)?,
                handicapped: series(|round| round.handicapped)?,
                cpu_ratio: paired(|round| round.empty.cpu_micros / round.keyward.cpu_micros)?,
                throughput_ratio: paired(|round| {
                    round.keyward.calls_per_second / round.empty.calls_per_second
                })?,
                counting_ratio: paired(|round| {
                    round.uncounted.cpu_micros / round.keyward.cpu_micros
                })?,
                added_micros: paired(|round| round.keyward.cpu_micros - round.empty.cpu_micros)?,
                handicap_micros: paired(|round| {
                    round.handicapped.cpu_micros - round.empty.cpu_micros
                })?,
                handicap,
            })
        };
        findings().context("too few rounds")
    }

    /// Why the run is not valid, if it is not.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let Paired { median, interval: Interval { low, high } } = self.handicap_micros;
        let seen = median / (self.handicap.as_secs_f64() * 1e6);
        ensure!(
            low > 0.0 && HANDICAP_SEEN.contains(&seen),
            "this run is invalid: a handicap of {:?} was measured as {median:.2} µs ({low:.2} to \
             {high:.2}), as the machine is too noisy; try more --pairs",
            self.handicap
        );
        Ok(())
    }
}

impl Series {
    fn of(legs: impl Iterator<Item = Leg> + Clone) -> Option<Self> {
        Some(Self {
            cpu_micros: Spread::of(legs.clone().map(|leg| leg.cpu_micros))?,
            calls_per_second: Spread::of(legs.clone().map(|leg| leg.calls_per_second))?,
            busy_percent: Spread::of(legs.map(|leg| leg.busy_percent))?,
        })
    }
}

impl Paired {
    pub(crate) fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        Some(Self { median: Spread::of(values.clone())?.median, interval: Interval::of(values)? })
    }
}

#[cfg(test)]
mod tests {
    //! Ratios, and the handicap without which they say nothing.

    use std::time::Duration;

    use super::{Findings, Leg, Round};

    fn round(keyward: f64, empty: f64, handicapped: f64) -> Round {
        let leg =
            |cpu_micros| Leg { cpu_micros, calls_per_second: 1e6 / cpu_micros, busy_percent: 99.0 };
        Round {
            keyward: leg(keyward),
            uncounted: leg(keyward * 0.9),
            empty: leg(empty),
            handicapped: leg(handicapped),
        }
    }

    fn findings(rounds: &[Round]) -> Findings {
        Findings::of(rounds, Duration::from_micros(1)).unwrap()
    }

    #[test]
    fn ratios_are_one_for_equal_cost_and_less_for_more() {
        let found = findings(&[round(20.0, 10.0, 11.0); 6]);
        assert!((found.cpu_ratio.median - 0.5).abs() < 1e-9);
        assert!((found.throughput_ratio.median - 0.5).abs() < 1e-9);
        assert!((found.added_micros.median - 10.0).abs() < 1e-9);
        assert!((found.counting_ratio.median - 0.9).abs() < 1e-9);
        found.check().unwrap();
    }

    #[test]
    fn handicap_must_be_seen_for_what_it_is() {
        for handicapped in [9.0, 10.0, 10.4, 12.1] {
            let found = findings(&[round(20.0, 10.0, handicapped); 6]);
            assert!(found.check().is_err(), "{handicapped}");
        }
        // Right in the middle, but not beyond doubt.
        let mut rounds = [round(20.0, 10.0, 11.0); 6];
        rounds[0].handicapped.cpu_micros = 9.9;
        assert!(findings(&rounds).check().is_err());
    }
}
