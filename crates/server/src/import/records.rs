//! The records of a file, each with its line, in little memory whatever the file holds: a record that
//! is too long, or no text, is one fault, and the next line is a record again.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek as _, SeekFrom},
    path::Path,
};

use anyhow::{Context as _, ensure};

use super::row::Format;

/// The longest record, in bytes: a key with all that it may hold takes half of it.
const RECORD_MAX: usize = 64 * 1024;
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// One record, or what is wrong with it.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it begins, counted from 1.
    pub(super) line: u64,
    pub(super) text: Result<String, String>,
}

/// A line as it stands in the file, without its end.
#[derive(Debug)]
struct Line {
    number: u64,
    /// Where the next one begins.
    end: u64,
    /// `None`: it is too long.
    bytes: Option<Vec<u8>>,
}

#[derive(Debug)]
pub(super) struct Records<R = BufReader<File>> {
    reader: R,
    length: u64,
    format: Format,
    /// Lines that were read, and begin a record yet.
    ahead: Vec<Line>,
    /// Where the reader is.
    read: (u64, u64),
    /// Where the next record begins: offset and line.
    at: (u64, u64),
}

impl Records {
    pub(super) fn open(path: &Path, format: Format) -> anyhow::Result<Self> {
        let name = || format!("the file {}", path.display());
        let file = File::open(path).with_context(name)?;
        let length = file.metadata().with_context(name)?.len();
        let mut records = Self::of(BufReader::new(file), length, format);
        records.skip_mark().with_context(name)?;
        Ok(records)
    }

    /// Goes on at a place where a record begins.
    pub(super) fn skip_to(&mut self, offset: u64, line: u64) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(offset))?;
        self.ahead.clear();
        self.read = (offset, line);
        self.at = self.read;
        Ok(())
    }
}

impl<R: BufRead> Records<R> {
    pub(super) fn of(reader: R, length: u64, format: Format) -> Self {
        Self { reader, length, format, ahead: Vec::new(), read: (0, 1), at: (0, 1) }
    }

    /// The file's length, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Where the next record begins: its offset in bytes, and its line.
    pub(super) fn position(&self) -> (u64, u64) {
        self.at
    }

    fn skip_mark(&mut self) -> anyhow::Result<()> {
        let start = self.reader.fill_buf()?;
        let utf16 = UTF16_MARKS.iter().any(|mark| start.starts_with(mark));
        ensure!(!utf16, "is UTF-16; save it as UTF-8");
        if start.starts_with(UTF8_MARK) {
            self.reader.consume(UTF8_MARK.len());
            self.read.0 = 3;
            self.at = self.read;
        }
        Ok(())
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        let Some(first) = self.line()? else { return Ok(None) };
        let (line, end) = (first.number, first.end);
        self.at = (end, line + 1);
        let Some(bytes) = first.bytes else {
            let fault = format!("is longer than {RECORD_MAX} bytes");
            return Ok(Some(Record { line, text: Err(fault) }));
        };
        let text = match self.format {
            Format::Csv => self.quoted(bytes)?,
            Format::JsonLines => Ok(bytes),
        };
        let text = text.and_then(|bytes| {
            String::from_utf8(bytes).map_err(|error| {
                format!("is not UTF-8 from its byte {} on", error.utf8_error().valid_up_to() + 1)
            })
        });
        Ok(Some(Record { line, text }))
    }

    /// A record of CSV, which goes on over the end of a line inside quotes. Where the quotes are never
    /// closed, its first line alone is at fault, and the lines after it are looked at anew.
    fn quoted(&mut self, first: Vec<u8>) -> io::Result<Result<Vec<u8>, String>> {
        let mut record = first;
        let mut taken: Vec<Line> = Vec::new();
        while !is_closed(&record) {
            let next = if record.len() > RECORD_MAX { None } else { self.line()? };
            let Some(line) = next else {
                taken.append(&mut self.ahead);
                self.ahead = taken;
                return Ok(Err("has a quoted field that is not closed".to_owned()));
            };
            if let Some(bytes) = &line.bytes {
                record.push(b'\n');
                record.extend_from_slice(bytes);
                taken.push(line);
            } else {
                taken.push(line);
                taken.append(&mut self.ahead);
                self.ahead = taken;
                return Ok(Err("has a quoted field that is not closed".to_owned()));
            }
        }
        if let Some(last) = taken.last() {
            self.at = (last.end, last.number + 1);
        }
        Ok(Ok(record))
    }

    /// The next line, of those that were read before or of the file.
    fn line(&mut self) -> io::Result<Option<Line>> {
        if !self.ahead.is_empty() {
            return Ok(Some(self.ahead.remove(0)));
        }
        let (offset, number) = self.read;
        let mut kept = Vec::new();
        let mut length = 0_usize;
        let mut ended = false;
        while !ended {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            ended = end.is_some();
            let part = end.map_or(buffer.len(), |end| end + 1);
            if length <= RECORD_MAX {
                kept.extend(buffer.iter().take(part));
            }
            length += part;
            self.reader.consume(part);
        }
        if length == 0 {
            return Ok(None);
        }
        let end = offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        self.read = (end, number + 1);
        let bytes = (length <= RECORD_MAX).then(|| {
            while kept.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                kept.pop();
            }
            kept
        });
        Ok(Some(Line { number, end, bytes }))
    }
}

/// Whether every quote has its other; one inside a field is written twice.
fn is_closed(record: &[u8]) -> bool {
    record.iter().filter(|byte| **byte == b'"').count() % 2 == 0
}

#[cfg(test)]
mod tests;
