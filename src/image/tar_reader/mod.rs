//! A strict reader of tar archives.
//!
//! The `tar` crate knows where the fields of a header are; everything else is here, because what
//! matters is what happens at the edges. An archive that two readers could understand differently
//! is refused: sizes that contradict one another, extensions that are malformed or given twice,
//! content after the end. What a reader has to hold in memory is bounded by [`limits`].
//!
//! Formats: v7, ustar, PAX (POSIX.1-2001, pax(1)) and GNU (`tar.info`, "Basic Tar Format"), with
//! the sparse files of old GNU (type `S`) and of PAX 1.0.

mod header;
mod pax;
mod sparse;

use std::io::{self, BufRead, Read};

use rustix::fs::Timespec;

use super::limits;
use header::{BLOCK, Block};
use pax::Pax;
pub(super) use sparse::Extent;

/// What is wrong with an archive.
#[derive(Debug)]
pub(super) enum Fault {
    /// The stream below failed.
    Read(io::Error),
    /// The archive ends inside an entry.
    Truncated,
    /// The archive is not what the format allows.
    Malformed(&'static str),
    /// More than `limit` of a unit.
    TooLarge(u64, &'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Read(error),
        }
    }
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    Fifo,
    Character { major: u64, minor: u64 },
    Block,
}

/// An entry's header, extensions applied.
#[derive(Debug)]
pub(super) struct Entry {
    /// The path, as the archive has it: not checked.
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    /// Permission bits, set-id bits and sticky bit.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: Timespec,
    /// Names and values of extended attributes (`SCHILY.xattr.*`): not filtered.
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// The size of the file, holes included; 0 of what is no file.
    pub(super) size: u64,
    /// Where the stored data belongs in a sparse file; `None` if it is the whole file.
    pub(super) extents: Option<Vec<Extent>>,
}

/// What the extension headers before an entry say about it.
#[derive(Default)]
struct Extensions {
    long_path: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    pax: Option<Pax>,
}

impl Extensions {
    fn is_empty(&self) -> bool {
        self.long_path.is_none() && self.long_link.is_none() && self.pax.is_none()
    }
}

/// A stream that can leave bytes out more cheaply than by reading them.
pub(super) trait Skip: BufRead {
    /// Leaves out `count` bytes; past the end of the stream is an error of this or a later call.
    fn skip(&mut self, mut count: u64) -> io::Result<()> {
        while count > 0 {
            let available = self.fill_buf()?.len();
            if available == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let step = usize::try_from(count).unwrap_or(available).min(available);
            self.consume(step);
            count -= step as u64;
        }
        Ok(())
    }
}

/// Reads the entries of an archive one after the other.
pub(super) struct Reader<R> {
    input: R,
    position: u64,
    /// Stored bytes of the current entry that were not read yet.
    remaining: u64,
    /// Bytes that fill the current entry's last block.
    padding: u64,
}

