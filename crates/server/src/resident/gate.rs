//! The right to answer from memory. Here stands what the lease will be: until then a server has the
//! right while it holds its database exclusively, and no longer than its last proof of that lasts; and
//! while memory is current, and no longer than the last look at what changed proves that. A server
//! that was paused or cut off finds the gate closed by its own clock, without being told.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// No moment at all: closed on purpose, and not only run out.
const CLOSED: u64 = 0;

/// Closed at first.
#[derive(Debug)]
pub struct Gate {
    origin: Instant,
    /// Nanoseconds since `origin`; open before it.
    until: AtomicU64,
    /// The same for what is in memory: current before it. At first nothing is.
    current_until: AtomicU64,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            until: AtomicU64::new(CLOSED),
            current_until: AtomicU64::new(CLOSED),
        }
    }
}

impl Gate {
    /// Whether answers may be given. Asked on every request, after it arrived; never remembered.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let now = self.nanos(Instant::now());
        now < self.until.load(Ordering::Acquire) && now < self.current_until.load(Ordering::Acquire)
    }

    /// Opens it until a moment; `None` for good.
    pub fn open(&self, until: Option<Instant>) {
        self.until.store(self.nanos_until(until), Ordering::Release);
    }

    /// Moves the moment until which it is open; `None` for good. Closed, it stays so, whatever is
    /// confirmed: who closed it must first see to what is in memory, and then open it.
    pub fn extend(&self, until: Option<Instant>) {
        let moved = self.nanos_until(until);
        let unless_closed = |until| (until != CLOSED).then_some(moved);
        // Nobody needs to hear that it was closed.
        let _ = self.until.fetch_update(Ordering::AcqRel, Ordering::Acquire, unless_closed);
    }

    /// Memory is current until a moment at least.
    pub fn keep_current(&self, until: Instant) {
        self.current_until.fetch_max(self.nanos(until), Ordering::AcqRel);
    }

    /// Closes it, until it is opened.
    pub fn close(&self) {
        self.until.store(CLOSED, Ordering::Release);
    }

    fn nanos_until(&self, until: Option<Instant>) -> u64 {
        until.map_or(u64::MAX, |until| self.nanos(until))
    }

    fn nanos(&self, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.origin);
        // Enough for five centuries.
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A gate before a memory that is current.
    fn gate() -> Gate {
        let gate = Gate::default();
        gate.keep_current(Instant::now() + Duration::from_secs(3_600));
        gate
    }

    #[test]
    fn is_closed_once_memory_is_not_known_to_be_current() {
        let gate = Gate::default();
        gate.open(None);
        assert!(!gate.is_open());
        gate.keep_current(Instant::now() + Duration::from_nanos(1));
        while gate.is_open() {}
        gate.keep_current(Instant::now() + Duration::from_secs(3_600));
        assert!(gate.is_open());
        // An older look proves less.
        gate.keep_current(Instant::now());
        assert!(gate.is_open());
    }

    #[test]
    fn is_open_until_its_moment_and_no_longer() {
        let gate = gate();
        assert!(!gate.is_open());
        gate.open(Some(Instant::now() + Duration::from_secs(3_600)));
        assert!(gate.is_open());
        gate.open(Some(Instant::now()));
        assert!(!gate.is_open());
        gate.open(None);
        assert!(gate.is_open());
        gate.close();
        assert!(!gate.is_open());
    }

    #[test]
    fn is_extended_when_it_ran_out_and_never_when_it_was_closed() {
        let gate = gate();
        gate.extend(None);
        assert!(!gate.is_open());
        gate.open(Some(Instant::now() + Duration::from_nanos(1)));
        while gate.is_open() {}
        gate.extend(None);
        assert!(gate.is_open());
        gate.close();
        gate.extend(None);
        assert!(!gate.is_open());
    }
}
