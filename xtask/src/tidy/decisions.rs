//! Every decision record stands in the index of decisions, where there is one.

use super::{Tree, Violation};

const FOLDER: &str = "docs/decisions/";
const INDEX: &str = "docs/decisions/README.md";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let Some((_, index)) = tree.files().find(|(path, _)| *path == INDEX) else {
        return Vec::new();
    };
    tree.files()
        .filter(|(path, _)| *path != INDEX)
        .filter_map(|(path, _)| path.strip_prefix(FOLDER))
        .filter(|name| !index.contains(name))
        .map(|name| Violation::new(INDEX, 1, format!("list `{name}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    //! A record that the index does not name is found, and without an index nothing is.

    use super::super::places;

    #[test]
    fn unlisted_record_is_found() {
        let files = [("docs/decisions/README.md", "[a](a.md)"), ("docs/decisions/a.md", "")];
        assert_eq!(places(super::check, &files), [""; 0]);
        let files = [("docs/decisions/README.md", "[a](a.md)"), ("docs/decisions/b.md", "")];
        assert_eq!(places(super::check, &files), ["docs/decisions/README.md:1"]);
        assert_eq!(places(super::check, &[("docs/decisions/b.md", "")]), [""; 0]);
    }
}
