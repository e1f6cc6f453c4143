//! Counting: what was decided gathers in memory, and a task stores it each second.
//!
//! Verification and authentication get the recorder and nothing else: they write to memory, and wait
//! for nobody. The flusher alone writes counts to the store; the keeper looks after what is stored.

pub mod flusher;
pub mod keeper;
pub mod recorder;
mod watch;
