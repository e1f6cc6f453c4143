//! The server as its callers meet it: a real one in process, on a real store, by a clock that stands
//! still until a test moves it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it did not expect can only stop"
)]

mod access;
mod by_hand;
mod callers;
mod contract;
mod harness;
mod hints;
mod management;
mod outage;
mod pepper_moves;
mod secrets;
mod stale;
mod usage;
mod verification;
mod wire;
