//! The real `keyward` program as its operator meets it: flags, files, output, signals, restarts.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod campaign;
mod client;
mod draw;
mod durability;
mod grpcurl;
mod home;
mod import;
mod lock_lost;
mod needles;
mod process;
mod secrets;
mod server;
mod start;
mod stop;
mod story;
mod tls;
mod tool;
mod toxiproxy;
mod usage;
mod users;
