//! Reading the files of a container's log in the order they were written in, each once, while
//! they are written, renamed, compressed and removed.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;
use rustix::fs::{Mode, OFlags};

use super::entry::{Entry, Stream};
use super::name::{self, Kind, Named, Place};

/// How much is read from a file at once, in bytes.
const BUFFER: usize = 64 * 1024;

/// Which lives of a container are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lives {
    /// All that there are.
    All,
    /// This one, counted from 1.
    One(u32),
}

/// Part of a log that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// Files were removed to make room for newer ones before they were read.
    RotatedAway,
    /// The rest of a file cannot be decompressed.
    Damaged(PathBuf),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RotatedAway => f.write_str("lines were rotated away before they were read"),
            Self::Damaged(path) => write!(f, "the rest of {} is damaged", path.display()),
        }
    }
}

/// What is next in a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// An entry.
    Piece(Piece),
    /// Something that should be there is not.
    Gap(Gap),
}

/// An entry, and whose it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) attempt: u32,
    pub(super) time: Timestamp,
    pub(super) stream: Stream,
    pub(super) text: Vec<u8>,
    pub(super) ends: bool,
}

/// Reads the log files of one directory.
#[derive(Debug)]
pub(super) struct Reader {
    directory: PathBuf,
    lives: Lives,
    /// The files, as they were when they were last looked for.
    files: Option<Vec<Named>>,
    /// The last file that was read to its end.
    last: Option<Place>,
    current: Option<Current>,
    entry: Vec<u8>,
}

/// The file that is being read. It is kept open, so that it can be read to its end whatever
/// becomes of its name.
#[derive(Debug)]
struct Current {
    place: Place,
    path: PathBuf,
    input: Input,
    inode: u64,
    /// Whether nothing more will be written to it.
    complete: bool,
}

#[derive(Debug)]
enum Input {
    /// With the place up to which whole entries were read.
    Plain(BufReader<File>, u64),
    Packed(Box<BufReader<MultiGzDecoder<BufReader<File>>>>),
}

impl Reader {
    pub(super) fn new(directory: PathBuf, lives: Lives) -> Self {
        Self { directory, lives, files: None, last: None, current: None, entry: Vec::new() }
    }

    /// Has the files looked for again when the one that is read has no more: for when something
    /// happened in the directory.
    pub(super) fn refresh(&mut self) {
        self.files = None;
    }

    /// The next entry; `None` if there is none for now. Lines that are no entries are left out.
    pub(super) fn read(&mut self) -> io::Result<Option<Read>> {
        loop {
            let Some(current) = &mut self.current else {
                match self.open_next()? {
                    Opened::File => continue,
                    Opened::AfterGap => return Ok(Some(Read::Gap(Gap::RotatedAway))),
                    Opened::Nothing => return Ok(None),
                }
            };
            match current.input.read(&mut self.entry) {
                Ok(true) => {
                    if let Some(Entry { time, stream, text, ends }) = Entry::parse(&self.entry) {
                        let attempt = current.place.attempt;
                        let text = text.to_vec();
                        return Ok(Some(Read::Piece(Piece { attempt, time, stream, text, ends })));
                    }
                }
                Ok(false) if current.complete => {
                    self.last = Some(current.place);
                    self.current = None;
                }
                Ok(false) => {
                    if !self.has_successor()? {
                        return Ok(None);
                    }
                    // What was written before the successor was made may still be unread.
                    self.current.iter_mut().for_each(|current| current.complete = true);
                }
                Err(_) if matches!(current.input, Input::Packed(_)) => {
                    let damaged = std::mem::take(&mut current.path);
                    self.last = Some(current.place);
                    self.current = None;
                    return Ok(Some(Read::Gap(Gap::Damaged(damaged))));
                }
                Err(e) => return Err(e),
            }
        }
    }

    fn files(&mut self) -> io::Result<&[Named]> {
        if self.files.is_none() {
            let mut files = name::list(&self.directory)?;
            if let Lives::One(attempt) = self.lives {
                files.retain(|file| file.place.attempt == attempt);
            }
            self.files = Some(files);
        }
        Ok(self.files.as_deref().unwrap_or_default())
    }

