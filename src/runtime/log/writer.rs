//! Writing the log of one life of a container.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use memchr::memchr;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::entry::{self, Entry, Stream};
use super::name::{self, Kind};
use super::pack::Packing;
use crate::runtime::launch::LogFile;
use crate::sys::{file, memory};

/// How many bytes of entries are collected before they are written.
const BUFFER: usize = 32 * 1024;

/// Writes the log. A failing disk never stops the container: what cannot be written is dropped
/// and counted, and the gap is marked once there is room again.
#[derive(Debug)]
pub(in crate::runtime) struct Log {
    place: LogFile,
    /// The file that the limits are read from again at each rotation.
    launch: PathBuf,
    file: Option<File>,
    size: u64,
    /// The number that the live file has once it is complete.
    number: i64,
    entries: Vec<u8>,
    /// Bytes of output that were dropped since the last mark.
    lost: u64,
    /// Of each stream, whether its last entry has more to come: in the file, and with those that
    /// are to be written.
    open: [bool; 2],
    will_be_open: [bool; 2],
    packing: Option<Packing>,
    /// Whether there may be a file to compress.
    backlog: bool,
}

impl Log {
    /// Opens the log, or starts without one if that fails: the container matters more.
    pub(in crate::runtime) fn open(place: LogFile, launch: PathBuf) -> Self {
        let mut log = Self {
            place,
            launch,
            file: None,
            size: 0,
            number: 1,
            entries: Vec::new(),
            lost: 0,
            open: [false; 2],
            will_be_open: [false; 2],
            packing: None,
            backlog: false,
        };
        let attempt = name::attempt_of(&log.place.path);
        if let (Some(attempt), Ok(files)) = (attempt, name::list(directory(&log.place.path))) {
            log.number = name::next_number(&files, attempt);
        }
        log.reopen();
        log
    }

    fn reopen(&mut self) {
        self.file = open_append(&self.place.path).ok();
        let metadata = self.file.as_ref().and_then(|file| file.metadata().ok());
        self.size = metadata.map_or(0, |metadata| metadata.len());
    }

    /// Appends what one read of a stream returned.
    pub(in crate::runtime) fn append(&mut self, stream: Stream, output: &[u8], now: Timestamp) {
        let stamp = entry::stamp(now);
        if self.lost > 0 && !self.mark(&stamp) {
            self.lost += output.len() as u64;
            return;
        }
        let mut rest = output;
        while !rest.is_empty() {
            let (line, after) =
                rest.split_at(memchr(b'\n', rest).map_or(rest.len(), |end| end + 1));
            rest = after;
            let whole = line.strip_suffix(b"\n");
            let text = whole.unwrap_or(line);
            if self.lost == 0 {
                self.make_room(entry::length(&stamp, text));
            }
            if self.lost == 0 {
                self.push(&stamp, stream, text, whole.is_some());
            } else {
                self.lost += line.len() as u64;
            }
        }
        self.lost += self.flush();
    }

    /// Says that nothing more comes: marks what was lost, if there is room again.
    pub(in crate::runtime) fn close(&mut self, now: Timestamp) {
        if self.lost > 0 {
            self.mark(&entry::stamp(now));
        }
    }

    /// Marks what was lost; `false` if there is still no room.
    fn mark(&mut self, stamp: &str) -> bool {
        let text =
            format!("tank: {} bytes of output were lost: the log could not be written", self.lost);
        self.make_room(3 * entry::length(stamp, text.as_bytes()));
        // A line of which only the beginning was written would run into the next one.
        for stream in [Stream::Stdout, Stream::Stderr] {
            if self.open[stream.index()] {
                self.push(stamp, stream, b"", true);
            }
        }
        self.push(stamp, Stream::Stderr, text.as_bytes(), true);
        let marked = self.flush() == 0;
        if marked {
            self.lost = 0;
        }
        marked
    }

    /// Sees to it that an entry of this length fits in with those that are written next, and in the
    /// file.
    fn make_room(&mut self, length: usize) {
        let is_over =
            |log: &Self| log.size + (log.entries.len() + length) as u64 > log.place.max_size;
        if self.entries.len() + length > BUFFER || is_over(self) {
            self.lost += self.flush();
        }
        if self.size > 0 && is_over(self) {
            if let Some(told) = LogFile::read(&self.launch) {
                self.place.max_size = told.max_size;
                self.place.max_files = told.max_files;
            }
            if is_over(self) {
                self.rotate();
            }
        }
    }

    fn push(&mut self, stamp: &str, stream: Stream, text: &[u8], ends: bool) {
        entry::write(&mut self.entries, stamp, stream, text, ends);
        self.will_be_open[stream.index()] = !ends;
    }

