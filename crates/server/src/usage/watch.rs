//! Which of the others that count have vanished. Judged by this server's own elapsed time, and not by
//! the times that they wrote, which another clock has read.

use std::time::{Duration, Instant};

use keyward_store::usage::Flusher;

/// A flusher that has not moved for so long is lost. A live one says each ten seconds that it is.
pub(super) const LOST_AFTER: Duration = Duration::from_secs(120);

/// Who was seen, and since when nothing moved.
#[derive(Debug, Default)]
pub(super) struct Watch(Vec<(Flusher, Instant)>);

impl Watch {
    /// Those of the seen that have stood still for too long.
    pub(super) fn lost(&mut self, seen: Vec<Flusher>, now: Instant) -> Vec<Flusher> {
        let since = |flusher: &Flusher| {
            let before = self.0.iter().find(|(before, _)| before == flusher);
            before.map_or(now, |(_, since)| *since)
        };
        self.0 = seen.into_iter().map(|flusher| (flusher, since(&flusher))).collect();
        let stands_still = |since: &Instant| now.saturating_duration_since(*since) >= LOST_AFTER;
        self.0
            .iter()
            .filter(|(_, since)| stands_still(since))
            .map(|(flusher, _)| *flusher)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use apikey::clock::Timestamp;
    use keyward_store::usage::FlusherId;

    use super::*;

    /// One that stands still is lost after its time, one that moved begins anew, and one that went and
    /// came back too.
    #[test]
    fn only_who_stands_still_for_long_enough_is_lost() {
        let flusher = |number, batch| Flusher {
            id: FlusherId::from_bytes([number; 16]),
            batch,
            through: Timestamp::from_micros(0),
        };
        let (still, moving, back) = (flusher(1, 7), |batch| flusher(2, batch), flusher(3, 1));
        let begun = Instant::now();
        let mut watch = Watch::default();
        for (seconds, seen, lost) in [
            (0, vec![still, moving(1), back], vec![]),
            (60, vec![still, moving(2)], vec![]),
            (119, vec![still, moving(2), back], vec![]),
            (120, vec![still, moving(2), back], vec![still]),
            (179, vec![still, moving(3), back], vec![still]),
            (239, vec![moving(3), back], vec![back]),
            (299, vec![moving(3)], vec![moving(3)]),
        ] {
            let now = begun + Duration::from_secs(seconds);
            assert_eq!(watch.lost(seen, now), lost, "after {seconds} s");
        }
    }
}
