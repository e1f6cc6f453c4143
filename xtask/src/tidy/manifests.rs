//! Versions stand in the root manifest alone, and the arrows between crates point one way.

use toml::{Table, Value};

use super::{Tree, Violation};

/// A crate, and the beginnings of the names of what it never sees: ARCHITECTURE.md says why.
const NEVER_SEES: [(&str, &[&str]); 6] = [
    ("apikey", &["diesel", "keyward-", "tokio", "tonic"]),
    ("keyward-proto", &["apikey", "keyward-"]),
    ("keyward-server", &["diesel"]),
    ("keyward-store", &["keyward-", "tonic"]),
    ("test-postgres", &["apikey", "keyward-"]),
    ("test-sqlite", &["apikey", "keyward-"]),
];

pub(super) fn check_versions(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text, manifest) in members(tree) {
        let package = manifest.get("package").and_then(|package| package.get("version"));
        if package.is_some_and(Value::is_str) {
            let line = line_of(text, "version");
            violations.push(Violation::new(path, line, "say `version.workspace = true`"));
        }
        for (name, dependency) in dependencies(&manifest) {
            if dependency.get("workspace").is_none() && dependency.get("path").is_none() {
                let right =
                    format!("say `{name}.workspace = true`, the version stands in the root");
                violations.push(Violation::new(path, line_of(text, name), right));
            }
        }
    }
    violations
}

pub(super) fn check_arrows(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text, manifest) in members(tree) {
        let package = manifest.get("package").and_then(|package| package.get("name"));
        let package = package.and_then(Value::as_str).unwrap_or_default();
        let unseen = NEVER_SEES.iter().filter(|(name, _)| *name == package);
        let unseen: Vec<&str> = unseen.flat_map(|(_, unseen)| *unseen).copied().collect();
        for (name, _) in dependencies(&manifest) {
            if unseen.iter().any(|beginning| name.starts_with(beginning)) {
                let right = format!("`{package}` never sees `{name}`: see ARCHITECTURE.md");
                violations.push(Violation::new(path, line_of(text, name), right));
            }
        }
    }
    violations
}

/// Manifests of the workspace's members; what cargo itself cannot read, cargo complains about.
fn members(tree: &Tree) -> impl Iterator<Item = (&str, &str, Table)> {
    tree.files()
        .filter(|(path, _)| path.ends_with("/Cargo.toml"))
        .filter_map(|(path, text)| Some((path, text, text.parse::<Table>().ok()?)))
        .filter(|(_, _, manifest)| !manifest.contains_key("workspace"))
}

/// Every dependency of any kind, for any target.
fn dependencies(manifest: &Table) -> Vec<(&str, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    std::iter::once(manifest)
        .chain(targets)
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .collect()
}

fn line_of(text: &str, key: &str) -> usize {
    text.lines().position(|line| line.starts_with(key)).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    //! Versions and arrows, in each kind of dependency.

    use super::super::places;

    #[test]
    fn version_in_a_member_is_found() {
        let root = "[workspace.dependencies]\nserde = \"1\"\n";
        let good = "[package]\nversion.workspace = true\n[dependencies]\na.workspace = true\n\
                    b = { workspace = true, features = [\"x\"] }\nc = { path = \"../c\" }\n";
        let bad = "[package]\nversion = \"1.0.0\"\n[dev-dependencies]\na = \"1\"\n\
                   [target.'cfg(unix)'.dependencies]\nb = { version = \"1\" }\n";
        let files = [("Cargo.toml", root), ("x/Cargo.toml", good), ("y/Cargo.toml", bad)];
        let expected = ["y/Cargo.toml:2", "y/Cargo.toml:4", "y/Cargo.toml:6"];
        assert_eq!(places(super::check_versions, &files), expected);
    }

    #[test]
    fn arrow_that_points_back_is_found() {
        let manifest = |name: &str, on: &str| {
            format!("[package]\nname = \"{name}\"\n[dev-dependencies]\n{on}.workspace = true\n")
        };
        let arrows = [
            ("apikey", "tokio"),
            ("apikey", "ring"),
            ("keyward-proto", "apikey"),
            ("keyward-server", "diesel-async"),
            ("keyward-server", "keyward-store"),
            ("keyward-store", "tonic"),
        ];
        let fires = arrows.map(|(from, to)| {
            !places(super::check_arrows, &[("x/Cargo.toml", &manifest(from, to))]).is_empty()
        });
        assert_eq!(fires, [true, false, true, true, false, true]);
    }
}
