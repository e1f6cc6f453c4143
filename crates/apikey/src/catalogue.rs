//! Which scopes exist, and which of them cover which endpoints, as held in memory to decide by.
//!
//! - A scope counts only while it is live: catalogued and not retired. A name that a key holds and
//!   the catalogue does not know has a number, and counts as not held until it is catalogued.
//! - **A retired scope keeps its templates in the map**, though nobody holds it. Without them a less
//!   specific template of another scope would take over those endpoints, and retiring a scope would
//!   let keys reach more than before.
//! - Numbers are this process's own, given in order of appearance; a name keeps its number.

use std::collections::HashMap;
use std::sync::Arc;

use crate::endpoint::{Endpoint, Template};
use crate::scope::{ScopeName, built_in};

pub mod effect;
pub mod endpoint_map;

use endpoint_map::EndpointMap;

/// A scope's number in this process; never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(u32);

/// Who may give a scope to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssignableBy {
    /// Users of a business, and operators.
    Users,
    /// Operators alone.
    Operators,
}

/// A catalogued scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeDefinition {
    /// Its name, never reused.
    pub name: ScopeName,
    /// Who may give it to a key.
    pub assignable_by: AssignableBy,
    /// The endpoints that it covers.
    pub templates: Vec<Template>,
    /// Counts as not held, for ever.
    pub retired: bool,
}

/// The scopes, their numbers and their endpoints. Cloning copies names by reference and endpoints
/// not at all, so that a change can be made on a copy and published whole.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// By number.
    entries: Vec<Entry>,
    ids: HashMap<ScopeName, ScopeId>,
    endpoints: EndpointMap,
}

#[derive(Clone, Debug)]
struct Entry {
    name: ScopeName,
    /// None: a name that was seen, and is not catalogued.
    definition: Option<Arc<ScopeDefinition>>,
}

impl Catalogue {
    /// The catalogue of the built-in scopes alone: assignable by operators, covering no endpoint.
    pub fn new() -> Catalogue {
        let mut catalogue = Catalogue {
            entries: Vec::new(),
            ids: HashMap::new(),
            endpoints: EndpointMap::default(),
        };
        for name in built_in::ALL.into_iter().filter_map(|name| ScopeName::parse(name).ok()) {
            catalogue.put(ScopeDefinition {
                name,
                assignable_by: AssignableBy::Operators,
                templates: Vec::new(),
                retired: false,
            });
        }
        catalogue
    }

    /// The number of a name, a new one if it has none yet.
    pub fn intern(&mut self, name: &ScopeName) -> ScopeId {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        // Never full: four billion names do not fit into memory.
        let id = ScopeId(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.entries.push(Entry { name: name.clone(), definition: None });
        self.ids.insert(name.clone(), id);
        id
    }

    /// Catalogues a scope, in place of what was catalogued under its name.
    pub fn put(&mut self, definition: ScopeDefinition) {
        let id = self.intern(&definition.name);
        let Some(entry) = index(id).and_then(|index| self.entries.get_mut(index)) else { return };
        for template in entry.definition.iter().flat_map(|former| &former.templates) {
            self.endpoints.remove(template, id);
        }
        for template in &definition.templates {
            self.endpoints.insert(template, id);
        }
        entry.definition = Some(Arc::new(definition));
    }

    /// The number of a name that has one.
    pub fn id(&self, name: &str) -> Option<ScopeId> {
        self.ids.get(name).copied()
    }

    /// The name with this number.
    pub fn name(&self, id: ScopeId) -> Option<&ScopeName> {
        self.entry(id).map(|entry| &entry.name)
    }

    /// What is catalogued under this number, retired or not.
    pub fn definition(&self, id: ScopeId) -> Option<&ScopeDefinition> {
        self.entry(id)?.definition.as_deref()
    }

    /// Does holding this scope count: is it catalogued and not retired?
    pub fn is_live(&self, id: ScopeId) -> bool {
        self.definition(id).is_some_and(|definition| !definition.retired)
    }

    /// The scopes of which any one, if live, covers this endpoint; none if it is not mapped. Retired
    /// scopes are among them.
    pub fn covering(&self, endpoint: &Endpoint<'_>) -> Option<&[ScopeId]> {
        self.endpoints.resolve(endpoint)
    }

    fn entry(&self, id: ScopeId) -> Option<&Entry> {
        self.entries.get(index(id)?)
    }
}

impl Default for Catalogue {
    fn default() -> Catalogue {
        Catalogue::new()
    }
}

fn index(id: ScopeId) -> Option<usize> {
    usize::try_from(id.0).ok()
}

#[cfg(test)]
mod tests;
