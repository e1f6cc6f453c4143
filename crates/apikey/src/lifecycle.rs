//! The states of a key, and the only ways between them.
//!
//! ```text
//!                 suspend
//!            ───────────────►                 time
//!   ACTIVE                     SUSPENDED    ────────►  EXPIRED
//!            ◄───────────────               ◄────────
//!                 resume                     rotate
//!
//!   each of them ── revoke ──► REVOKED, which nothing leaves
//! ```
//!
//! Time and rotation keep what suspension did: a key that expired while suspended comes back
//! suspended.
//!
//! EXPIRED is derived from the time, never stored. `now` is always the latest moment that it may be,
//! so that a key is refused early by the clock's uncertainty, never late.

use std::fmt;

use crate::clock::Timestamp;

/// What a key is at a moment (AIP-216).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Its secret is accepted.
    Active,
    /// Refused until resumed.
    Suspended,
    /// Refused since its `expire_time`, until rotated with a new one.
    Expired,
    /// Refused for ever.
    Revoked,
}

/// Who suspended a key, or asks to suspend or resume it; the platform is the greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuspendedBy {
    /// The business that owns the key.
    Business,
    /// The platform. What it suspends only it resumes.
    Platform,
}

/// What a key's state follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lifecycle {
    /// Refused from this moment on.
    pub expire_time: Option<Timestamp>,
    /// When it was revoked.
    pub revoke_time: Option<Timestamp>,
    /// By whom it is suspended.
    pub suspended_by: Option<SuspendedBy>,
}

/// Why a key does not change in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key is {from}: {cause}")]
pub struct TransitionError {
    /// The state that it is in.
    pub from: State,
    /// What forbids the change.
    pub cause: TransitionCause,
}

/// What forbids a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransitionCause {
    /// The key is revoked.
    #[error("a revocation is final; create another key")]
    Revoked,
    /// The key has expired, and the change is not a rotation.
    #[error("rotate it with a new expire_time first, or revoke it")]
    Expired,
    /// The key has expired, and the rotation names no new `expire_time`.
    #[error("its rotation needs a new expire_time")]
    ExpireTimeMissing,
    /// The new `expire_time` is not in the future.
    #[error("a new expire_time is later than now")]
    ExpireTimePast,
    /// The business cannot resume what the platform suspended.
    #[error("the platform suspended it, and only the platform resumes it")]
    SuspendedByPlatform,
}

impl Lifecycle {
    /// The state at a moment: REVOKED over EXPIRED over SUSPENDED over ACTIVE. A key has expired from
    /// the first moment that is not before its `expire_time`.
    pub fn state(&self, now: Timestamp) -> State {
        if self.revoke_time.is_some() {
            State::Revoked
        } else if self.expire_time.is_some_and(|expire_time| expire_time <= now) {
            State::Expired
        } else if self.suspended_by.is_some() {
            State::Suspended
        } else {
            State::Active
        }
    }

    /// Neither revoked nor expired: counts towards the limit of its business.
    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.state(now), State::Active | State::Suspended)
    }

    /// Revoked now, from whatever state; none if it already was, as the first revocation stands.
    pub fn revoke(&self, now: Timestamp) -> Option<Lifecycle> {
        match self.revoke_time {
            Some(_) => None,
            None => Some(Lifecycle { revoke_time: Some(now), ..*self }),
        }
    }

    /// Suspended. Suspending again changes nothing, except that the platform takes over from the
    /// business.
    ///
    /// # Errors
    /// On a key that is not live.
    pub fn suspend(&self, by: SuspendedBy, now: Timestamp) -> Result<Lifecycle, TransitionError> {
        self.require_live(now)?;
        Ok(Lifecycle { suspended_by: self.suspended_by.max(Some(by)), ..*self })
    }

    /// No longer suspended. Resuming an active key changes nothing.
    ///
    /// # Errors
    /// On a key that is not live, or that the platform suspended and the business resumes.
    pub fn resume(&self, by: SuspendedBy, now: Timestamp) -> Result<Lifecycle, TransitionError> {
        self.require_live(now)?;
        if self.suspended_by > Some(by) {
            return Err(self.refuse(TransitionCause::SuspendedByPlatform, now));
        }
        Ok(Lifecycle { suspended_by: None, ..*self })
    }

    /// Expires at another time, or never.
    ///
    /// # Errors
    /// On a key that is not live, or with a time that is not in the future.
    pub fn update_expiry(
        &self,
        expire_time: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Lifecycle, TransitionError> {
        self.require_live(now)?;
        self.require_future(expire_time, now)?;
        Ok(Lifecycle { expire_time, ..*self })
    }

    /// Goes on with a new secret, and with a new `expire_time` if one is given. A suspended key stays
    /// suspended, also one that has expired meanwhile.
    ///
    /// # Errors
    /// On a revoked key, on an expired one without a new `expire_time`, and with a time that is not
    /// in the future.
    pub fn rotate(
        &self,
        new_expire_time: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Lifecycle, TransitionError> {
        match (self.state(now), new_expire_time) {
            (State::Revoked, _) => Err(self.refuse(TransitionCause::Revoked, now)),
            (State::Expired, None) => Err(self.refuse(TransitionCause::ExpireTimeMissing, now)),
            (State::Active | State::Suspended | State::Expired, _) => {
                self.require_future(new_expire_time, now)?;
                Ok(Lifecycle { expire_time: new_expire_time.or(self.expire_time), ..*self })
            }
        }
    }

    fn require_live(&self, now: Timestamp) -> Result<(), TransitionError> {
        match self.state(now) {
            State::Active | State::Suspended => Ok(()),
            State::Expired => Err(self.refuse(TransitionCause::Expired, now)),
            State::Revoked => Err(self.refuse(TransitionCause::Revoked, now)),
        }
    }

    fn require_future(
        &self,
        expire_time: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), TransitionError> {
        match expire_time {
            Some(time) if time <= now => Err(self.refuse(TransitionCause::ExpireTimePast, now)),
            Some(_) | None => Ok(()),
        }
    }

    fn refuse(&self, cause: TransitionCause, now: Timestamp) -> TransitionError {
        TransitionError { from: self.state(now), cause }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Active => "ACTIVE",
            State::Suspended => "SUSPENDED",
            State::Expired => "EXPIRED",
            State::Revoked => "REVOKED",
        })
    }
}

#[cfg(test)]
mod tests;
