//! From a row of a file to the key that it describes.

use std::{collections::HashMap, io::Cursor, path::Path};

use anyhow::{Context as _, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use keyward_proto::v1::{ImportKey, Key, KeyState, RevokeReason, import_key::SecretDigest};
use serde::Deserialize;

use super::records::{Record, Records};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A header, and then a row a record.
    Csv,
    /// An object a line.
    JsonLines,
}

/// What a row may hold, by the names of CSV's columns and of JSON's members.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    business_id: String,
    external_id: String,
    display_name: String,
    sha256: String,
    description: String,
    scopes: Scopes,
    annotations: HashMap<String, String>,
    state: String,
    create_time: String,
    expire_time: String,
    last_use_time: String,
    revoke_time: String,
    revoke_reason: String,
    revoke_reason_text: String,
    obfuscated_secret: String,
}

/// A list, or names with spaces between.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scopes {
    List(Vec<String>),
    Text(String),
}

impl Default for Scopes {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

/// Without these there is no key.
const REQUIRED: [&str; 4] = ["business_id", "external_id", "display_name", "sha256"];
const ALL: [&str; 15] = [
    "business_id",
    "external_id",
    "display_name",
    "sha256",
    "description",
    "scopes",
    "annotations",
    "state",
    "create_time",
    "expire_time",
    "last_use_time",
    "revoke_time",
    "revoke_reason",
    "revoke_reason_text",
    "obfuscated_secret",
];

/// How the rows of a file are read.
#[derive(Debug)]
pub(super) enum Columns {
    /// The names in the header, in its order.
    Csv(Vec<String>),
    JsonLines,
}

impl Format {
    pub(super) fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl" | "ndjson") => Self::JsonLines,
            _ => Self::Csv,
        }
    }
}

impl Columns {
    /// What the file's first record says of the others.
    pub(super) fn read(format: Format, records: &mut Records) -> anyhow::Result<Self> {
        match format {
            Format::JsonLines => Ok(Self::JsonLines),
            Format::Csv => {
                let Some(Record { line: _, text }) = records.next()? else {
                    bail!("the file is empty; its first line names the columns");
                };
                let header = text.map_err(|fault| anyhow::anyhow!("the header {fault}"))?;
                let names = Self::from_header(&header)?;
                records.expect_fields(names.len());
                Ok(Self::Csv(names))
            }
        }
    }

    fn from_header(header: &str) -> anyhow::Result<Vec<String>> {
        let names = fields(header).map_err(anyhow::Error::msg).context("the header")?;
        for (i, name) in names.iter().enumerate() {
            let all = ALL.join(", ");
            ensure!(ALL.contains(&name.as_str()), "there is no column {name:?}; there are: {all}");
            ensure!(
                !names.iter().take(i).any(|other| other == name),
                "{name:?} stands there twice"
            );
        }
        for name in REQUIRED {
            ensure!(
                names.iter().any(|other| other == name),
                "the header lacks the column {name:?}"
            );
        }
        Ok(names)
    }

    /// The key that a record describes, `None` for an empty line, or what is wrong with it.
    pub(super) fn key(&self, record: &str) -> Result<Option<Box<ImportKey>>, String> {
        if record.trim().is_empty() {
            return Ok(None);
        }
        let row = match self {
            Self::JsonLines => {
                let row = serde_json::from_str::<Row>(record);
                // Where in the line it is; not what is there, which may be anything.
                row.map_err(|error| format!("is no object of a key: {}", without_content(&error)))?
            }
            Self::Csv(names) => Row::from_csv(names, record)?,
        };
        row.into_key().map(|key| Some(Box::new(key)))
    }
}

