//! Whatever a file holds: each fault has its line, and the rest is unharmed.

use std::io::Cursor;

use super::*;

/// The records of a file: line, and text or fault.
fn read(format: Format, file: &[u8]) -> Vec<(u64, Result<String, String>)> {
    let length = u64::try_from(file.len()).unwrap();
    let mut records = Records::of(Cursor::new(file.to_vec()), length, format);
    let mut all = Vec::new();
    while let Some(Record { line, text }) = records.next().unwrap() {
        all.push((line, text));
    }
    assert_eq!(records.position().0, length);
    all
}

fn good(line: u64, text: &str) -> (u64, Result<String, String>) {
    (line, Ok(text.to_owned()))
}

#[test]
fn a_record_is_a_line_unless_it_is_quoted() {
    let expected = [good(1, "a,b"), good(2, "\"c\nd\",\"e\"\"\""), good(4, ""), good(5, "f")];
    assert_eq!(read(Format::Csv, b"a,b\r\n\"c\nd\",\"e\"\"\"\n\nf"), expected);
    assert_eq!(read(Format::JsonLines, b"\"a\nb\n"), [good(1, "\"a"), good(2, "b")]);
}

#[test]
fn an_open_quote_spoils_its_own_line_alone() {
    let all = read(Format::Csv, b"a\n\"open\nb\nc\n");
    let lines: Vec<_> = all.iter().map(|(line, text)| (*line, text.is_ok())).collect();
    assert_eq!(lines, [(1, true), (2, false), (3, true), (4, true)]);
    assert_eq!(all[3], good(4, "c"));
}

#[test]
fn what_is_no_text_is_told_with_its_place() {
    let all = read(Format::Csv, b"a\nb\xff\nc\n");
    assert_eq!(all[1], (2, Err("is not UTF-8 from its byte 2 on".to_owned())));
    assert_eq!(all[2], good(3, "c"));
}

/// A million characters, with a quote in them or without, and in the middle of a quoted field.
#[test]
fn a_line_that_is_too_long_is_one_fault_in_little_memory() {
    let long = "x".repeat(1_000_000);
    for middle in [long.clone(), format!("\"{long}")] {
        for format in [Format::Csv, Format::JsonLines] {
            let all = read(format, format!("a\n{middle}\nb\n").as_bytes());
            assert_eq!(all[1], (2, Err("is longer than 65536 bytes".to_owned())));
            assert_eq!((all.len(), &all[2]), (3, &good(3, "b")));
        }
    }
    let all = read(Format::Csv, format!("\"a\n{long}\nb\n").as_bytes());
    let lines: Vec<_> = all.iter().map(|(line, text)| (*line, text.is_ok())).collect();
    assert_eq!(lines, [(1, false), (2, false), (3, true)]);
}

/// Many lines after an open quote: what was read ahead is not lost.
#[test]
fn lines_after_an_open_quote_are_all_looked_at() {
    let line = "y".repeat(1_000);
    let file = format!("\"open\n{}", format!("{line}\n").repeat(200));
    let all = read(Format::Csv, file.as_bytes());
    assert_eq!(all.len(), 201);
    assert!(all[1..].iter().all(|(_, text)| text.as_ref() == Ok(&line)));
}
