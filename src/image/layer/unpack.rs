//! Making entries.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{self as rfs, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::complete::{self, Link, Open};
use super::path::EntryPath;
use super::tree::{self, Existing, Tree};
use super::{Refusal, metadata, system};
use crate::image::limits;
use crate::image::tar_reader::{Entry, Extent, Fault, Kind, Reader, Skip};
use crate::sys;

const WHITEOUT: &[u8] = b".wh.";
const AUFS: &[u8] = b".wh..wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

const MISSING: Refusal = Refusal::Because("links to what this layer does not have");

/// Makes the entries of a layer.
pub(super) struct Unpacker {
    tree: Tree,
    devices: u64,
    open: Open,
    has_root: bool,
}

impl Unpacker {
    /// Unpacks into `root`, which is given the mode it has if the layer does not say.
    pub(super) fn new(root: OwnedFd) -> Result<Self, Refusal> {
        rfs::fchmod(&root, Mode::from_raw_mode(0o755))
            .map_err(|errno| system("fchmod", b"/", errno))?;
        Ok(Self { tree: Tree::new(root), devices: 0, open: Open::default(), has_root: false })
    }

    /// How many devices were left out.
    pub(super) fn devices(&self) -> u64 {
        self.devices
    }

    /// Makes one entry; `data` stands at its data.
    pub(super) fn entry<R: Skip>(
        &mut self,
        entry: &Entry,
        data: &mut Reader<R>,
    ) -> Result<(), Refusal> {
        let path = EntryPath::parse(&entry.path).map_err(Refusal::Because)?;
        if path.is_root() {
            return self.root(entry);
        }
        let (parent, name) = path.split();
        if parent.split(|byte| *byte == b'/').any(|component| component.starts_with(WHITEOUT)) {
            return match parent.split(|byte| *byte == b'/').any(|part| part.starts_with(AUFS)) {
                true => Ok(()),
                false => Err(Refusal::Because("is below a whiteout")),
            };
        }
        if name.starts_with(WHITEOUT) {
            return self.whiteout(parent, name);
        }
        match &entry.kind {
            Kind::File => self.file(entry, &path, data),
            Kind::Directory => self.directory(entry, &path),
            Kind::Symlink(target) => self.symlink(entry, &path, target),
            Kind::HardLink(target) => self.hard_link(&path, target),
            Kind::Fifo => self.fifo(entry, &path),
            Kind::Character { major: 0, minor: 0 } => {
                Err(Refusal::Because("is a device that would act as a whiteout"))
            }
            Kind::Character { .. } | Kind::Block => {
                self.devices += 1;
                Ok(())
            }
        }
    }

    /// Sets what could not be set while entries were being made, and says what is left open.
    pub(super) fn finish(mut self) -> Result<Open, Refusal> {
        if !self.tree.implied().is_empty() {
            self.open.directories = complete::find_directories(&self.tree, self.tree.implied())?;
        }
        self.tree.finish()?;
        if !self.has_root {
            metadata::mark_unlisted(self.tree.root())?;
        }
        Ok(self.open)
    }

    fn root(&mut self, entry: &Entry) -> Result<(), Refusal> {
        if entry.kind != Kind::Directory {
            return Err(Refusal::Because("would replace the root directory"));
        }
        self.has_root = true;
        let root = tree::open_directory(self.tree.root(), b".")?;
        metadata::apply(root.as_fd(), entry, b"/")?;
        self.tree.finish_at_end(root.as_fd(), b"", entry)
    }

    fn directory(&mut self, entry: &Entry, path: &EntryPath) -> Result<(), Refusal> {
        let (parent, name) = path.split();
        let directory = self.tree.directory(parent)?;
        let fd = match tree::existing(directory, name)? {
            Existing::Nothing => tree::new_directory(directory, name)?,
            Existing::Directory => tree::open_directory(directory, name)?,
            Existing::Whiteout | Existing::Other => {
                self.tree.remove(parent, name)?;
                let fd = tree::new_directory(self.tree.directory(parent)?, name)?;
                tree::set_opaque(fd.as_fd())?;
                fd
            }
        };
        metadata::apply(fd.as_fd(), entry, name)?;
        self.tree.finish_at_end(fd.as_fd(), path.as_bytes(), entry)
    }

