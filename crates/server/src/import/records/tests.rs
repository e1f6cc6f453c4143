//! Whatever a file holds: each fault has its line, and the rest is unharmed.

use std::io::Cursor;

use super::*;

/// The records of a file: line, and text or fault.
fn read(format: Format, file: &[u8]) -> Vec<(u64, Result<String, String>)> {
    let length = u64::try_from(file.len()).unwrap();
    let mut records = Records::of(Cursor::new(file.to_vec()), length, format);
    let mut all = Vec::new();
    while let Some(Record { line, text }) = records.next().unwrap() {
        if let (1, Ok(header)) = (line, &text) {
            records.expect_fields(header.split(',').count());
        }
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

/// The lines of a file's records, and of each whether it is one.
fn lines(file: &str) -> Vec<(u64, bool)> {
    read(Format::Csv, file.as_bytes()).iter().map(|(line, text)| (*line, text.is_ok())).collect()
}

/// The header has two fields. What follows tells of a quote that is out of place: another one, with text
/// after it, or too many fields.
#[test]
fn a_quote_out_of_place_spoils_its_own_line_alone() {
    let others = [(1, true), (2, false), (3, true), (4, true)];
    assert_eq!(lines("a,b\n\"open,x\nc,d\ne,\"f\"\n"), others);
    assert_eq!(lines("a,b\n\"open,x\nc,\"\"\ne,f\",g,h\n"), others);
    assert_eq!(lines("a,b\n\"closed\"x,y\nc,d\ne,f"), others);
    // In a field that does not begin with one it stands for itself.
    assert_eq!(lines("a,b\n5\" disk,x\nc,d\n5\" disk,x\n"), [1, 2, 3, 4].map(|line| (line, true)));
}

/// Whoever wrote a field of an earlier file must not get a record by it.
#[test]
fn nothing_inside_quotes_is_taken_for_a_record() {
    let inside = "c,d\n".repeat(20_000);
    let all = read(Format::Csv, format!("a,b\nx,\"{inside}\"\ne,f\n").as_bytes());
    assert_eq!(all[1], (2, Err("is longer than 65536 bytes".to_owned())));
    assert_eq!((all.len(), &all[2]), (3, &good(20_003, "e,f")));
    let all = read(Format::Csv, b"a,b\nx,\"\nc,d\n");
    assert_eq!(all.len(), 2);
    assert!(all[1].1.as_ref().unwrap_err().ends_with("nothing after this line was looked at"));
}

#[test]
fn what_is_no_text_is_told_with_its_place() {
    let all = read(Format::Csv, b"a\nb\xff\nc\n");
    assert_eq!(all[1], (2, Err("is not UTF-8 from its byte 2 on".to_owned())));
    assert_eq!(all[2], good(3, "c"));
}

/// A million characters, with quotes around them or without, and in the middle of a quoted field.
#[test]
fn a_line_that_is_too_long_is_one_fault_in_little_memory() {
    let long = "x".repeat(1_000_000);
    for middle in [long.clone(), format!("\"{long}\""), format!("\"a\n{long}\n\"")] {
        let after = 2 + u64::try_from(middle.lines().count()).unwrap();
        let all = read(Format::Csv, format!("a\n{middle}\nb\n").as_bytes());
        assert_eq!(all[1], (2, Err("is longer than 65536 bytes".to_owned())));
        assert_eq!((all.len(), &all[2]), (3, &good(after, "b")));
    }
    let all = read(Format::JsonLines, format!("a\n\"{long}\nb\n").as_bytes());
    assert_eq!(all[1], (2, Err("is longer than 65536 bytes".to_owned())));
    assert_eq!((all.len(), &all[2]), (3, &good(3, "b")));
}
