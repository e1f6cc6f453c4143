//! From PostgreSQL's log of a transaction to a script for pgbench that runs the same statements.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};

use super::stage::BUSINESSES;

/// What pgbench runs.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) text: String,
    /// Parameters that are the same each time, by their names in the script.
    pub(super) variables: Vec<(String, String)>,
    /// The statements as they were logged.
    pub(super) statements: Vec<String>,
}

/// What of a transaction must be another the next time.
#[derive(Debug)]
pub(super) struct Unique {
    pub(super) business: String,
    pub(super) revision: String,
}

/// The statement that takes a change's place in the history; the first of each.
const FIRST: &str = "keyward_next_revision()";
/// Its place in the script: it hands on what is unique, as Keyward makes ids and secrets by itself.
const FIRST_OF_SCRIPT: &str = "select keyward_next_revision() as revision, gen_random_uuid() as key, \
    sha256(uuid_send(gen_random_uuid())) as digest \\gset";

impl Script {
    /// Of the last transaction in the log that is a change.
    pub(super) fn of(log: &str, unique: &Unique) -> anyhow::Result<Self> {
        let statements = last_change(log)?;
        let mut script = Self {
            text: format!("\\set business random(1, {BUSINESSES})\n"),
            variables: Vec::new(),
            statements: Vec::new(),
        };
        for (number, (statement, parameters)) in statements.into_iter().enumerate() {
            if statement.contains(FIRST) {
                script.text.push_str(FIRST_OF_SCRIPT);
                script.text.push('\n');
            } else {
                let mut text = statement.clone();
                // From the last, or $1 would be found in $10.
                for (place, value) in parameters.iter().enumerate().rev() {
                    let place = place + 1;
                    let name = script.variable(number, place, value.as_deref(), unique);
                    text = text.replace(&format!("${place}"), &name);
                }
                writeln!(script.text, "{text};")?;
            }
            script.statements.push(statement);
        }
        Ok(script)
    }

    /// What stands in the script for a parameter.
    fn variable(
        &mut self,
        statement: usize,
        place: usize,
        value: Option<&str>,
        unique: &Unique,
    ) -> String {
        let Some(value) = value else { return "null".to_owned() };
        // pgbench takes no empty variable.
        if value.is_empty() {
            "''".to_owned()
        } else if value == unique.business {
            ":business".to_owned()
        } else if value == unique.revision {
            ":revision".to_owned()
        } else if is_uuid(value) {
            ":key".to_owned()
        } else if value.len() == 66 && value.starts_with("\\x") {
            ":digest".to_owned()
        } else {
            let name = format!("p{statement}_{place}");
            self.variables.push((name.clone(), value.to_owned()));
            format!(":{name}")
        }
    }
}

fn is_uuid(value: &str) -> bool {
    let groups: Vec<usize> = value.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && value.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// Statements, from BEGIN to COMMIT, with their parameters.
type Statements = Vec<(String, Vec<Option<String>>)>;

fn last_change(log: &str) -> anyhow::Result<Statements> {
    let mut open: Statements = Vec::new();
    let mut last = None;
    for line in log.lines() {
        if let Some(statement) = logged(line) {
            let begins = statement.eq_ignore_ascii_case("begin");
            let ends = statement.eq_ignore_ascii_case("commit");
            if begins {
                open.clear();
            }
            if begins || !open.is_empty() {
                open.push((statement.to_owned(), Vec::new()));
            }
            if ends {
                let change = std::mem::take(&mut open);
                if change.iter().any(|(statement, _)| statement.contains(FIRST)) {
                    last = Some(change);
                }
            }
        } else if let Some((_, told)) = line.split_once("DETAIL:  parameters: ")
            && let Some((_, parameters)) = open.last_mut()
        {
            *parameters = parse_parameters(told).with_context(|| line.to_owned())?;
        }
    }
    let last = last.context("the log tells of no change")?;
    ensure!(last.len() > 3, "the log tells of a change that does nothing");
    Ok(last)
}

/// The statement that a line of the log tells of.
fn logged(line: &str) -> Option<&str> {
    let (_, told) = line.split_once("LOG:  ")?;
    if let Some(statement) = told.strip_prefix("statement: ") {
        return Some(statement);
    }
    Some(told.strip_prefix("execute ")?.split_once(": ")?.1)
}

/// `$1 = 'it''s', $2 = NULL`
fn parse_parameters(mut told: &str) -> Option<Vec<Option<String>>> {
    let mut parameters = Vec::new();
    while !told.is_empty() {
        let (_, rest) = told.split_once(" = ")?;
        if let Some(rest) = rest.strip_prefix("NULL") {
            parameters.push(None);
            told = rest.strip_prefix(", ").unwrap_or(rest);
            continue;
        }
        let mut value = String::new();
        let mut rest = rest.strip_prefix('\'')?;
        loop {
            let (part, after) = rest.split_once('\'')?;
            value.push_str(part);
            match after.strip_prefix('\'') {
                Some(after) => {
                    value.push('\'');
                    rest = after;
                }
                None => {
                    rest = after;
                    break;
                }
            }
        }
        parameters.push(Some(value));
        told = rest.strip_prefix(", ").unwrap_or(rest);
    }
    Some(parameters)
}

#[cfg(test)]
mod tests {
    //! The log is understood, quotes and all, and becomes a script.

    use super::{Script, Unique, parse_parameters};

    const LOG: &str = r#"
2026-01-01 00:00:00 UTC [7] LOG:  statement: BEGIN
2026-01-01 00:00:00 UTC [7] LOG:  execute s1: SELECT keyward_next_revision()
2026-01-01 00:00:00 UTC [7] LOG:  execute s2: INSERT INTO "x" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
2026-01-01 00:00:00 UTC [7] DETAIL:  parameters: $1 = '77', $2 = '9001', $3 = NULL, $4 = '0190a0a0-0000-7000-8000-00000000000f', $5 = 'it''s', $6 = '', $7 = 'a', $8 = 'b', $9 = 'c', $10 = 'd'
2026-01-01 00:00:00 UTC [7] LOG:  statement: COMMIT
2026-01-01 00:00:00 UTC [8] LOG:  statement: BEGIN
2026-01-01 00:00:00 UTC [8] LOG:  execute s1: SELECT 1
2026-01-01 00:00:00 UTC [8] LOG:  statement: COMMIT
"#;

    #[test]
    fn last_change_becomes_a_script() {
        let unique = Unique { business: "77".to_owned(), revision: "9001".to_owned() };
        let script = Script::of(LOG, &unique).unwrap();
        let lines: Vec<&str> = script.text.lines().collect();
        assert_eq!(lines[1], "BEGIN;");
        assert!(lines[2].starts_with("select keyward_next_revision() as revision"));
        assert_eq!(
            lines[3],
            "INSERT INTO \"x\" VALUES (:business, :revision, null, :key, :p2_5, '', :p2_7, \
             :p2_8, :p2_9, :p2_10);"
        );
        assert_eq!(lines[4], "COMMIT;");
        assert!(script.variables.contains(&("p2_5".to_owned(), "it's".to_owned())));
    }

    #[test]
    fn half_a_line_is_no_list() {
        assert_eq!(parse_parameters("$1 = 'a"), None);
        assert_eq!(parse_parameters("$1"), None);
        assert_eq!(parse_parameters(""), Some(Vec::new()));
    }
}
