//! `Scope`, `EndpointTemplate` and `Endpoint`.

use apikey::{
    catalogue::AssignableBy,
    endpoint::{Endpoint, Template},
    scope::ScopeName,
    settings::Description,
};
use keyward_proto::v1::{self, endpoint, endpoint_template};
use keyward_store::{
    catalogue::{ScopeEdit, ScopeMask},
    record::ScopeRecord,
};

use super::time;
use crate::errors::violations::Violations;

/// How many endpoints a scope covers at most.
pub const ENDPOINTS_MAX: usize = 200;

/// The scope as it stands.
#[must_use]
pub fn to_wire(scope: ScopeRecord) -> v1::Scope {
    let ScopeRecord {
        name,
        revision: _,
        description,
        assignable_by,
        endpoints,
        retire_time,
        create_time,
        update_time,
    } = scope;
    v1::Scope {
        name: name.as_str().to_owned(),
        description: description.as_str().to_owned(),
        assignable_by: assignable_by_to_wire(assignable_by).into(),
        endpoints: endpoints.iter().map(template_to_wire).collect(),
        retire_time: retire_time.map(time::to_wire),
        create_time: Some(time::to_wire(create_time)),
        update_time: Some(time::to_wire(update_time)),
    }
}

fn assignable_by_to_wire(by: AssignableBy) -> v1::AssignableBy {
    match by {
        AssignableBy::Users => v1::AssignableBy::Users,
        AssignableBy::Operators => v1::AssignableBy::Operators,
    }
}

fn template_to_wire(template: &Template) -> v1::EndpointTemplate {
    let path = template.path().to_owned();
    let kind = match template.method() {
        Some(method) => {
            endpoint_template::Kind::Http(v1::HttpTemplate { method: method.to_owned(), path })
        }
        None => endpoint_template::Kind::GrpcMethod(path),
    };
    v1::EndpointTemplate { service: template.service().to_owned(), kind: Some(kind) }
}

/// A scope's new values, those that `mask` names.
pub fn edit_from_wire(
    scope: v1::Scope,
    mask: ScopeMask,
    violations: &mut Violations,
) -> (Option<ScopeName>, Option<ScopeEdit>) {
    let v1::Scope {
        name,
        description,
        assignable_by,
        endpoints,
        retire_time: _,
        create_time: _,
        update_time: _,
    } = scope;
    let name = name_from_wire("scope.name", &name, violations);
    let description = if mask.description { description } else { String::new() };
    let description = violations.take("scope.description", Description::parse(&description));
    let assignable_by = match v1::AssignableBy::try_from(assignable_by) {
        Ok(v1::AssignableBy::Users) => Some(AssignableBy::Users),
        Ok(v1::AssignableBy::Operators) => Some(AssignableBy::Operators),
        _ if !mask.assignable_by => Some(AssignableBy::Operators),
        Ok(v1::AssignableBy::Unspecified) | Err(_) => {
            violations.add(
                "scope.assignable_by",
                "must be ASSIGNABLE_BY_USERS (business admins and advisors may give the scope to a \
                 key) or ASSIGNABLE_BY_OPERATORS (only the platform may)",
            );
            None
        }
    };
    let endpoints = if mask.endpoints { endpoints } else { Vec::new() };
    let endpoints = templates_from_wire(endpoints, violations);
    let edit = match (description, assignable_by, endpoints) {
        (Some(description), Some(assignable_by), Some(endpoints)) => {
            Some(ScopeEdit { description, assignable_by, endpoints, mask })
        }
        _ => None,
    };
    (name, edit)
}

/// The name of a scope that can be changed.
pub fn name_from_wire(field: &str, name: &str, violations: &mut Violations) -> Option<ScopeName> {
    let name = violations.take(field, ScopeName::parse(name))?;
    if name.is_built_in() {
        violations.add(field, "names that begin with keyward. are built in; choose another");
        return None;
    }
    Some(name)
}

fn templates_from_wire(
    templates: Vec<v1::EndpointTemplate>,
    violations: &mut Violations,
) -> Option<Vec<Template>> {
    const FIELD: &str = "scope.endpoints";
    let count = templates.len();
    if count > ENDPOINTS_MAX {
        violations.add(FIELD, format!("has {count} entries, and {ENDPOINTS_MAX} is the most"));
        return None;
    }
    let mut parsed = Vec::with_capacity(count);
    for (i, template) in templates.into_iter().enumerate() {
        let v1::EndpointTemplate { service, kind } = template;
        let field = format!("{FIELD}[{i}]");
        let template = match kind {
            Some(endpoint_template::Kind::Http(v1::HttpTemplate { method, path })) => {
                violations.take(field, Template::http(&service, &method, &path))
            }
            Some(endpoint_template::Kind::GrpcMethod(method)) => {
                violations.take(field, Template::grpc(&service, &method))
            }
            None => {
                violations.add(field, "must have http or grpc_method set");
                None
            }
        };
        parsed.extend(template);
    }
    for (i, template) in parsed.iter().enumerate() {
        if let Some(first) = parsed.iter().take(i).position(|earlier| earlier == template) {
            let problem = format!("is the same as {FIELD}[{first}]; say it once");
            violations.add(format!("{FIELD}[{i}]"), problem);
        }
    }
    (parsed.len() == count).then_some(parsed)
}

/// The endpoint of a request; `None` where neither kind is set.
#[must_use]
pub fn endpoint_from_wire(endpoint: &v1::Endpoint) -> Option<Endpoint<'_>> {
    let v1::Endpoint { service, kind } = endpoint;
    match kind.as_ref()? {
        endpoint::Kind::Http(v1::HttpEndpoint { method, raw_path }) => {
            Some(Endpoint::http(service, method, raw_path))
        }
        endpoint::Kind::GrpcMethod(method) => Some(Endpoint::grpc(service, method)),
    }
}
