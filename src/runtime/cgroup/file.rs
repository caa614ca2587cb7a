//! Reading and writing the files of a group.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::{Error, Result};

/// Reads the file `name` of the group at `dir`, without the newline at its end.
pub(super) fn read(dir: &Path, name: &str) -> Result<String> {
    let path = dir.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim_end().to_owned()),
        Err(source) => Err(Error::file("read", &path, source)),
    }
}

/// As [`read`]; `None` if the group has no such file.
pub(super) fn read_if_there(dir: &Path, name: &str) -> Result<Option<String>> {
    match read(dir, name) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_gone() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The value of `key` in text of lines "key value", as `memory.events` and `cpu.stat` have it.
pub(super) fn field(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// Writes `value` to the file `name` of the group at `dir` in one write(2), which is what the
/// kernel takes as one change.
pub(super) fn write(dir: &Path, name: &str, value: impl ToString) -> Result<()> {
    let (path, value) = (dir.join(name), value.to_string());
    OpenOptions::new()
        .write(true)
        .open(&path)
        .and_then(|mut file| file.write_all(value.as_bytes()))
        .map_err(|source| Error::Write { value, path, source })
}

/// As [`write()`]; `false` if the group has no such file.
pub(super) fn write_if_there(dir: &Path, name: &str, value: impl ToString) -> Result<bool> {
    match write(dir, name, value) {
        Ok(()) => Ok(true),
        Err(Error::Write { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