    /// The first file after the last one that was read.
    fn unread(&mut self) -> io::Result<Option<Named>> {
        let last = self.last;
        let is_unread = |file: &&Named| last.is_none_or(|last| file.place > last);
        Ok(self.files()?.iter().find(is_unread).cloned())
    }

    fn open_next(&mut self) -> io::Result<Opened> {
        loop {
            let Some(next) = self.unread()? else { return Ok(Opened::Nothing) };
            let file = match open(&next.path) {
                Ok(file) => file,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    self.refresh();
                    // Compressed or removed since; where nothing changed, it is not to be had.
                    match self.unread()? {
                        Some(other) if other == next => return Err(e),
                        _ => continue,
                    }
                }
                Err(e) => return Err(e),
            };
            let inode = file.metadata()?.ino();
            if next.kind == Kind::Live {
                // The number of the live file is that after the newest complete one, if it is
                // still the live file once that was looked for. An open file keeps its inode.
                self.refresh();
                let still_next = self.unread()?.as_ref() == Some(&next);
                if !still_next || inode_of(&next.path) != Some(inode) {
                    continue;
                }
            }
            let is_gap = self.last.is_some_and(|last| {
                let Place { attempt, number } = last;
                attempt == next.place.attempt && number > 0 && number + 1 < next.place.number
            });
            let buffered = BufReader::with_capacity(BUFFER, file);
            let input = match next.kind {
                Kind::Packed => {
                    let decoder = MultiGzDecoder::new(buffered);
                    Input::Packed(Box::new(BufReader::with_capacity(BUFFER, decoder)))
                }
                _ => Input::Plain(buffered, 0),
            };
            let Named { place, path, kind } = next;
            let complete = kind != Kind::Live;
            self.current = Some(Current { place, path, input, inode, complete });
            return Ok(if is_gap { Opened::AfterGap } else { Opened::File });
        }
    }

    /// Whether a file was begun after the one that is read.
    fn has_successor(&mut self) -> io::Result<bool> {
        let Some(Current { place, inode, .. }) = self.current else { return Ok(false) };
        let files = self.files()?;
        if files.iter().any(|file| file.place > place) {
            return Ok(true);
        }
        // Where complete files are numbered anew, the next one has the same place.
        let own = || files.iter().filter(|file| file.place.attempt == place.attempt);
        let live = own().find(|file| file.place == place && file.kind == Kind::Live);
        let replaced = own().any(|file| file.kind == Kind::Shifted)
            && live.and_then(|live| inode_of(&live.path)).is_some_and(|other| other != inode);
        if replaced && let Some(current) = &mut self.current {
            current.place.number -= 1;
        }
        Ok(replaced)
    }
}

/// What became of looking for a file to read.
enum Opened {
    File,
    /// One that is not the one after the last.
    AfterGap,
    Nothing,
}

impl Input {
    /// Reads an entry without its line feed; `false` at the end of what is there. What is there of
    /// an entry that has no end yet is read again the next time: it may become another one.
    fn read(&mut self, entry: &mut Vec<u8>) -> io::Result<bool> {
        entry.clear();
        let length = match self {
            Self::Plain(input, _) => input.read_until(b'\n', entry)?,
            Self::Packed(input) => input.read_until(b'\n', entry)?,
        };
        let is_whole = entry.pop_if(|last| *last == b'\n').is_some();
        if let Self::Plain(input, end) = self {
            match is_whole {
                true => *end += length as u64,
                false if length > 0 => drop(input.seek(SeekFrom::Start(*end))?),
                false => {}
            }
        }
        Ok(is_whole)
    }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty()).map(File::from)?)
}

fn inode_of(path: &Path) -> Option<u64> {
    std::fs::symlink_metadata(path).ok().map(|metadata| metadata.ino())
}

#[cfg(test)]
mod tests;
