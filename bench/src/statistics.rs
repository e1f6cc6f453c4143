//! Medians, and how far to trust them, without an assumption about how measurements scatter.

/// The middle of some measurements, and their ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

/// Where the true median lies with a confidence of 95 % or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Of nothing, nothing.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let sorted = sorted(values);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let lower = *sorted.get(sorted.len() - 1 - middle)?;
        let median = f64::midpoint(lower, upper);
        Some(Self { min: *sorted.first()?, median, max: *sorted.last()? })
    }
}

impl Interval {
    /// From order statistics: each measurement is as likely above the true median as below, so how
    /// many are below is binomial. Fewer than six measurements, or more than fifty, give none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let sorted = sorted(values);
        let rank = rank(sorted.len())?;
        Some(Self { low: *sorted.get(rank)?, high: *sorted.get(sorted.len() - 1 - rank)? })
    }
}

/// How many measurements may be cut off at each end: the most of them whose two tails together have
/// a probability of at most 1/20.
fn rank(count: usize) -> Option<usize> {
    let n = u64::try_from(count).ok().filter(|n| *n <= 50)?;
    let (mut ways, mut tail, mut rank) = (1_u64, 0_u64, None);
    for cut in 0..n {
        tail += ways;
        if 40 * tail > 1 << n {
            break;
        }
        rank = usize::try_from(cut).ok();
        ways = ways * (n - cut) / (cut + 1);
    }
    rank
}

fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    //! Against what tables of the binomial distribution say.

    use super::{Interval, Spread, rank};

    #[test]
    fn median_is_the_middle_or_between_the_middles() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[3.0, 1.0, 9.0]), Some(Spread { min: 1.0, median: 3.0, max: 9.0 }));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 9.0]), Some(Spread { min: 1.0, median: 3.0, max: 9.0 }));
        assert_eq!(spread(&[7.0]), Some(Spread { min: 7.0, median: 7.0, max: 7.0 }));
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn ranks_are_those_of_the_tables() {
        let table = [(5, None), (6, Some(0)), (8, Some(0)), (9, Some(1)), (12, Some(2))];
        for (count, expected) in table {
            assert_eq!(rank(count), expected, "{count}");
        }
        assert_eq!(rank(20), Some(5));
        assert_eq!(rank(50), Some(17));
        assert_eq!(rank(51), None);
    }

    #[test]
    fn interval_leaves_out_as_many_at_each_end() {
        let values = [9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(Interval::of(values), Some(Interval { low: 2.0, high: 8.0 }));
        assert_eq!(Interval::of([1.0; 5]), None);
    }
}
