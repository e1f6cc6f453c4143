//! Where an import goes on that was stopped: a file beside the imported one. Losing it costs time and
//! nothing else.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// So much of a file tells it from another, in bytes.
const PIECE: u64 = 64 * 1024;

/// What became of the rows so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) imported: u64,
    pub(super) already: u64,
    pub(super) conflicts: u64,
    pub(super) invalid: u64,
}

/// How far an import has come.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// Where the next record begins, in bytes.
    pub(super) offset: u64,
    /// And on which line.
    pub(super) line: u64,
    pub(super) counts: Counts,
    /// SHA-256 of the piece of the file before: the rest of another file is not the rest of this one.
    sha256: String,
}

impl Checkpoint {
    /// The checkpoint of a file, if there is one.
    pub(super) fn find(file: &Path) -> anyhow::Result<Option<Self>> {
        let beside = beside(file);
        let text = match fs::read_to_string(&beside) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| beside.display().to_string()),
        };
        let name = beside.display();
        let checkpoint: Self = serde_json::from_str(&text)
            .with_context(|| format!("{name} is no checkpoint; delete it to begin anew"))?;
        ensure!(
            checkpoint.sha256 == hash(file, checkpoint.offset)?,
            "{name} is of another file, or of what this one was; delete it to begin anew, which does \
             no harm: keys that are there are the same keys"
        );
        Ok(Some(checkpoint))
    }

    /// Written aside and renamed, so that a reader never sees half of it.
    pub(super) fn write(file: &Path, offset: u64, line: u64, counts: Counts) -> anyhow::Result<()> {
        let checkpoint = Self { offset, line, counts, sha256: hash(file, offset)? };
        let (beside, aside) = (beside(file), aside(file));
        let written = || {
            let mut out = File::create(&aside)?;
            out.write_all(serde_json::to_string(&checkpoint)?.as_bytes())?;
            fs::rename(&aside, &beside)
        };
        written().with_context(|| format!("the checkpoint {}", beside.display()))
    }

    /// When all is done.
    pub(super) fn remove(file: &Path) -> anyhow::Result<()> {
        let beside = beside(file);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("the checkpoint {}", beside.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn beside(file: &Path) -> PathBuf {
    with_ending(file, ".keyward-import")
}

fn aside(file: &Path) -> PathBuf {
    with_ending(file, ".keyward-import.new")
}

fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    name.into()
}

/// Of the file's last piece before `offset`.
fn hash(file: &Path, offset: u64) -> anyhow::Result<String> {
    let mut reader = File::open(file)?;
    let length = PIECE.min(offset);
    reader.seek(SeekFrom::Start(offset.saturating_sub(length)))?;
    let mut piece = Vec::new();
    reader.take(length).read_to_end(&mut piece)?;
    let hash = digest(&SHA256, &piece);
    Ok(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}
