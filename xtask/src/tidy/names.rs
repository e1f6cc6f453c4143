//! No drawers: a thing without a home wants a room with a name.

use super::{Tree, Violation};

const DRAWERS: [&str; 9] =
    ["base", "common", "helpers", "manager", "misc", "shared", "types", "util", "utils"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let stem = |part: &str| part.split('.').next().unwrap_or_default().to_owned();
    let drawer = |path: &str| path.split('/').map(stem).find(|s| DRAWERS.contains(&s.as_str()));
    tree.files()
        .filter_map(|(path, _)| Some((path, drawer(path)?)))
        .map(|(path, drawer)| {
            Violation::new(path, 1, format!("`{drawer}` is a drawer: name it for what it owns"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    //! Files and folders, whole names only.

    use super::super::places;

    #[test]
    fn drawers_are_found_as_file_and_as_folder() {
        let files = ["a/utils/b.rs", "a/common.proto", "a/common_name.rs", "a/types.tests.rs"];
        let files = files.map(|path| (path, ""));
        let expected = ["a/common.proto:1", "a/types.tests.rs:1", "a/utils/b.rs:1"];
        assert_eq!(places(super::check, &files), expected);
    }
}
