//! How far a change has reached.

use apikey::clock::Timestamp;
use keyward_proto::v1::ChangeReceipt;
use keyward_store::record::Revision;

use super::time;

/// The receipt of a change that this replica, the only one, has applied.
#[must_use]
pub fn to_wire(
    revision: Revision,
    commit_time: Timestamp,
    effective_time: Timestamp,
) -> ChangeReceipt {
    ChangeReceipt {
        revision: revision.0,
        commit_time: Some(time::to_wire(commit_time)),
        effective_time: Some(time::to_wire(effective_time)),
        replicas_acknowledged: 1,
        replicas_expired: 0,
    }
}
