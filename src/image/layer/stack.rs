//! Layers as overlayfs shows them stacked, without mounting them.
//!
//! Layers are directories in one directory and are looked into through its descriptor with
//! openat2(2) and `RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS`: a link of an image is read as text and
//! followed here, inside of the stack, never by the kernel.
//!
//! <https://docs.kernel.org/filesystems/overlayfs.html>, "Upper and Lower" to "whiteouts and
//! opaque directories"

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{self as rfs, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::path::EntryPath;
use super::tree::OPAQUE;
use super::{Refusal, system};
use crate::image::limits;

/// How many links a path may lead through; MAXSYMLINKS of the kernel.
const LINKS: usize = 40;

/// Layers in one directory, the topmost first.
pub(in crate::image) struct Stack {
    directory: OwnedFd,
    names: Vec<Vec<u8>>,
}

/// What a path leads to.
pub(super) struct Found {
    /// The layer that has it, 0 is the topmost.
    layer: usize,
    /// Where it is in that layer.
    path: Vec<u8>,
    pub(super) stat: Stat,
}

impl Found {
    pub(super) fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }
}

impl Stack {
    pub(in crate::image) fn new(directory: OwnedFd, names: Vec<Vec<u8>>) -> Self {
        Self { directory, names }
    }

    /// What is at `path` in the layers below the topmost one, where no part of it is a link. What
    /// the topmost layer hides of its parent is not there.
    pub(super) fn below(&self, path: &[u8]) -> Result<Option<Found>, Refusal> {
        match self.merged(super::path::split(path).0)? {
            Some(parents) => self.topmost(&parents, path, 1),
            None => Ok(None),
        }
    }

    /// What `path` leads to: what the last part of it is in the layers below the topmost one, in
    /// the directory that the other parts of it lead to in the whole stack, through its links.
    pub(super) fn resolve(&self, path: &EntryPath) -> Result<Option<Found>, Refusal> {
        let (parent, name) = path.split();
        let Some(mut real) = self.real_directory(parent)? else { return Ok(None) };
        push(&mut real, name);
        let Some(parents) = self.merged(super::path::split(&real).0)? else { return Ok(None) };
        self.topmost(&parents, &real, 1)
    }

    /// The directory that the link `found` leads to, if it does.
    pub(super) fn follow(&self, found: &Found) -> Result<Option<Found>, Refusal> {
        let target = self.read_link(found)?;
        let mut path = match target.first() {
            Some(b'/') => Vec::new(),
            _ => super::path::split(&found.path).0.to_vec(),
        };
        path.push(b'/');
        path.extend_from_slice(&target);
        let Some(real) = self.real_directory(&path)? else { return Ok(None) };
        match self.merged(&real)?.and_then(|layers| layers.first().copied()) {
            Some(layer) => Ok(self.look(layer, &real)?.map(|(found, _)| found)),
            None => Ok(None),
        }
    }

    /// Opens what was found, to read it.
    pub(super) fn open(&self, found: &Found) -> Result<OwnedFd, Refusal> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY;
        self.openat2(found.layer, &found.path, flags)
            .map_err(|errno| system("openat2", &found.path, errno))
    }

    /// The target of a link.
    pub(super) fn read_link(&self, found: &Found) -> Result<Vec<u8>, Refusal> {
        let failed = |call, errno| system(call, &found.path, errno);
        let fd = self
            .openat2(found.layer, &found.path, OFlags::PATH | OFlags::NOFOLLOW)
            .map_err(|errno| failed("openat2", errno))?;
        let target =
            rfs::readlinkat(&fd, "", Vec::new()).map_err(|errno| failed("readlinkat", errno))?;
        Ok(target.into_bytes())
    }

    /// The layers whose directories are shown as one at `path`, the topmost first; `None` if it
    /// is no directory. No part of `path` is followed.
    fn merged(&self, path: &[u8]) -> Result<Option<Vec<usize>>, Refusal> {
        let mut layers: Vec<usize> = (0..self.names.len()).collect();
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let whole = (!path.is_empty()).then_some(path.len());
        for end in ends.chain(whole) {
            let mut merged = Vec::new();
            for layer in layers {
                let Some((found, fd)) = self.look(layer, &path[..end])? else { continue };
                if found.kind() != FileType::Directory {
                    break;
                }
                merged.push(layer);
                if is_opaque(&fd)? {
                    break;
                }
            }
            if merged.is_empty() {
                return Ok(None);
            }
            layers = merged;
        }
        Ok(Some(layers))
    }

    /// What is at `path` in the topmost of `layers` that has it, layers above `first` left out.
    fn topmost(
        &self,
        layers: &[usize],
        path: &[u8],
        first: usize,
    ) -> Result<Option<Found>, Refusal> {
        for layer in layers.iter().filter(|layer| **layer >= first) {
            if let Some((found, _)) = self.look(*layer, path)? {
                let is_whiteout = found.kind() == FileType::CharacterDevice;
                return Ok((!is_whiteout).then_some(found));
            }
        }
        Ok(None)
    }

    /// Where the directory `path` really is in the whole stack: without links. It climbs no
    /// higher than the root.
    fn real_directory(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        let mut real = Vec::new();
        let mut links = 0;
        let mut rest: Vec<Vec<u8>> = components(path);
        while let Some(component) = rest.pop() {
            if component == b".." {
                real.truncate(super::path::split(&real).0.len());
                continue;
            }
            let Some(parents) = self.merged(&real)? else { return Ok(None) };
            let parent = real.len();
            push(&mut real, &component);
            if real.len() > limits::PATH_BYTES {
                return Ok(None);
            }
            let Some(found) = self.topmost(&parents, &real, 0)? else { return Ok(None) };
            match found.kind() {
                FileType::Directory => {}
                FileType::Symlink if links < LINKS => {
                    links += 1;
                    let target = self.read_link(&found)?;
                    real.truncate(if target.first() == Some(&b'/') { 0 } else { parent });
                    rest.extend(components(&target));
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(real))
    }

    fn look(&self, layer: usize, path: &[u8]) -> Result<Option<(Found, OwnedFd)>, Refusal> {
        match self.openat2(layer, path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(fd) => {
                let stat = rfs::fstat(&fd).map_err(|errno| system("fstat", path, errno))?;
                Ok(Some((Found { layer, path: path.to_vec(), stat }, fd)))
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG) => Ok(None),
            Err(errno) => Err(system("openat2", path, errno)),
        }
    }

    fn openat2(&self, layer: usize, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let mut whole = self.names[layer].clone();
        push(&mut whole, path);
        rfs::openat2(&self.directory, whole, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
    }
}

/// Whether the directory behind a descriptor that only stands for it (`O_PATH`) is opaque.
fn is_opaque(directory: &OwnedFd) -> Result<bool, Refusal> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = rfs::openat(directory.as_fd(), ".", flags, Mode::empty())
        .map_err(|errno| system("openat", b".", errno))?;
    let mut value = [0_u8; 1];
    match rfs::fgetxattr(&open, OPAQUE, &mut value) {
        Ok(_) => Ok(value == *b"y"),
        Err(Errno::NODATA) => Ok(false),
        Err(errno) => Err(system("fgetxattr", OPAQUE.as_bytes(), errno)),
    }
}

/// The parts of a path that say something, the last first.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    parts.rev().map(<[u8]>::to_vec).collect()
}

fn push(path: &mut Vec<u8>, name: &[u8]) {
    if !path.is_empty() && !name.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}