    /// Writes the entries that were pushed; returns how many bytes of output were not written.
    fn flush(&mut self) -> u64 {
        let written = match self.write(0) {
            // The file must not grow (RLIMIT_FSIZE), but another one may.
            Err((rest, Errno::FBIG)) if self.size > 0 => {
                self.rotate();
                self.write(rest)
            }
            written => written,
        };
        let lost = match written {
            Ok(()) => 0,
            Err((rest, _)) => {
                for entry in parse_all(&self.entries[..rest]) {
                    self.open[entry.stream.index()] = !entry.ends;
                }
                self.will_be_open = self.open;
                let unwritten = parse_all(&self.entries[rest..]);
                unwritten.map(|entry| entry.text.len() as u64 + u64::from(entry.ends)).sum()
            }
        };
        self.open = self.will_be_open;
        self.entries.clear();
        lost
    }

    /// Writes the entries from `start` on. When that fails, only whole ones of them are in the
    /// file, and the error says where the rest begins.
    fn write(&mut self, start: usize) -> Result<(), (usize, Errno)> {
        if self.file.is_none() {
            self.reopen();
        }
        let Some(file) = &self.file else { return Err((start, Errno::NOENT)) };
        let (written, error) = write_all(file, &self.entries[start..]);
        let Some(errno) = error else {
            self.size += written as u64;
            return Ok(());
        };
        let new = &self.entries[start..start + written];
        let whole = new.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.size += whole as u64;
        let torn = (written - whole) as u64;
        if torn > 0 {
            // Readers take whole entries only, so that nobody has seen what is cut off.
            let length = file.metadata().map(|metadata| metadata.len().saturating_sub(torn));
            length.and_then(|length| file.set_len(length)).ok();
        }
        Err((start + whole, errno))
    }

    /// Completes the live file and starts another. A rename that fails leaves a file larger than
    /// it should be, which is better than a lost one.
    fn rotate(&mut self) {
        let complete = name::numbered(&self.place.path, self.number);
        if rustix::fs::rename(&self.place.path, complete).is_err() {
            return;
        }
        self.number += 1;
        self.backlog = true;
        self.remove_oldest();
        self.reopen();
    }

    /// Removes the complete files that are too many, by which a full disk gets room as well.
    fn remove_oldest(&mut self) {
        let kept = i64::from(self.place.max_files.max(2)) - 1;
        let oldest = self.number - kept;
        if self.packing.as_ref().is_some_and(|packing| packing.number < oldest) {
            self.packing = None;
        }
        for (_, path) in self.complete(|number, _| number < oldest) {
            file::remove_file(&path).ok();
        }
    }

    /// The complete files of this life that are wanted, by number and kind, the oldest first.
    fn complete(&self, wanted: impl Fn(i64, Kind) -> bool) -> Vec<(i64, PathBuf)> {
        let attempt = name::attempt_of(&self.place.path);
        let files = name::list(directory(&self.place.path)).unwrap_or_default();
        let own = files.into_iter().filter(|file| {
            Some(file.place.attempt) == attempt
                && matches!(file.kind, Kind::Rotated | Kind::Packed)
                && wanted(file.place.number, file.kind)
        });
        own.map(|file| (file.place.number, file.path)).collect()
    }

    /// Whether there are complete files to compress.
    pub(in crate::runtime) fn has_backlog(&self) -> bool {
        self.backlog
    }

    /// Compresses a slice of the oldest complete file that is not compressed yet, except the
    /// newest one: that is what people read most. To be called when there is nothing else to do.
    pub(in crate::runtime) fn compress(&mut self) {
        if self.packing.is_none() {
            let newest = self.number - 1;
            let is_plain = |number, kind| number < newest && kind == Kind::Rotated;
            let next = self.complete(is_plain).into_iter().next();
            self.packing = next.and_then(|(number, path)| Packing::begin(&path, number).ok());
            self.backlog = self.packing.is_some();
        } else if let Some(packing) = &mut self.packing {
            match packing.step() {
                Ok(true) => return,
                Ok(false) => self.packing = None,
                // As on a full disk: the next rotation comes back to it.
                Err(_) => (self.packing, self.backlog) = (None, false),
            }
        }
        if !self.backlog {
            memory::release_idle();
        }
    }
}

fn directory(live: &Path) -> &Path {
    live.parent().unwrap_or(Path::new("/"))
}

fn open_append(path: &Path) -> rustix::io::Result<File> {
    let flags =
        OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::from_raw_mode(0o640)).map(File::from)
}

/// Writes all bytes, or as many as there is room for; says how many, and what went wrong.
fn write_all(mut file: &File, bytes: &[u8]) -> (usize, Option<Errno>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Some(Errno::IO)),
            Ok(count) => written += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return (written, Some(Errno::from_io_error(&e).unwrap_or(Errno::IO))),
        }
    }
    (written, None)
}

/// The entries of a piece of a file.
fn parse_all(entries: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    entries
        .split_inclusive(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_suffix(b"\n").and_then(Entry::parse))
}

#[cfg(test)]
mod tests;
