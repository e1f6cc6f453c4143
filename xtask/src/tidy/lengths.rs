//! No file grows past what is read in one sitting.

use super::{Tree, Violation};

const MOST: usize = 400;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust()
        .filter(|(_, text)| text.lines().count() > MOST)
        .map(|(path, _)| {
            Violation::new(path, MOST + 1, format!("split by reason: {MOST} lines are the most"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    //! The last allowed length passes, the next does not.

    use super::super::places;

    #[test]
    fn longest_file_is_400_lines() {
        let files = [("a.rs", "//\n".repeat(400)), ("b.rs", "//\n".repeat(401))];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        assert_eq!(places(super::check, &files), ["b.rs:401"]);
    }
}
