//! Keyward's server: the services of `keyward.v1` over a store, answering from memory.
//!
//! In reading order:
//! - [`config`], [`commands`], [`data_dir`], [`operator_key`]: what the operator says, and finds
//! - [`serve`], [`assembly`], [`shutdown`], [`telemetry`]: start and stop
//! - [`callers`], [`access`]: who is calling, and what it may call
//! - [`resident`]: every key, in memory, and what keeps it up with the store
//! - [`verification`]: the hot path, which cannot change a key
//! - [`management`]: the cold path, which changes keys
//! - [`usage`]: what is counted of both, and how it is stored
//! - [`peppers`]: which pepper writes, and how secrets get to it
//! - [`import`]: keys of another system, read from a file; a client like any other
//! - [`wire`], [`errors`]: messages in and out
//! - [`not_yet`]: what the contract has and this build has not
//!
//! `verification` and `management` do not know each other.

pub mod access;
pub mod assembly;
pub mod callers;
pub mod commands;
pub mod config;
pub mod data_dir;
pub mod errors;
mod health;
pub mod import;
pub mod management;
pub mod not_yet;
pub mod operator_key;
pub mod peppers;
pub mod resident;
pub mod serve;
pub mod shutdown;
pub mod telemetry;
pub mod usage;
mod users;
pub mod verification;
pub mod wire;
