//! Where messages become what Keyward works with, and back. Messages are taken apart in full, so that
//! a new field must be decided upon. Wire types go no further in than the services that import this.

pub mod access;
pub mod audit;
pub mod business;
pub mod import;
pub mod key;
pub mod page;
pub mod receipt;
pub mod scope;
pub mod time;
pub mod usage;
