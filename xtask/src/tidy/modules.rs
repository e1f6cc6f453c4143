//! No source file that the compiler never sees.

use super::{Tree, Violation};

/// Folders in which each file is a program of its own.
const PROGRAM_FOLDERS: [&str; 5] = ["benches", "bin", "examples", "fuzz_targets", "tests"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust()
        .filter(|(path, _)| !is_root(path) && !is_reached(tree, path))
        .map(|(path, _)| {
            Violation::new(path, 1, "declare it with `mod` in its parent, or delete it")
        })
        .collect()
}

fn is_root(path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folder.rsplit('/').next().unwrap_or_default();
    ["main.rs", "lib.rs", "build.rs"].contains(&file)
        || (PROGRAM_FOLDERS.contains(&folder) && file != "mod.rs")
}

/// Whether a neighbour or the parent declares the module, or anybody in the crate names its file.
fn is_reached(tree: &Tree, path: &str) -> bool {
    let own = path.strip_suffix("/mod.rs").or(path.strip_suffix(".rs")).unwrap_or(path);
    let (folder, name) = own.rsplit_once('/').unwrap_or(("", own));
    let declaration = format!("mod {name};");
    let file = format!("{}\"]", path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/'));
    let krate = path.split("/src/").next().unwrap_or_default();
    let is_parent = |other: &str| {
        other.strip_suffix(".rs") == Some(folder)
            || other.rsplit_once('/').is_some_and(|(beside, _)| beside == folder)
    };
    let code = |line: &str| line.split("//").next().unwrap_or_default().trim_end().to_owned();
    let declares = |line: &str| code(line).ends_with(&declaration);
    let mounts = |line: &str| line.contains("#[path = ") && line.ends_with(&file);
    tree.rust().filter(|(other, _)| *other != path).any(|(other, text)| {
        (is_parent(other) && text.lines().any(declares))
            || (other.starts_with(krate) && text.lines().any(mounts))
    })
}

#[cfg(test)]
mod tests {
    //! Every way in which a file is reached, and a file in each place that nothing reaches.

    use super::super::places;

    #[test]
    fn reached_files_pass() {
        let files = [
            ("a/src/lib.rs", "mod b;\npub(crate) mod c;\n"),
            ("a/src/b.rs", "mod deep;\n"),
            ("a/src/b/deep.rs", ""),
            ("a/src/c/mod.rs", "mod e;\n#[path = \"mounted.rs\"]\nmod once;\n"),
            ("a/src/c/mounted.rs", ""),
            ("a/src/c/e.rs", "#[path = \"../f/mod.rs\"]\nmod f;\n"),
            ("a/src/f/mod.rs", ""),
            ("a/tests/one.rs", "mod harness;\n"),
            ("a/tests/harness/mod.rs", ""),
            ("a/build.rs", ""),
            ("fuzz/fuzz_targets/one.rs", ""),
        ];
        assert_eq!(places(super::check, &files), [""; 0]);
    }

    #[test]
    fn unreached_files_are_found() {
        let files = [
            ("a/src/lib.rs", "mod b;\n// mod c; once\n"),
            ("a/src/b.rs", ""),
            ("a/src/c.rs", ""),
            ("a/src/b/b.rs", ""),
            ("a/tests/harness/mod.rs", ""),
        ];
        let expected = ["a/src/b/b.rs:1", "a/src/c.rs:1", "a/tests/harness/mod.rs:1"];
        assert_eq!(places(super::check, &files), expected);
    }
}
