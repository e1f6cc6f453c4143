//! The records of a file, each with its line, in little memory whatever the file holds: a record that
//! is too long, or no text, is one fault, and the next line is a record again.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek, SeekFrom},
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

/// A place in the file: its offset in bytes, and its line.
type Place = (u64, u64);

#[derive(Debug)]
pub(super) struct Records<R = BufReader<File>> {
    reader: R,
    length: u64,
    format: Format,
    /// How many fields a record of CSV has.
    width: Option<usize>,
    /// Where the next record begins.
    at: Place,
}

/// What was read of a record.
#[derive(Debug)]
struct Taken {
    /// As much of it as a record may have.
    bytes: Vec<u8>,
    /// All of it, in bytes.
    length: usize,
    quotes: Quotes,
    /// Fields that have begun.
    fields: usize,
}

/// Where a reader of CSV is (RFC 4180).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// Before a field.
    Before,
    /// In a field without quotes; one in it stands for itself.
    Without,
    /// Inside quotes, where commas and ends of lines stand for themselves.
    Inside,
    /// After a quote inside quotes: it was the last one, or the first half of one that stands for itself.
    After,
    /// In text after the last quote, which cannot be.
    Astray,
}

impl Quotes {
    fn then(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Before | Self::After, b'"') => Self::Inside,
            (Self::Inside, b'"') => Self::After,
            (Self::Before | Self::Without | Self::After, b',') => Self::Before,
            // Of the line's end.
            (Self::After, b'\r') => Self::After,
            (Self::After | Self::Astray, _) => Self::Astray,
            (Self::Inside, _) => Self::Inside,
            (Self::Before | Self::Without, _) => Self::Without,
        }
    }
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
}

impl<R: BufRead + Seek> Records<R> {
    pub(super) fn of(reader: R, length: u64, format: Format) -> Self {
        Self { reader, length, format, width: None, at: (0, 1) }
    }

    /// The file's length, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Where the next record begins.
    pub(super) fn position(&self) -> Place {
        self.at
    }

    /// From here on each record of CSV has so many fields.
    pub(super) fn expect_fields(&mut self, width: usize) {
        self.width = Some(width);
    }

    /// Goes on at a place where a record begins.
    pub(super) fn skip_to(&mut self, place: Place) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(place.0))?;
        self.at = place;
        Ok(())
    }

    fn skip_mark(&mut self) -> anyhow::Result<()> {
        let start = self.reader.fill_buf()?;
        let utf16 = UTF16_MARKS.iter().any(|mark| start.starts_with(mark));
        ensure!(!utf16, "is UTF-16; save it as UTF-8");
        if start.starts_with(UTF8_MARK) {
            self.reader.consume(UTF8_MARK.len());
            self.at.0 = 3;
        }
        Ok(())
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        let line = self.at.1;
        let mut taken = Taken::default();
        if !self.take_line(&mut taken)? {
            return Ok(None);
        }
        let fault = match self.format {
            Format::Csv => self.quoted(&mut taken)?,
            Format::JsonLines => None,
        };
        let text = match fault {
            Some(fault) => Err(fault.to_owned()),
            None => taken.text(),
        };
        Ok(Some(Record { line, text }))
    }

    /// A record of CSV goes on over the end of a line inside quotes. Where it turns out that a quote is out of
    /// place, its first line alone is at fault, and the lines after it are looked at anew. What stands
    /// inside quotes is never taken for a record, however long it is: others may have written it.
    fn quoted(&mut self, taken: &mut Taken) -> io::Result<Option<&'static str>> {
        let second = self.at;
        while taken.quotes == Quotes::Inside {
            if !self.take_line(taken)? {
                return Ok(Some(
                    "has a quoted field that is not closed up to the end of the file, so that nothing \
                     after this line was looked at",
                ));
            }
        }
        let is_one_line = self.at == second;
        let is_whole = self.width.is_none_or(|width| width == taken.fields);
        match (taken.quotes == Quotes::Astray, is_one_line) {
            (true, true) => Ok(Some("has text after a closing quote")),
            (false, true) => Ok(None),
            (false, false) if is_whole => Ok(None),
            (true | false, false) => {
                self.skip_to(second)?;
                Ok(Some("has a quoted field that is not closed"))
            }
        }
    }

    /// The next line; `false` at the end.
    fn take_line(&mut self, taken: &mut Taken) -> io::Result<bool> {
        let begin = self.at.0;
        if taken.quotes == Quotes::Inside {
            taken.end_line();
        }
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(self.at.0 > begin);
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            taken.add(buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default());
            let length = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(length);
            self.at.0 = self.at.0.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
            if end.is_some() {
                self.at.1 += 1;
                return Ok(true);
            }
        }
    }
}

impl Default for Taken {
    fn default() -> Self {
        Self { bytes: Vec::new(), length: 0, quotes: Quotes::Before, fields: 1 }
    }
}

impl Taken {
    fn add(&mut self, part: &[u8]) {
        self.length = self.length.saturating_add(part.len());
        if self.length <= RECORD_MAX {
            self.bytes.extend_from_slice(part);
        }
        for byte in part {
            self.quotes = self.quotes.then(*byte);
            if self.quotes == Quotes::Before {
                self.fields += 1;
            }
        }
    }

    /// Inside quotes, where it belongs to the field.
    fn end_line(&mut self) {
        if self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        self.add(b"\n");
    }

    fn text(mut self) -> Result<String, String> {
        if self.length > RECORD_MAX {
            return Err(format!("is longer than {RECORD_MAX} bytes"));
        }
        if self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        String::from_utf8(self.bytes).map_err(|error| {
            format!("is not UTF-8 from its byte {} on", error.utf8_error().valid_up_to() + 1)
        })
    }
}

#[cfg(test)]
mod tests;
