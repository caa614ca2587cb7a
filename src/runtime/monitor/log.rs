//! The log of an instance: lines in the format of the Kubernetes container runtime interface,
//! rotated by the monitor itself.
//!
//! `<RFC 3339 time with nanoseconds, UTC> stdout|stderr P|F <text>`; a line that came in parts is
//! several `P` entries and a last `F` one.
//! <https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md>

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{Mode, OFlags};

use crate::runtime::launch::LogFile;
use crate::sys::{Error, Result};

/// Where a piece of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// Standard output, or a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Writes the log. A failing disk never stops the container: what cannot be written is dropped
/// and counted, and the gap is marked once there is room again.
#[derive(Debug)]
pub(super) struct Log {
    place: LogFile,
    file: Option<File>,
    size: u64,
    lost: u64,
    entries: Vec<u8>,
}

impl Log {
    /// Opens the log, or starts without one if that fails: the container matters more.
    pub(super) fn open(place: LogFile) -> Self {
        let mut log = Self { place, file: None, size: 0, lost: 0, entries: Vec::new() };
        log.reopen();
        log
    }

    fn reopen(&mut self) {
        self.file = open_append(&self.place.path).ok();
        let metadata = self.file.as_ref().and_then(|file| file.metadata().ok());
        self.size = metadata.map_or(0, |metadata| metadata.len());
    }

    /// Appends what one read of a stream returned.
    pub(super) fn append(&mut self, stream: Stream, output: &[u8], now: Timestamp) {
        self.entries.clear();
        if self.lost > 0 {
            let text = format!(
                "tank: {} bytes of output were lost: the log could not be written",
                self.lost
            );
            entry(&mut self.entries, now, Stream::Stderr, text.as_bytes(), true);
        }
        for line in output.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(whole) => entry(&mut self.entries, now, stream, whole, true),
                None => entry(&mut self.entries, now, stream, line, false),
            }
        }
        if self.size > 0 && self.size + self.entries.len() as u64 > self.place.max_size {
            self.rotate();
        }
        match self.write() {
            Ok(()) => self.lost = 0,
            Err(_) => self.lost += output.len() as u64,
        }
    }

    fn write(&mut self) -> std::io::Result<()> {
        if self.file.is_none() {
            self.reopen();
        }
        let Some(file) = &mut self.file else {
            return Err(std::io::ErrorKind::NotFound.into());
        };
        match file.write_all(&self.entries) {
            Ok(()) => {
                self.size += self.entries.len() as u64;
                Ok(())
            }
            Err(e) => {
                // Part of it may be there: cut it off, so that no entry is ever torn.
                file.set_len(self.size).ok();
                Err(e)
            }
        }
    }

    /// Shifts the older files up, the oldest out, and starts a new one. A rename that fails leaves
    /// a file larger than it should be, which is better than a lost one.
    fn rotate(&mut self) {
        for number in (1..self.place.max_files).rev() {
            let older = numbered(&self.place.path, number);
            let newer = numbered(&self.place.path, number - 1);
            if rustix::fs::rename(&newer, &older).is_err() && number == 1 {
                return;
            }
        }
        self.reopen();
    }
}

/// The name of a rotated file; number 0 is the live one.
pub(crate) fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn open_append(path: &Path) -> Result<File> {
    let flags =
        OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::from_raw_mode(0o640))
        .map(File::from)
        .map_err(|errno| Error::new("open", path.display().to_string(), errno))
}

fn entry(entries: &mut Vec<u8>, now: Timestamp, stream: Stream, text: &[u8], full: bool) {
    let stream = match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    let tag = if full { 'F' } else { 'P' };
    // Writing to a vector cannot fail.
    write!(entries, "{now:.9} {stream} {tag} ").ok();
    entries.extend_from_slice(text);
    entries.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(max_size: u64) -> (tempfile::TempDir, Log) {
        let tmp = tempfile::tempdir().unwrap();
        let place = LogFile { path: tmp.path().join("1.log"), max_size, max_files: 3 };
        let log = Log::open(place);
        (tmp, log)
    }

    fn time() -> Timestamp {
        "2026-01-02T03:04:05.000000006Z".parse().unwrap()
    }

    #[test]
    fn lines_are_cri_entries() {
        let (tmp, mut log) = log(1000);
        log.append(Stream::Stdout, b"one\ntw", time());
        log.append(Stream::Stderr, b"o\n", time());
        let text = std::fs::read_to_string(tmp.path().join("1.log")).unwrap();
        let stamp = "2026-01-02T03:04:05.000000006Z";
        let expected = format!("{stamp} stdout F one\n{stamp} stdout P tw\n{stamp} stderr F o\n");
        assert_eq!(text, expected);
    }

    #[test]
    fn rotation_keeps_order_and_number() {
        let (tmp, mut log) = log(100);
        for number in 0..20 {
            log.append(Stream::Stdout, format!("line {number}\n").as_bytes(), time());
        }
        let read = |name: &str| std::fs::read_to_string(tmp.path().join(name)).unwrap();
        let all = read("1.log.2") + &read("1.log.1") + &read("1.log");
        let numbers: Vec<u32> =
            all.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert_eq!(*numbers.last().unwrap(), 19);
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
        assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_a_full_disk_swallows_is_counted() {
        let place = LogFile { path: "/dev/full".into(), max_size: 1000, max_files: 3 };
        let mut log = Log::open(place);
        log.append(Stream::Stdout, b"lost\n", time());
        assert_eq!(log.lost, 5);
        let tmp = tempfile::tempdir().unwrap();
        log.place.path = tmp.path().join("1.log");
        log.reopen();
        log.append(Stream::Stdout, b"kept\n", time());
        let text = std::fs::read_to_string(tmp.path().join("1.log")).unwrap();
        assert!(text.contains("tank: 5 bytes of output were lost"), "{text}");
        assert!(text.ends_with("stdout F kept\n"), "{text}");
    }
}