impl<R: Skip> Reader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, position: 0, remaining: 0, padding: 0 }
    }

    /// The offset in the archive: after [`Self::next_entry`], of the entry's data.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The bytes of the current entry that are stored in the archive and not read yet.
    pub(super) fn remaining(&self) -> u64 {
        self.remaining
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }

    /// The next entry; `None` after the last, when the rest of the stream was seen to be empty.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, Fault> {
        self.input.skip(self.remaining)?;
        self.position += self.remaining;
        self.remaining = 0;
        self.skip_padding()?;
        let mut extensions = Extensions::default();
        loop {
            let Some(block) = self.next_header()? else {
                return if extensions.is_empty() { Ok(None) } else { Err(Fault::Truncated) };
            };
            match block.kind() {
                b'L' => set_once(&mut extensions.long_path, self.long_name(&block)?)?,
                b'K' => set_once(&mut extensions.long_link, self.long_name(&block)?)?,
                b'x' => set_once(&mut extensions.pax, Pax::parse(&self.extension(&block)?)?)?,
                b'g' => Pax::parse(&self.extension(&block)?)?.refuse_global()?,
                _ => return self.entry(&block, extensions).map(Some),
            }
        }
    }

    /// Leaves out what fills the last block of the current entry. An archive may end in it: some
    /// writers (`umoci insert` is one) stop after the last byte of the last file, and other
    /// readers take that as the end. No byte of a file is missing, so nothing is ambiguous.
    fn skip_padding(&mut self) -> Result<(), Fault> {
        while self.padding > 0 {
            let available = self.input.fill_buf()?.len() as u64;
            if available == 0 {
                break;
            }
            let step = available.min(self.padding);
            self.input.skip(step)?;
            self.position += step;
            self.padding -= step;
        }
        self.padding = 0;
        Ok(())
    }

    /// The next bytes of the current entry's data, without copying; empty at its end.
    pub(super) fn data(&mut self) -> Result<&[u8], Fault> {
        if self.remaining == 0 {
            return Ok(&[]);
        }
        let remaining = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        let available = self.input.fill_buf()?;
        if available.is_empty() {
            return Err(Fault::Truncated);
        }
        Ok(&available[..available.len().min(remaining)])
    }

    /// Marks the first `count` bytes of [`Self::data`] as read.
    pub(super) fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.position += count as u64;
        self.remaining -= count as u64;
    }

    fn entry(&mut self, block: &Block, extensions: Extensions) -> Result<Entry, Fault> {
        let pax = extensions.pax.unwrap_or_default();
        let stored = block.stored_size(pax.size)?;
        let path = one_of(extensions.long_path, pax.path)?.unwrap_or_else(|| block.path());
        let link = one_of(extensions.long_link, pax.link)?.unwrap_or_else(|| block.link());
        let kind = block.entry_kind(&path, link)?;
        if kind != Kind::File && stored != 0 {
            return Err(Fault::Malformed("an entry that is no file has data"));
        }
        self.remaining = stored;
        self.padding = stored.next_multiple_of(BLOCK as u64) - stored;
        let mut entry = Entry {
            path,
            kind,
            mode: block.mode()?,
            uid: pax.uid.map_or_else(|| block.uid(), Ok)?,
            gid: pax.gid.map_or_else(|| block.gid(), Ok)?,
            mtime: pax.mtime.map_or_else(|| block.mtime(), Ok)?,
            xattrs: pax.xattrs,
            size: stored,
            extents: None,
        };
        let map = match (block.kind(), pax.sparse) {
            (b'S', None) => Some(self.gnu_sparse_map(block)?),
            (b'S', Some(_)) => return Err(Fault::Malformed("a sparse file has two maps")),
            (_, Some(sparse)) => {
                entry.path = sparse.name.unwrap_or(entry.path);
                Some((sparse.real_size, self.pax_sparse_map()?))
            }
            (_, None) => None,
        };
        if let Some((size, extents)) = map {
            sparse::check(&extents, size, self.remaining)?;
            if entry.kind != Kind::File {
                return Err(Fault::Malformed("an entry that is no file is sparse"));
            }
            entry.size = size;
            entry.extents = Some(extents);
        }
        Ok(entry)
    }

    /// The next header; `None` at the end of the archive.
    fn next_header(&mut self) -> Result<Option<Block>, Fault> {
        let Some(block) = self.block()? else { return Ok(None) };
        if block.is_zero() {
            self.finish()?;
            return Ok(None);
        }
        block.check()?;
        Ok(Some(block))
    }

    /// After the first zero block there may only be more zeros: POSIX asks for one more block,
    /// writers pad to a record.
    fn finish(&mut self) -> Result<(), Fault> {
        let mut trailing = 0;
        loop {
            let available = self.input.fill_buf()?;
            let count = available.len();
            if count == 0 {
                return Ok(());
            }
            if available.iter().any(|byte| *byte != 0) {
                return Err(Fault::Malformed("there is data after the end of the archive"));
            }
            self.input.consume(count);
            self.position += count as u64;
            trailing += count as u64;
            if trailing > limits::TRAILING_BYTES {
                return Err(Fault::TooLarge(limits::TRAILING_BYTES, "bytes of trailing zeros"));
            }
        }
    }

    /// One block; `None` at the end of the stream.
    fn block(&mut self) -> Result<Option<Block>, Fault> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut block = Block::default();
        self.input.read_exact(block.bytes_mut())?;
        self.position += BLOCK as u64;
        Ok(Some(block))
    }

    /// The data of an extension header.
    fn extension(&mut self, block: &Block) -> Result<Vec<u8>, Fault> {
        let size = block.stored_size(None)?;
        if size > limits::EXTENSION_BYTES {
            return Err(Fault::TooLarge(limits::EXTENSION_BYTES, "bytes of one extension header"));
        }
        let padded = size.next_multiple_of(BLOCK as u64);
        let mut data = Vec::new();
        (&mut self.input).take(padded).read_to_end(&mut data)?;
        if (data.len() as u64) < padded {
            return Err(Fault::Truncated);
        }
        self.position += padded;
        data.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(data)
    }

    /// The name in a GNU `L` or `K` header: ends with a NUL, which is not part of it.
    fn long_name(&mut self, block: &Block) -> Result<Vec<u8>, Fault> {
        let mut name = self.extension(block)?;
        while name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<(), Fault> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Fault::Malformed("one entry has two extension headers of one kind")),
    }
}

fn one_of<T>(gnu: Option<T>, pax: Option<T>) -> Result<Option<T>, Fault> {
    match (gnu, pax) {
        (Some(_), Some(_)) => Err(Fault::Malformed("one name is given by GNU and by PAX")),
        (gnu, pax) => Ok(gnu.or(pax)),
    }
}

#[cfg(test)]
mod tests;
