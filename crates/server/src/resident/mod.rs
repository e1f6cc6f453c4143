//! Every key, in memory: complete, so that an unknown secret costs no query either. Read by
//! whoever verifies; written by the follower alone, from the store's one feed.
//!
//! A reader takes the view first, then the record, then the clock, all of one view object. The
//! follower publishes rows, then `applied`. In this order an answer is never older than it says; and
//! never from half of a change, as `publish` says.

pub mod follower;
pub mod gate;
mod load;
mod publish;
mod record;
mod shard;
mod view;

pub use record::{Business, Record, Roles};
pub use view::{Found, Index, NotServing, Outdated, View};
