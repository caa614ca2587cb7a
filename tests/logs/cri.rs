//! The grammar of log files, read by hand: what tools that know nothing of tank rely on.

use std::io::Read;
use std::path::{Path, PathBuf};

/// What no entry's text is longer than, in bytes, so that readers can have a buffer.
const LONGEST: usize = 16 * 1024;

/// An entry of a log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// With nanoseconds, so that the order of texts is that of times.
    pub(super) time: String,
    pub(super) stream: String,
    pub(super) partial: bool,
    pub(super) text: Vec<u8>,
}

/// The complete files of a life, the oldest first, and the live one.
pub(super) fn files(directory: &Path, attempt: u32) -> Vec<PathBuf> {
    let live = format!("{attempt}.log");
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(&format!("{live}.")) && !name.ends_with(".tmp"))
        .collect();
    names.sort();
    names.push(live);
    names.into_iter().map(|name| directory.join(name)).collect()
}

/// The content of a file, decompressed by its name.
fn content(path: &Path) -> Vec<u8> {
    let mut content = Vec::new();
    let mut file = std::fs::File::open(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(file).read_to_end(&mut content).unwrap();
    } else {
        file.read_to_end(&mut content).unwrap();
    }
    content
}

/// The entries of a life. Panics at the first byte that is not of the grammar, at times that go
/// back, and at a file that is larger than `max_size`.
#[track_caller]
pub(super) fn entries(directory: &Path, attempt: u32, max_size: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for path in files(directory, attempt) {
        let content = content(&path);
        assert!(content.len() <= max_size, "{} has {} bytes", path.display(), content.len());
        let mut rest = content.as_slice();
        while !rest.is_empty() {
            let entry = take(&mut rest);
            assert!(entries.last().is_none_or(|last| last.time <= entry.time), "{entry:?}");
            entries.push(entry);
        }
    }
    entries
}

/// Takes the next entry off a file.
#[track_caller]
fn take(rest: &mut &[u8]) -> Entry {
    let end = rest.iter().position(|byte| *byte == b'\n').expect("a line feed after each entry");
    let (line, more) = rest.split_at(end);
    *rest = &more[1..];
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let mut word = || std::str::from_utf8(fields.next().expect("four fields")).unwrap().to_owned();
    let (time, stream, tag) = (word(), word(), word());
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000000Z");
    assert!(["stdout", "stderr"].contains(&stream.as_str()), "{stream}");
    assert!(["P", "F"].contains(&tag.as_str()), "{tag}");
    let text = fields.next().expect("four fields").to_vec();
    assert!(text.len() <= LONGEST, "{} bytes", text.len());
    Entry { time, stream, partial: tag == "P", text }
}

/// What a stream was written, from its entries.
pub(super) fn joined(entries: &[Entry], stream: &str) -> Vec<u8> {
    let own = entries.iter().filter(|entry| entry.stream == stream);
    let text = |entry: &Entry| {
        let end = if entry.partial { None } else { Some(b'\n') };
        entry.text.iter().copied().chain(end).collect::<Vec<u8>>()
    };
    own.flat_map(text).collect()
}
