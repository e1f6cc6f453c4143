//! The right to answer from memory. Here stands what the lease will be: until then a server that
//! holds its database exclusively has the right, and one that may have lost it has not.

use std::sync::atomic::{AtomicBool, Ordering};

/// Closed at first.
#[derive(Debug, Default)]
pub struct Gate(AtomicBool);

impl Gate {
    /// Whether answers may be given. Asked on every request, never remembered.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Gives the right.
    pub fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Takes it away.
    pub fn close(&self) {
        self.0.store(false, Ordering::Release);
    }
}