impl Row {
    fn from_csv(names: &[String], record: &str) -> Result<Self, String> {
        let values = fields(record)?;
        if values.len() != names.len() {
            let (has, header) = (values.len(), names.len());
            return Err(format!("has {has} fields, and the header has {header}"));
        }
        let mut row = Self::default();
        for (name, value) in names.iter().zip(values) {
            let place = match name.as_str() {
                "business_id" => &mut row.business_id,
                "external_id" => &mut row.external_id,
                "display_name" => &mut row.display_name,
                "sha256" => &mut row.sha256,
                "description" => &mut row.description,
                "state" => &mut row.state,
                "create_time" => &mut row.create_time,
                "expire_time" => &mut row.expire_time,
                "last_use_time" => &mut row.last_use_time,
                "revoke_time" => &mut row.revoke_time,
                "revoke_reason" => &mut row.revoke_reason,
                "revoke_reason_text" => &mut row.revoke_reason_text,
                "obfuscated_secret" => &mut row.obfuscated_secret,
                "scopes" => {
                    row.scopes = Scopes::Text(value);
                    continue;
                }
                // The header names no other.
                _ => {
                    if !value.is_empty() {
                        let object = serde_json::from_str(&value);
                        row.annotations = object
                            .map_err(|_error| "annotations: must be a JSON object of texts")?;
                    }
                    continue;
                }
            };
            *place = value;
        }
        Ok(row)
    }

    /// Texts become what the message has; whether they are right, the server says.
    fn into_key(self) -> Result<ImportKey, String> {
        let state = match self.state.as_str() {
            "" => KeyState::Unspecified,
            name => KeyState::from_str_name(&format!("KEY_STATE_{name}"))
                .ok_or("state: must be ACTIVE, SUSPENDED, EXPIRED or REVOKED")?,
        };
        let revoke_reason = match self.revoke_reason.as_str() {
            "" => RevokeReason::Unspecified,
            name => RevokeReason::from_str_name(&format!("REVOKE_REASON_{name}"))
                .ok_or("revoke_reason: must be LEAKED, UNUSED, REPLACED, OWNER_LEFT or OTHER")?,
        };
        let scopes = match self.scopes {
            Scopes::List(names) => names,
            Scopes::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
        };
        let key = Key {
            display_name: self.display_name,
            description: self.description,
            scopes,
            annotations: self.annotations.into_iter().collect(),
            state: state.into(),
            create_time: time("create_time", &self.create_time)?,
            expire_time: time("expire_time", &self.expire_time)?,
            last_use_time: time("last_use_time", &self.last_use_time)?,
            revoke_time: time("revoke_time", &self.revoke_time)?,
            revoke_reason: revoke_reason.into(),
            revoke_reason_text: self.revoke_reason_text,
            obfuscated_secret: self.obfuscated_secret,
            ..Key::default()
        };
        Ok(ImportKey {
            business_id: self.business_id,
            external_id: self.external_id,
            key: Some(key),
            secret_digest: Some(digest(self.sha256)?),
        })
    }
}

/// 64 hexadecimal digits, or base64.
fn digest(text: String) -> Result<SecretDigest, String> {
    if text.len() == 64 {
        return Ok(SecretDigest::Sha256Hex(text));
    }
    let bytes = STANDARD.decode(text).ok().filter(|bytes| bytes.len() == 32);
    let bytes = bytes.ok_or("sha256: must be 64 hexadecimal digits, or 32 bytes in base64")?;
    Ok(SecretDigest::Sha256(bytes))
}

fn time(column: &str, text: &str) -> Result<Option<prost_types::Timestamp>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let time = text.parse().map_err(|_error| {
        format!("{column}: must be a time of RFC 3339, for instance 2026-01-31T08:30:00Z")
    })?;
    Ok(Some(time))
}

/// The fields of one record of CSV.
fn fields(record: &str) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(record.len() + 1)
        .from_reader(Cursor::new(record));
    let mut row = csv::StringRecord::new();
    match reader.read_record(&mut row) {
        Ok(true) => Ok(row.iter().map(str::to_owned).collect()),
        Ok(false) => Err("is empty".to_owned()),
        Err(_error) => Err("is no record of CSV".to_owned()),
    }
}

fn without_content(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Syntax => "its JSON is wrong",
        Category::Eof => "its JSON ends too soon",
        Category::Data => "a member is unknown, or not of its kind",
        Category::Io => "it cannot be read",
    };
    format!("{what}, at character {}", error.column())
}

#[cfg(test)]
mod tests;
