//! What a list of keys is asked for.

use apikey::{
    clock::Timestamp,
    id::{BusinessId, KeyId},
    lifecycle::State,
    scope::ScopeName,
};

/// Which keys, from where on, and how many.
#[derive(Debug, Clone)]
pub struct KeyQuery {
    /// Of any of these businesses.
    pub business_ids: Vec<BusinessId>,
    /// And for which all of this holds.
    pub filter: KeyFilter,
    /// After this one; `None` begins with the newest.
    pub after: Option<KeyPosition>,
    /// At most so many.
    pub limit: i64,
}

/// A condition on keys: all that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct KeyFilter {
    /// In any of these states; empty means all.
    pub states: Vec<State>,
    /// Holds this scope.
    pub scope: Option<ScopeName>,
    /// Expires before this moment.
    pub expire_before: Option<Timestamp>,
    /// Has exactly this obfuscated secret.
    pub obfuscated_secret: Option<String>,
    /// Has this in its name, case-sensitive.
    pub display_name_part: Option<String>,
    /// Was never used.
    pub never_used: bool,
    /// Was not used at this moment or after it, as far as uses are counted.
    pub unused_since: Option<Timestamp>,
}

/// Which keys a change in bulk is for, all of them of these businesses.
#[derive(Debug, Clone)]
pub struct KeySelection {
    /// Keys of any other are not touched.
    pub business_ids: Vec<BusinessId>,
    /// Which of them.
    pub which: WhichKeys,
}

/// Which keys of some businesses.
#[derive(Debug, Clone)]
pub enum WhichKeys {
    /// These, all of which must be there.
    Ids(Vec<KeyId>),
    /// All that match.
    Filter(KeyFilter),
}

/// A key's place in the order of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPosition {
    /// When the key was made.
    pub create_time: Timestamp,
    /// Decides between keys of the same moment.
    pub key_id: KeyId,
}

/// Which keys by their last use, from where on, and how many.
#[derive(Debug, Clone)]
pub struct LastUseQuery {
    /// Of any of these businesses.
    pub business_ids: Vec<BusinessId>,
    /// And for which all of this holds.
    pub filter: KeyFilter,
    /// After this one; `None` begins with those that were never used.
    pub after: Option<LastUsePosition>,
    /// At most so many.
    pub limit: i64,
}

/// A key's place in the order of last uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastUsePosition {
    /// When it was last used; `None`: never, which comes first.
    pub last_use_time: Option<Timestamp>,
    /// Decides between keys of the same moment.
    pub key_id: KeyId,
}
