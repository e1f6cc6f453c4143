//! How a database's schema stands to this binary's.

/// Which migrations are missing here, and which are unknown here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// In this binary, in order.
    pub known: Vec<String>,
    /// Of those, not yet in the database.
    pub pending: Vec<String>,
    /// In the database and not in this binary: a newer one was here.
    pub unknown: Vec<String>,
}

impl MigrationStatus {
    pub(crate) fn compare(
        known: impl Iterator<Item = String>,
        mut applied: Vec<String>,
    ) -> diesel::migration::Result<Self> {
        let mut known: Vec<String> = known.collect();
        known.sort();
        applied.sort();
        let pending = known.iter().filter(|version| !applied.contains(version)).cloned().collect();
        let unknown = applied.into_iter().filter(|version| !known.contains(version)).collect();
        Ok(Self { known, pending, unknown })
    }
}
