//! A report of several sections, each written by a run of its own: `# ` begins one.

use std::{fs, path::Path};

use anyhow::Context as _;

/// Puts a section in the place of the file's one of the same heading, or at its end.
pub(crate) fn replace(file: &Path, section: &str) -> anyhow::Result<()> {
    let old = fs::read_to_string(file).unwrap_or_default();
    fs::write(file, replaced(&old, section)).with_context(|| format!("writing {}", file.display()))
}

fn replaced(old: &str, section: &str) -> String {
    let heading = |section: &str| section.lines().next().unwrap_or_default().to_owned();
    let mut sections: Vec<String> = Vec::new();
    let mut in_code = false;
    for line in old.lines() {
        in_code ^= line.starts_with("```");
        match sections.last_mut() {
            Some(last) if in_code || !line.starts_with("# ") => {
                last.push('\n');
                last.push_str(line);
            }
            _ => sections.push(line.to_owned()),
        }
    }
    match sections.iter_mut().find(|old| heading(old) == heading(section)) {
        Some(place) => section.clone_into(place),
        None => sections.push(section.to_owned()),
    }
    let sections: Vec<&str> = sections.iter().map(|section| section.trim_end()).collect();
    sections.join("\n\n") + "\n"
}

#[cfg(test)]
mod tests {
    //! One section changes, the others stay as they are.

    use super::replaced;

    const OLD: &str = "# One\n\n```sh\n# no heading\n```\n\n## Part\n\n# Two\n\nold\n";

    #[test]
    fn section_is_replaced_in_its_place_or_added() {
        assert_eq!(replaced(OLD, "# Two\n\nnew\n"), OLD.replace("old", "new"));
        assert_eq!(replaced(OLD, "# One\n\nnew\n"), "# One\n\nnew\n\n# Two\n\nold\n");
        assert_eq!(replaced(OLD, "# Three\n"), format!("{OLD}\n# Three\n"));
        assert_eq!(replaced("", "# One\n"), "# One\n");
    }
}
