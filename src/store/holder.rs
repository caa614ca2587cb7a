//! Who holds a lock on a file of the state: proc_locks(5).

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::sys::file;

/// A process that is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: i32,
    /// Its command line, as far as it could be read.
    pub command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)?;
        if !self.command.is_empty() {
            write!(f, " ({})", self.command.escape_debug())?;
        }
        Ok(())
    }
}

/// The locks of SQLite's write-ahead log start at this byte of the shared-memory file
/// (`WAL_LOCK_OFFSET` in the description of the format: writer, checkpointer, recoverer first).
const WAL_LOCK_OFFSET: u64 = 120;

/// The process that writes, checkpoints or recovers the log whose shared-memory file is `path`.
pub(super) fn of_log(path: &Path) -> Option<Holder> {
    find(path, |start| (WAL_LOCK_OFFSET..WAL_LOCK_OFFSET + 3).contains(&start))
}

/// The process that has locked the whole file `path` with flock(2).
pub(super) fn of_file(path: &Path) -> Option<Holder> {
    find(path, |start| start == 0)
}

/// The holder of an exclusive lock on `path` that starts at a byte of interest. The file is only
/// looked at with stat(2): closing a descriptor of it would release this process's own locks.
fn find(path: &Path, interesting: impl Fn(u64) -> bool) -> Option<Holder> {
    let inode = std::fs::symlink_metadata(path).ok()?.ino();
    let locks = file::read_bounded(Path::new("/proc/locks"), 16 << 20).ok()?;
    let locks = String::from_utf8(locks).ok()?;
    let pid = locks.lines().find_map(|line| parse(line, inode, &interesting))?;
    Some(Holder { pid, command: command_of(pid) })
}

/// The pid of a line such as `1: POSIX  ADVISORY  WRITE 4711 fe:00:5457236 120 120`. The device
/// is not compared: some file systems report another one to stat(2).
fn parse(line: &str, inode: u64, interesting: impl Fn(u64) -> bool) -> Option<i32> {
    let mut fields = line.split_whitespace().skip(1);
    let (_class, _advisory, mode) = (fields.next()?, fields.next()?, fields.next()?);
    let pid = fields.next()?.parse().ok()?;
    let file = fields.next()?.rsplit(':').next()?.parse::<u64>().ok()?;
    let start = fields.next()?.parse().ok()?;
    (mode == "WRITE" && file == inode && pid > 0 && interesting(start)).then_some(pid)
}

fn command_of(pid: i32) -> String {
    let path = format!("/proc/{pid}/cmdline");
    let bytes = file::read_bounded(Path::new(&path), 4096).unwrap_or_default();
    let words: Vec<_> =
        bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty()).take(6).collect();
    String::from_utf8_lossy(&words.join(&b' ')).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_waiters_and_of_other_files_are_passed_over() {
        let any = |_| true;
        assert_eq!(parse("1: POSIX  ADVISORY  WRITE 47 fe:00:99 120 120", 99, any), Some(47));
        assert_eq!(parse("1: POSIX  ADVISORY  WRITE 47 fe:00:98 120 120", 99, any), None);
        assert_eq!(parse("1: POSIX  ADVISORY  READ 47 fe:00:99 123 123", 99, any), None);
        assert_eq!(parse("1: -> FLOCK  ADVISORY  WRITE 47 fe:00:99 0 EOF", 99, any), None);
        assert_eq!(parse("1: OFDLCK ADVISORY  WRITE -1 fe:00:99 0 EOF", 99, any), None);
        assert_eq!(parse("nonsense", 99, any), None);
    }
}
