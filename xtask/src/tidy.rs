//! `cargo xtask tidy`: the rules of the house that a program can keep.
//!
//! A rule is a function from the tree to its violations, in a file of its own, with a test in which
//! it fires.

mod decisions;
mod lengths;
mod machine_paths;
mod manifests;
mod migrations;
mod module_docs;
mod modules;
mod names;

use std::collections::BTreeMap;
use std::fmt;
use std::process::Command;

use anyhow::ensure;

type Rule = fn(&Tree) -> Vec<Violation>;

const RULES: [Rule; 9] = [
    lengths::check,
    names::check,
    module_docs::check,
    modules::check,
    migrations::check,
    manifests::check_versions,
    manifests::check_arrows,
    decisions::check,
    machine_paths::check,
];

pub(crate) fn run() -> anyhow::Result<()> {
    let tree = Tree::read()?;
    let violations: Vec<_> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    for violation in &violations {
        println!("{violation}");
    }
    ensure!(violations.is_empty(), "{} violations", violations.len());
    println!("{} files are tidy", tree.0.len());
    Ok(())
}

/// Every file that is tracked, or would be: committed or not, but not ignored.
pub(crate) fn files_git_knows() -> anyhow::Result<Vec<String>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
    let output = Command::new("git").args(list).output()?;
    ensure!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout)?;
    let exists = |path: &&str| std::path::Path::new(path).is_file();
    Ok(names.split_terminator('\0').filter(exists).map(str::to_owned).collect())
}

/// The files that git knows, path to text; a binary file's text is empty.
#[derive(Debug)]
struct Tree(BTreeMap<String, String>);

impl Tree {
    fn read() -> anyhow::Result<Self> {
        let text = |path: String| {
            let bytes = std::fs::read(&path)?;
            Ok((path, String::from_utf8(bytes).unwrap_or_default()))
        };
        files_git_knows()?.into_iter().map(text).collect::<anyhow::Result<_>>().map(Self)
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs"))
    }
}

/// A broken rule: where, and what would be right.
#[derive(Debug, PartialEq)]
struct Violation {
    path: String,
    line: usize,
    right: String,
}

impl Violation {
    fn new(path: impl Into<String>, line: usize, right: impl Into<String>) -> Self {
        Self { path: path.into(), line, right: right.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.right)
    }
}

/// Where a rule fired, for its test: `path:line`.
#[cfg(test)]
fn places(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    let violations = rule(&Tree::of(files));
    violations.iter().map(|violation| format!("{}:{}", violation.path, violation.line)).collect()
}
