//! The project stands alone: no text names a folder of the machine it was written on.

use super::{Tree, Violation};

/// First folders of absolute paths that only one machine has.
const FOLDERS: [&str; 5] = ["home", "mnt", "root", "Users", "work"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let is_found = |line: &str| FOLDERS.iter().any(|folder| names_absolutely(line, folder));
    tree.files()
        .flat_map(|(path, text)| (1..).zip(text.lines()).map(move |(n, line)| (path, n, line)))
        .filter(|(_, _, line)| is_found(line))
        .map(|(path, n, _)| {
            Violation::new(path, n, "say it relative to the project, or not at all")
        })
        .collect()
}

/// Whether `/folder/` stands in the line as the beginning of a path.
fn names_absolutely(line: &str, folder: &str) -> bool {
    let begins = |before: &str| {
        !before.ends_with(|last: char| last.is_alphanumeric() || "._-~}*/".contains(last))
    };
    line.match_indices(&format!("/{folder}/")).any(|(at, _)| line.get(..at).is_some_and(begins))
}

#[cfg(test)]
mod tests {
    //! Absolute paths are found, and what only resembles them is not.

    use super::super::places;

    #[test]
    fn absolute_path_is_found_wherever_it_stands() {
        for folder in super::FOLDERS {
            let text = format!("\nsee `/{folder}/x`\nsee docs/{folder}/x and ~/{folder}/x\n");
            assert_eq!(places(super::check, &[("a.md", &text)]), ["a.md:2"]);
        }
    }
}