    fn file<R: Skip>(
        &mut self,
        entry: &Entry,
        path: &EntryPath,
        data: &mut Reader<R>,
    ) -> Result<(), Refusal> {
        let name = path.split().1;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = self.make(path, "openat", |parent| {
            rfs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)
        })?;
        let mut file = File::from(fd);
        match &entry.extents {
            None => write_all(&mut file, data, name)?,
            Some(extents) => write_sparse(&file, extents, entry.size, data, name)?,
        }
        metadata::apply(file.as_fd(), entry, name)?;
        metadata::set_time(file.as_fd(), entry.mtime, name)
    }

    fn symlink(&mut self, entry: &Entry, path: &EntryPath, target: &[u8]) -> Result<(), Refusal> {
        if target.is_empty() || target.len() >= limits::PATH_BYTES || target.contains(&0) {
            return Err(Refusal::Because("is a link with an impossible target"));
        }
        let (parent, name) = path.split();
        self.make(path, "symlinkat", |parent| rfs::symlinkat(target, parent, name))?;
        metadata::apply_to_link(self.tree.directory(parent)?, entry, name)
    }

    fn hard_link(&mut self, path: &EntryPath, target: &[u8]) -> Result<(), Refusal> {
        let target =
            EntryPath::parse(target).map_err(|_| Refusal::Because("links to no valid path"))?;
        let (target_parent, target_name) = target.split();
        const DIRECTORY: Refusal = Refusal::Because("links to a directory");
        let source = match self.tree.resolve(target_parent) {
            Ok(source) if !target.is_root() => source,
            Ok(_) => return Err(DIRECTORY),
            Err(Errno::NOENT) => return self.open_link(path, target),
            Err(Errno::NOTDIR | Errno::LOOP) => return Err(MISSING),
            Err(errno) => return Err(system("openat2", target.as_bytes(), errno)),
        };
        let linked = match tree::status(source.as_fd(), target_name)? {
            None => return self.open_link(path, target),
            Some(stat) => match tree::kind(&stat) {
                Existing::Other => stat.st_ino,
                Existing::Directory => return Err(DIRECTORY),
                Existing::Nothing | Existing::Whiteout => return Err(MISSING),
            },
        };
        let (parent, name) = path.split();
        let directory = self.tree.directory(parent)?;
        if tree::status(directory, name)?.is_some_and(|stat| stat.st_ino == linked) {
            return Ok(());
        }
        self.make(path, "linkat", |parent| {
            rfs::linkat(&source, target_name, parent, name, AtFlags::empty())
        })?;
        if self.open.targets.contains_key(&linked)
            && complete::stand_in(self.tree.directory(parent)?, name)?.is_some()
        {
            self.open.links.push(Link { path: path.clone(), inode: linked });
        }
        Ok(())
    }

    /// A hard link to what only a lower layer can have: an empty file stands for it.
    fn open_link(&mut self, path: &EntryPath, target: EntryPath) -> Result<(), Refusal> {
        let name = path.split().1;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = self.make(path, "openat", |parent| {
            rfs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)
        })?;
        let inode = complete::mark_stand_in(&fd, name)?;
        self.open.targets.insert(inode, target);
        self.open.links.push(Link { path: path.clone(), inode });
        Ok(())
    }

    fn fifo(&mut self, entry: &Entry, path: &EntryPath) -> Result<(), Refusal> {
        let (parent, name) = path.split();
        let mode = Mode::RUSR | Mode::WUSR;
        self.make(path, "mknodat", |parent| rfs::mknodat(parent, name, FileType::Fifo, mode, 0))?;
        // Opened so, a fifo waits for no one on its other side.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rfs::openat(self.tree.directory(parent)?, name, flags, Mode::empty())
            .map_err(|errno| system("openat", name, errno))?;
        metadata::set_owner_and_mode(fd.as_fd(), entry, name)?;
        metadata::set_time(fd.as_fd(), entry.mtime, name)
    }

    fn whiteout(&mut self, parent: &[u8], name: &[u8]) -> Result<(), Refusal> {
        let hidden = &name[WHITEOUT.len()..];
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(Refusal::Because("is a whiteout of nothing"));
        }
        if name == OPAQUE && parent.is_empty() {
            return Err(Refusal::Because("would hide all of the lower layers"));
        }
        if (name.starts_with(AUFS) && name != OPAQUE) || !self.tree.may_be_directory(parent)? {
            return Ok(());
        }
        let directory = self.tree.directory(parent)?;
        if name == OPAQUE {
            return tree::set_opaque(tree::open_directory(directory, b".")?.as_fd());
        }
        match tree::existing(directory, hidden)? {
            Existing::Nothing => {
                rfs::mknodat(directory, hidden, FileType::CharacterDevice, Mode::empty(), 0)
                    .map_err(|errno| system("mknodat", hidden, errno))
            }
            Existing::Directory => {
                tree::set_opaque(tree::open_directory(directory, hidden)?.as_fd())
            }
            Existing::Whiteout | Existing::Other => Ok(()),
        }
    }

    /// Makes something at `path` by `make`, which fails if the name is taken; then what has the
    /// name is removed first.
    fn make<T>(
        &mut self,
        path: &EntryPath,
        call: &'static str,
        make: impl Fn(BorrowedFd<'_>) -> Result<T, Errno>,
    ) -> Result<T, Refusal> {
        let (parent, name) = path.split();
        match make(self.tree.directory(parent)?) {
            Ok(made) => return Ok(made),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(system(call, name, errno)),
        }
        self.tree.remove(parent, name)?;
        make(self.tree.directory(parent)?).map_err(|errno| system(call, name, errno))
    }
}

fn write_all<R: Skip>(file: &mut File, data: &mut Reader<R>, name: &[u8]) -> Result<(), Refusal> {
    loop {
        let chunk = data.data().map_err(Refusal::Read)?;
        let count = chunk.len();
        if count == 0 {
            return Ok(());
        }
        file.write_all(chunk).map_err(|e| write_error(name, e))?;
        data.consume(count);
    }
}

/// Writes the extents where they belong; the rest of the file stays a hole.
fn write_sparse<R: Skip>(
    file: &File,
    extents: &[Extent],
    size: u64,
    data: &mut Reader<R>,
    name: &[u8],
) -> Result<(), Refusal> {
    rfs::ftruncate(file, size).map_err(|errno| system("ftruncate", name, errno))?;
    for extent in extents {
        let (mut offset, mut left) = (extent.offset, extent.length);
        while left > 0 {
            let chunk = data.data().map_err(Refusal::Read)?;
            if chunk.is_empty() {
                return Err(Refusal::Read(Fault::Truncated));
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
            file.write_all_at(&chunk[..count], offset).map_err(|e| write_error(name, e))?;
            data.consume(count);
            offset += count as u64;
            left -= count as u64;
        }
    }
    Ok(())
}

fn write_error(name: &[u8], error: std::io::Error) -> Refusal {
    Refusal::System(sys::Error::new("write", name.escape_ascii().to_string(), error))
}
