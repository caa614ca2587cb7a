//! The names of log files, and the order they were written in.

use std::io;
use std::path::{Path, PathBuf};

use crate::sys::{self, file};

/// Where a file stands among those of its container: later files are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The life of the container.
    pub(super) attempt: u32,
    /// The number of the file, from 1. Files that were numbered anew at each rotation are below 0.
    pub(super) number: i64,
}

/// What a file is to its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Complete, as it was written.
    Rotated,
    /// Complete, and compressed.
    Packed,
    /// Complete, and renamed at the next rotation.
    Shifted,
    /// The one that grows.
    Live,
}

/// A file of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) place: Place,
    pub(super) kind: Kind,
    pub(super) path: PathBuf,
}

/// The fewest digits of a number that is never given again.
const DIGITS: usize = 6;

/// The name of a complete file of the log whose live file is `live`.
pub(super) fn numbered(live: &Path, number: i64) -> PathBuf {
    appended(live, &format!(".{number:0DIGITS$}"))
}

/// A path with more behind its last part.
pub(super) fn appended(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// The life that a file belongs to, and what it is: with a number, unless it is the live one.
/// `None` if it has no name of a log file that is of use to readers.
fn parse(name: &str) -> Option<(u32, Kind, i64)> {
    let (attempt, rest) = name.split_once(".log")?;
    let attempt = attempt.parse().ok()?;
    if rest.is_empty() {
        return Some((attempt, Kind::Live, 0));
    }
    let number = rest.strip_prefix('.')?;
    let (number, kind) = match number.strip_suffix(".gz") {
        Some(number) => (number, Kind::Packed),
        None if number.len() < DIGITS => (number, Kind::Shifted),
        None => (number, Kind::Rotated),
    };
    let value: u32 = number.parse().ok()?;
    Some((attempt, kind, if kind == Kind::Shifted { -i64::from(value) } else { value.into() }))
}

/// The log files in a directory, the oldest first, each once. There are none where there is no
/// directory.
///
/// # Errors
/// It cannot be read.
pub(super) fn list(directory: &Path) -> io::Result<Vec<Named>> {
    let mut files = Vec::new();
    for entry in entries(directory)? {
        if let Some((attempt, kind, number)) = parse(&entry) {
            let path = directory.join(&entry);
            files.push(Named { place: Place { attempt, number }, kind, path });
        }
    }
    for index in 0..files.len() {
        if files[index].kind == Kind::Live {
            let attempt = files[index].place.attempt;
            files[index].place.number = next_number(&files, attempt);
        }
    }
    // While one is compressed there are two of it, of which the plain one takes less to read.
    files.sort_by_key(|file| (file.place, file.kind));
    files.dedup_by_key(|file| file.place);
    Ok(files)
}

/// The names in a directory, as far as they are text.
fn entries(directory: &Path) -> io::Result<Vec<String>> {
    match std::fs::read_dir(directory) {
        Ok(entries) => entries
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// The number that the live file of a life has, and keeps when it is complete.
pub(super) fn next_number(files: &[Named], attempt: u32) -> i64 {
    let complete = |file: &&Named| matches!(file.kind, Kind::Rotated | Kind::Packed);
    let own = files.iter().filter(|file| file.place.attempt == attempt).filter(complete);
    own.map(|file| file.place.number).max().unwrap_or(0).max(0) + 1
}

/// The life that the live file `path` belongs to.
pub(super) fn attempt_of(path: &Path) -> Option<u32> {
    parse(path.file_name()?.to_str()?).map(|(attempt, ..)| attempt)
}

/// Removes every file of the life of a container whose live file is `live`.
///
/// # Errors
/// The directory cannot be read, or a file not be removed.
pub fn remove(live: &Path) -> sys::Result<()> {
    let (Some(directory), Some(name)) = (live.parent(), live.file_name().and_then(|n| n.to_str()))
    else {
        return Ok(());
    };
    let failed = |e| sys::Error::new("read", directory.display().to_string(), e);
    for entry in entries(directory).map_err(failed)? {
        if entry.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            file::remove_file(&directory.join(entry))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(names: &[&str]) -> tempfile::TempDir {
        let tmp = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::File::create_new(tmp.path().join(name)).unwrap();
        }
        tmp
    }

    fn names(directory: &Path) -> Vec<String> {
        let name = |file: Named| file.path.file_name().unwrap().to_str().unwrap().to_owned();
        list(directory).unwrap().into_iter().map(name).collect()
    }

    #[test]
    fn files_are_listed_in_the_order_they_were_written_in() {
        let tmp = directory(&[
            "10.log",
            "2.log",
            "2.log.000010",
            "2.log.000009",
            "2.log.000009.gz",
            "2.log.000008.gz",
            "2.log.000010.gz.tmp",
            "1.log",
            "1.log.1",
            "1.log.2",
            "x.log",
            "1.log.x",
            "1.logs",
        ]);
        let expected = [
            "1.log.2",
            "1.log.1",
            "1.log",
            "2.log.000008.gz",
            "2.log.000009",
            "2.log.000010",
            "2.log",
            "10.log",
        ];
        assert_eq!(names(tmp.path()), expected);
        let numbers: Vec<_> = list(tmp.path()).unwrap().iter().map(|f| f.place.number).collect();
        assert_eq!(numbers, [-2, -1, 1, 8, 9, 10, 11, 1]);
        assert_eq!(list(&tmp.path().join("none")).unwrap(), []);
    }

    #[test]
    fn a_life_is_removed_with_all_of_its_files_and_no_other() {
        let tmp =
            directory(&["1.log", "1.log.1", "1.log.000002.gz", "1.log.000003.gz.tmp", "11.log"]);
        remove(&tmp.path().join("1.log")).unwrap();
        remove(&tmp.path().join("2.log")).unwrap();
        let left: Vec<_> = std::fs::read_dir(tmp.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].file_name(), "11.log");
    }

    #[test]
    fn a_number_that_has_grown_long_is_read_too() {
        let live = Path::new("/x/3.log");
        assert_eq!(numbered(live, 7), Path::new("/x/3.log.000007"));
        assert_eq!(parse("3.log.1234567"), Some((3, Kind::Rotated, 1_234_567)));
        assert_eq!(attempt_of(live), Some(3));
    }
}
