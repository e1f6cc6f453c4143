//! Each migration stands in both engines, and in both it can be undone.

use std::collections::BTreeSet;

use super::{Tree, Violation};

const ENGINES: [&str; 2] = ["postgres", "sqlite"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let names: BTreeSet<&str> = tree.files().filter_map(|(path, _)| name(path)).collect();
    let wanted = names.iter().flat_map(|name| {
        ENGINES.iter().flat_map(move |engine| {
            ["up.sql", "down.sql"].map(|file| format!("migrations/{engine}/{name}/{file}"))
        })
    });
    wanted
        .filter(|path| !tree.has(path))
        .map(|path| Violation::new(path, 1, "write it: migrations come in pairs, each up and down"))
        .collect()
}

/// `migrations/<engine>/<name>/<file>`
fn name(path: &str) -> Option<&str> {
    path.strip_prefix("migrations/")?.split_once('/')?.1.split_once('/').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    //! A pair passes; what lacks on either side is named.

    use super::super::places;

    #[test]
    fn lacking_halves_are_named() {
        let files = [
            "migrations/README.md",
            "migrations/postgres/1_a/up.sql",
            "migrations/postgres/1_a/down.sql",
            "migrations/sqlite/1_a/up.sql",
            "migrations/sqlite/1_a/down.sql",
            "migrations/sqlite/2_b/up.sql",
        ];
        let expected = [
            "migrations/postgres/2_b/up.sql:1",
            "migrations/postgres/2_b/down.sql:1",
            "migrations/sqlite/2_b/down.sql:1",
        ];
        assert_eq!(places(super::check, &files.map(|path| (path, ""))), expected);
    }
}
