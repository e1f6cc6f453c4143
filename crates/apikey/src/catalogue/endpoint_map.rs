//! From an endpoint to the scopes that cover it: of the templates that match, the most specific one
//! decides alone.
//!
//! Paths are compared segment by segment from the left, a literal before `*` before `**`, then
//! methods, a literal before `ANY`. Scopes that have the very same template are alternatives.
//!
//! The templates stand in a tree, a node a segment. A search goes back when a more specific branch
//! ends nowhere, but a node belongs to one depth and has one parent, so that it is entered at most
//! once: no path makes a search longer than the tree is large. No node is empty.
//!
//! Nodes are shared between copies of the map; a change copies those on its way.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalogue::ScopeId;
use crate::endpoint::{ANY_METHOD, Endpoint, Template, path};

/// The endpoints that are mapped. See the [module](self) for how one is found.
#[derive(Clone, Debug, Default)]
pub struct EndpointMap {
    services: BTreeMap<Arc<str>, Service>,
}

#[derive(Clone, Debug, Default)]
struct Service {
    http: Node,
    grpc: Node,
}

#[derive(Clone, Debug, Default)]
struct Node {
    literals: BTreeMap<Arc<str>, Arc<Node>>,
    /// After `*`.
    one: Option<Arc<Node>>,
    /// Paths that end here.
    end: Methods,
    /// Paths that go on, or end here, by `**`.
    rest: Methods,
}

/// By HTTP method; gRPC has `ANY` alone. No list is empty.
type Methods = BTreeMap<Arc<str>, Vec<ScopeId>>;

impl EndpointMap {
    /// The scopes that have the most specific of the templates that match, in the order in which
    /// they were added; none if no template does.
    pub fn resolve(&self, endpoint: &Endpoint<'_>) -> Option<&[ScopeId]> {
        let service = self.services.get(endpoint.service())?;
        let segments = path::segments(endpoint.path()?);
        match endpoint.method() {
            Some(method) => service.http.find(segments, method),
            None => service.grpc.find(segments, ANY_METHOD),
        }
    }

    /// Adds that a scope covers the endpoints of a template.
    pub fn insert(&mut self, template: &Template, scope: ScopeId) {
        self.change(template, |scopes| {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        });
    }

    /// Takes back that a scope covers the endpoints of a template.
    pub fn remove(&mut self, template: &Template, scope: ScopeId) {
        self.change(template, |scopes| scopes.retain(|&other| other != scope));
    }

    fn change(&mut self, template: &Template, change: impl FnOnce(&mut Vec<ScopeId>)) {
        let service = self.services.entry(template.service().into()).or_default();
        let segments = path::segments(template.path());
        match template.method() {
            Some(method) => service.http.change(segments, method, change),
            None => service.grpc.change(segments, ANY_METHOD, change),
        }
        if service.http.is_empty() && service.grpc.is_empty() {
            self.services.remove(template.service());
        }
    }
}

impl Node {
    fn find<'p>(
        &self,
        mut segments: impl Iterator<Item = &'p str> + Clone,
        method: &str,
    ) -> Option<&[ScopeId]> {
        let rest = || by_method(&self.rest, method);
        let Some(segment) = segments.next() else {
            return by_method(&self.end, method).or_else(rest);
        };
        let branches = [self.literals.get(segment), self.one.as_ref()].into_iter().flatten();
        let mut found = branches.filter_map(|node| node.find(segments.clone(), method));
        found.next().or_else(rest)
    }

    fn change<'t>(
        &mut self,
        mut segments: impl Iterator<Item = &'t str>,
        method: &str,
        change: impl FnOnce(&mut Vec<ScopeId>),
    ) {
        match segments.next() {
            None => change_methods(&mut self.end, method, change),
            Some("**") => change_methods(&mut self.rest, method, change),
            Some("*") => {
                let node = Arc::make_mut(self.one.get_or_insert_default());
                node.change(segments, method, change);
                if node.is_empty() {
                    self.one = None;
                }
            }
            Some(literal) => {
                let node = Arc::make_mut(self.literals.entry(literal.into()).or_default());
                node.change(segments, method, change);
                if node.is_empty() {
                    self.literals.remove(literal);
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        let Node { literals, one, end, rest } = self;
        literals.is_empty() && one.is_none() && end.is_empty() && rest.is_empty()
    }
}

fn by_method<'m>(methods: &'m Methods, method: &str) -> Option<&'m [ScopeId]> {
    methods.get(method).or_else(|| methods.get(ANY_METHOD)).map(Vec::as_slice)
}

fn change_methods(methods: &mut Methods, method: &str, change: impl FnOnce(&mut Vec<ScopeId>)) {
    let scopes = methods.entry(method.into()).or_default();
    change(scopes);
    if scopes.is_empty() {
        methods.remove(method);
    }
}

#[cfg(test)]
mod tests;
