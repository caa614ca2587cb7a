//! Where the files of an image on disk are found: in a tar archive or in a directory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{self as rfs, FileType, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::error::{Error, Result};
use super::limits;
use super::tar_reader::{Fault, Kind, Reader, Skip};
use crate::sys::{self, openat2};

/// A part of an open file. Reading it moves no shared offset.
#[derive(Debug, Clone)]
pub(super) struct Region {
    file: Rc<File>,
    at: u64,
    end: u64,
}

impl Region {
    /// All of a regular file.
    pub(super) fn whole(file: File) -> sys::Result<Self> {
        let end = file.metadata().map_err(|e| sys::Error::new("fstat", "", e))?.len();
        Ok(Self { file: Rc::new(file), at: 0, end })
    }

    /// The bytes that are left to read.
    pub(super) fn size(&self) -> u64 {
        self.end - self.at
    }

    /// All of it, if it is no larger than a document may be.
    pub(super) fn read_document(mut self, what: &str) -> Result<Vec<u8>> {
        if self.size() > limits::DOCUMENT_BYTES {
            let limit = limits::DOCUMENT_BYTES;
            return Err(Error::TooLarge { what: what.to_owned(), limit, unit: "bytes" });
        }
        let mut content = Vec::new();
        self.read_to_end(&mut content).map_err(|e| Error::from_read(what.to_owned(), e))?;
        Ok(content)
    }
}

impl Read for Region {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.size()).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        match self.file.read_at(&mut buffer[..wanted], self.at)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.at += count as u64;
                Ok(count)
            }
        }
    }
}

impl Skip for BufReader<Region> {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        let buffered = self.buffer().len() as u64;
        let beyond = count.saturating_sub(buffered);
        io::BufRead::consume(self, usize::try_from(count - beyond).unwrap_or(usize::MAX));
        let region = self.get_mut();
        if beyond > region.size() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        region.at += beyond;
        Ok(())
    }
}

/// The files of an image, by name.
pub(super) enum Source {
    Archive(HashMap<Vec<u8>, Member>),
    Directory(OwnedFd),
}

/// What a name in an archive stands for.
pub(super) enum Member {
    File(Region),
    /// Another name.
    Link(Vec<u8>),
}

impl Source {
    /// Reads the headers of a tar archive. Its names are only ever compared as text; nothing of
    /// it is unpacked.
    pub(super) fn index(archive: Region, path: &Path) -> Result<Self> {
        let what = || path.display().to_string();
        let start = archive.clone();
        let mut members = HashMap::new();
        // Headers are far from one another: a small buffer reads the least in vain.
        let mut reader = Reader::new(BufReader::with_capacity(4096, archive));
        loop {
            let at = reader.position();
            let entry = match reader.next_entry() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(Fault::Malformed(_) | Fault::Truncated) if at == 0 => {
                    return Err(Error::not_an_image(path, "is no tar archive"));
                }
                Err(fault) => return Err(Error::from_tar(what(), at, fault)),
            };
            let name = clean(&entry.path);
            let member = match entry.kind {
                Kind::File if entry.extents.is_none() => {
                    let at = start.at + reader.position();
                    let end = at + reader.remaining();
                    if end > start.end {
                        return Err(Error::Truncated { what: what() });
                    }
                    Member::File(Region { file: Rc::clone(&start.file), at, end })
                }
                Kind::Symlink(target) => {
                    let directory = name.iter().rposition(|byte| *byte == b'/');
                    let directory = &name[..directory.unwrap_or(0)];
                    Member::Link(clean(&[directory, b"/", &target].concat()))
                }
                Kind::HardLink(target) => Member::Link(clean(&target)),
                _ => continue,
            };
            if members.insert(name, member).is_some() {
                let problem = "a name is in the archive twice";
                return Err(Error::Tar { what: what(), at, problem });
            }
            if members.len() > limits::ARCHIVE_ENTRIES {
                let limit = limits::ARCHIVE_ENTRIES as u64;
                return Err(Error::TooLarge { what: what(), limit, unit: "entries" });
            }
        }
        Ok(Self::Archive(members))
    }

    /// The file `name`; `None` if there is none.
    pub(super) fn open(&self, name: &str) -> Result<Option<Region>> {
        match self {
            Self::Archive(members) => {
                let mut name = clean(name.as_bytes());
                for _ in 0..limits::ARCHIVE_LINKS {
                    match members.get(&name) {
                        Some(Member::File(region)) => return Ok(Some(region.clone())),
                        Some(Member::Link(target)) => name.clone_from(target),
                        None => break,
                    }
                }
                Ok(None)
            }
            Self::Directory(directory) => open_below(directory, name),
        }
    }

    /// As [`Self::open`], when `what` cannot do without it.
    pub(super) fn require(&self, what: &str, name: &str) -> Result<Region> {
        self.open(name)?
            .ok_or_else(|| Error::Missing { what: what.to_owned(), name: name.to_owned() })
    }
}

/// Opens a regular file below a directory, following no link.
fn open_below(directory: &OwnedFd, name: &str) -> Result<Option<Region>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let error = |call, errno| sys::Error::new(call, name.escape_debug().to_string(), errno);
    let fd = match openat2::open(directory, name, flags, resolve) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(errno) => return Err(error("openat2", errno).into()),
    };
    let stat = rfs::fstat(&fd).map_err(|errno| error("fstat", errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(error("read", Errno::INVAL).into());
    }
    Ok(Some(Region::whole(File::from(fd))?))
}

/// A name without `.`, `..` and empty components: pure text, there is no file system behind it.
fn clean(name: &[u8]) -> Vec<u8> {
    let mut components: Vec<&[u8]> = Vec::new();
    for component in name.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => {
                components.pop();
            }
            _ => components.push(component),
        }
    }
    components.join(&b'/')
}
