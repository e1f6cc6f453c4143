//! Every module says in its first line what it is for.

use super::{Tree, Violation};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| Violation::new(path, 1, "open with `//! ` and the reason of this file"))
        .collect()
}

#[cfg(test)]
mod tests {
    //! Only an opening that says something counts.

    use super::super::places;

    #[test]
    fn first_line_is_documentation() {
        let files = [("a.rs", "//! Why.\n"), ("b.rs", "// Why.\n"), ("c.rs", "\n//! Late.\n")];
        assert_eq!(places(super::check, &files), ["b.rs:1", "c.rs:1"]);
    }
}
