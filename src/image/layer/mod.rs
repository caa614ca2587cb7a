//! Unpacking one layer.
//!
//! Every entry is made relative to a descriptor of its directory (`tree`); no joined path is
//! ever opened. The result is a directory overlayfs can stack: whiteouts of the image format
//! become its whiteouts and opaque directories.
//!
//! # What becomes of what
//!
//! | entry | becomes |
//! |---|---|
//! | file, directory, symbolic link, fifo | itself |
//! | hard link | a link to an earlier entry of this layer, never through a symbolic link, or a copy of what a lower layer has |
//! | `.wh.NAME` | a character device 0:0, unless this layer has NAME itself |
//! | `.wh..wh..opq` | `trusted.overlay.opaque=y` on the directory |
//! | other `.wh..wh.*` | nothing: what AUFS left behind |
//! | device | nothing, but counted: a container has a `/dev` of its own |
//! | character device 0:0 | an error: it would be a whiteout in disguise |
//!
//! Of two entries of one path the last wins; a directory over a directory merges. A directory
//! that replaces anything else, a whiteout included, is opaque: what it replaced had hidden the
//! lower layers. Whiteouts act on lower layers only, wherever they stand in the layer, and never
//! through a link: one below a link of the same layer has nothing left to hide.
//!
//! The specification: <https://github.com/opencontainers/image-spec/blob/main/layer.md>

mod complete;
mod metadata;
mod path;
mod stack;
mod tree;
mod unpack;

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::tar_reader::{Fault, Reader, Skip};
use crate::sys;
pub(super) use complete::{Open, complete};
pub(super) use metadata::lists_root;
pub(super) use stack::Stack;
use unpack::Unpacker;

/// What a layer unpacked to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// The size of its files, holes included.
    pub bytes: u64,
    /// Its entries, whiteouts included.
    pub entries: u64,
    /// Devices it has, which were left out.
    pub devices: u64,
}

/// What the layers of one image may still unpack to. Layers that are unpacked side by side share
/// it.
#[derive(Debug)]
pub(super) struct Budget {
    max_bytes: u64,
    max_entries: u64,
    bytes: AtomicU64,
    entries: AtomicU64,
}

impl Budget {
    pub(super) fn new(max_bytes: u64, max_entries: u64) -> Self {
        let (bytes, entries) = (AtomicU64::new(max_bytes), AtomicU64::new(max_entries));
        Self { max_bytes, max_entries, bytes, entries }
    }

    fn charge(&self, bytes: u64) -> Result<(), Problem> {
        let take = |left: &AtomicU64, count: u64, limit, unit| {
            left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(count))
                .map_err(|_| Problem::TooLarge { limit, unit })
        };
        take(&self.bytes, bytes, self.max_bytes, "bytes")?;
        take(&self.entries, 1, self.max_entries, "entries")?;
        Ok(())
    }
}

/// Why a layer could not be unpacked.
#[derive(Debug)]
pub(super) enum Problem {
    /// The archive itself.
    Tar(u64, Fault),
    /// One entry, with its path as the archive has it.
    Entry(Vec<u8>, Refusal),
    /// It is more than the image's [`Budget`].
    TooLarge { limit: u64, unit: &'static str },
}

/// Why an entry could not be made.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It must not be.
    Because(&'static str),
    /// A system call failed.
    System(sys::Error),
    /// Its data could not be read.
    Read(Fault),
}

/// The failure of `call` on the entry `name`.
fn system(call: &'static str, name: &[u8], errno: Errno) -> Refusal {
    Refusal::System(sys::Error::new(call, name.escape_ascii().to_string(), errno))
}

/// Unpacks the archive `layer` into the empty directory `root`. What it leaves open is for
/// [`complete()`] to add.
pub(super) fn unpack<R: Skip>(
    layer: &mut Reader<R>,
    root: OwnedFd,
    budget: &Budget,
) -> Result<(Unpacked, Open), Problem> {
    let mut unpacker = Unpacker::new(root).map_err(|e| Problem::Entry(b"/".to_vec(), e))?;
    let mut unpacked = Unpacked::default();
    loop {
        let at = layer.position();
        let Some(entry) = layer.next_entry().map_err(|fault| Problem::Tar(at, fault))? else {
            break;
        };
        budget.charge(entry.size)?;
        unpacked.bytes += entry.size;
        unpacked.entries += 1;
        match unpacker.entry(&entry, layer) {
            Ok(()) => {}
            Err(Refusal::Read(fault)) => return Err(Problem::Tar(layer.position(), fault)),
            Err(refusal) => return Err(Problem::Entry(entry.path, refusal)),
        }
    }
    unpacked.devices = unpacker.devices();
    let open = unpacker.finish().map_err(|e| Problem::Entry(b"/".to_vec(), e))?;
    Ok((unpacked, open))
}

#[cfg(test)]
mod breakouts;
#[cfg(test)]
mod completed;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
