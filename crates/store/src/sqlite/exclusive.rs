//! The lock that keeps a second process off the folder: a file of its own, locked for as long as
//! this one lives. The operating system lets go of it whatever happens to the process.

use std::{
    fs::{File, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
};

use super::Database;
use crate::error::StoreError;

/// The lock's file in the database's folder.
const FILE: &str = "lock";

/// The held lock. Dropping it lets another process in.
pub(crate) struct Exclusive {
    _file: File,
}

impl Database {
    /// Takes the lock; `None` when another process has it.
    pub(crate) fn hold_exclusively(&self) -> Result<Option<Exclusive>, StoreError> {
        let path = self.folder.join(FILE);
        let unavailable =
            |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
        let file = File::options().create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(unavailable)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Exclusive { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unavailable(error)),
        }
    }
}
