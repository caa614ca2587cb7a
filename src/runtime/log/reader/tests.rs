use std::io::Write;

use super::super::writer::Log;
use super::*;
use crate::runtime::launch::LogFile;

/// A writer that rotates every few lines, and a reader of its files.
fn pair(max_files: u32) -> (tempfile::TempDir, Log, Reader) {
    let tmp = tempfile::tempdir().unwrap();
    let place = LogFile { path: tmp.path().join("1.log"), max_size: 200, max_files };
    let log = Log::open(place, PathBuf::new());
    let reader = Reader::new(tmp.path().into(), Lives::All);
    (tmp, log, reader)
}

fn write(log: &mut Log, numbers: std::ops::Range<u32>) {
    for number in numbers {
        log.append(Stream::Stdout, format!("{number}\n").as_bytes(), Timestamp::UNIX_EPOCH);
    }
}

/// The texts that can be read now; a gap is `gap`.
fn read(reader: &mut Reader) -> Vec<String> {
    let text = |read| match read {
        Read::Piece(piece) => String::from_utf8(piece.text).unwrap(),
        Read::Gap(_) => "gap".to_owned(),
    };
    std::iter::from_fn(|| reader.read().unwrap()).map(text).collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[test]
fn each_entry_is_read_once_while_files_are_renamed_and_compressed() {
    let (_tmp, mut log, mut reader) = pair(1000);
    let mut seen = Vec::new();
    let mut written = 0;
    for round in 0..200 {
        write(&mut log, written..written + round % 23);
        written += round % 23;
        for _ in 0..round % 7 {
            log.compress();
        }
        reader.refresh();
        // At times it reads a few only, and is overtaken by the writer and the compression.
        for _ in 0..round % 31 {
            if let Some(Read::Piece(piece)) = reader.read().unwrap() {
                seen.push(String::from_utf8(piece.text).unwrap());
            }
        }
    }
    reader.refresh();
    seen.extend(read(&mut reader));
    assert!(written > 2000);
    assert_eq!(seen, numbers(0..written));
}

#[test]
fn what_was_removed_before_it_was_read_is_a_gap() {
    let (_tmp, mut log, mut reader) = pair(2);
    write(&mut log, 0..3);
    assert_eq!(read(&mut reader), numbers(0..3));
    write(&mut log, 3..100);
    reader.refresh();
    let seen = read(&mut reader);
    let gap = seen.iter().position(|text| text == "gap").unwrap();
    assert_eq!(seen[..gap], numbers(3..4));
    assert_eq!(seen.last().unwrap(), "99");
    assert_eq!(seen.iter().filter(|text| *text == "gap").count(), 1);
    // One who comes late never had those lines.
    let mut late = Reader::new(reader.directory.clone(), Lives::All);
    assert!(!read(&mut late).contains(&"gap".to_owned()));
}

#[test]
fn a_live_file_whose_name_changes_between_two_looks_is_not_taken_for_another() {
    let (tmp, mut log, mut reader) = pair(1000);
    write(&mut log, 0..2);
    // It knows the names as they are now, and reads when they mean other files.
    assert_eq!(reader.files().unwrap().len(), 1);
    write(&mut log, 2..50);
    while log.has_backlog() {
        log.compress();
    }
    assert_eq!(read(&mut reader), numbers(0..50));
    assert!(tmp.path().join("1.log.000001.gz").exists());
}

#[test]
fn files_that_are_numbered_anew_are_followed() {
    let tmp = tempfile::tempdir().unwrap();
    let path = |name: &str| tmp.path().join(name);
    let write = |name: &str, text: &str| {
        let mut file = File::create_new(path(name)).unwrap();
        writeln!(file, "2026-01-02T03:04:05.000000006Z stdout F {text}").unwrap();
    };
    write("1.log.2", "a");
    write("1.log.1", "b");
    write("1.log", "c");
    let mut reader = Reader::new(tmp.path().into(), Lives::All);
    assert_eq!(read(&mut reader), ["a", "b", "c"]);
    for (from, to) in [("1.log.2", "1.log.3"), ("1.log.1", "1.log.2"), ("1.log", "1.log.1")] {
        std::fs::rename(path(from), path(to)).unwrap();
    }
    write("1.log", "d");
    reader.refresh();
    assert_eq!(read(&mut reader), ["d"]);
    write("2.log", "e");
    reader.refresh();
    assert_eq!(read(&mut reader), ["e"]);
}

#[test]
fn entries_that_are_not_whole_yet_are_not_read() {
    let tmp = tempfile::tempdir().unwrap();
    let mut file = File::create_new(tmp.path().join("1.log")).unwrap();
    let mut reader = Reader::new(tmp.path().into(), Lives::All);
    let entry = "2026-01-02T03:04:05.000000006Z stdout F ";
    write!(file, "{entry}one\nno entry\n{entry}tw").unwrap();
    assert_eq!(read(&mut reader), ["one"]);
    // The writer had no room for it, cut it off, and wrote another.
    file.set_len(file.metadata().unwrap().len() - 2).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    writeln!(file, "three").unwrap();
    assert_eq!(read(&mut reader), ["three"]);
}

#[test]
fn a_damaged_file_does_not_hide_the_others() {
    let (tmp, mut log, mut reader) = pair(1000);
    write(&mut log, 0..50);
    while log.has_backlog() {
        log.compress();
    }
    let second = tmp.path().join("1.log.000002.gz");
    let length = second.metadata().unwrap().len();
    std::fs::OpenOptions::new().write(true).open(second).unwrap().set_len(length / 2).unwrap();
    let seen = read(&mut reader);
    assert!(seen.contains(&"gap".to_owned()));
    assert_eq!((seen[0].as_str(), seen.last().unwrap().as_str()), ("0", "49"));
}
