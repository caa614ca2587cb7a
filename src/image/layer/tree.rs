//! The directory a layer is unpacked into, through descriptors.
//!
//! Directories are resolved with openat2(2) and `RESOLVE_IN_ROOT`: symbolic links of the layer
//! are followed as a container rooted in this layer would see them, so that an entry
//! `lib/x` after `lib -> usr/lib` lands in `usr/lib`, as umoci and chrooted unpackers do it, and
//! `lib -> /` lands in the layer. The last component of an entry is never followed.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    self as rfs, AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, XattrFlags,
};
use rustix::io::Errno;

use super::path::split;
use super::{Refusal, metadata, system};
use crate::image::limits;
use crate::image::tar_reader::Entry;
use crate::sys::{self, openat2};

/// The xattr that hides a lower directory's content; overlayfs documentation, "whiteouts and
/// opaque directories".
pub(super) const OPAQUE: &str = "trusted.overlay.opaque";

/// What has a name already when an entry is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Nothing,
    Directory,
    /// A whiteout that this layer has made.
    Whiteout,
    Other,
}

/// A layer's directory while it is being unpacked.
pub(super) struct Tree {
    root: OwnedFd,
    /// The directory last used, by the path it was asked for: archives list a directory's entries
    /// one after the other. Dropped whenever something is removed that could lie on that path.
    last: Option<(Vec<u8>, OwnedFd)>,
    /// Directories whose times are set at the end, because entries made in them change them.
    dated: Vec<Dated>,
    dated_bytes: usize,
    /// Inodes of the directories that were made because something is in them, not because they
    /// are listed.
    implied: BTreeSet<u64>,
}

/// A directory and the time it is to have.
struct Dated {
    path: Vec<u8>,
    inode: u64,
    mtime: Timespec,
    /// Its default ACL, which what is made in it would inherit.
    acl: Option<Vec<u8>>,
}

impl Tree {
    pub(super) fn new(root: OwnedFd) -> Self {
        Self { root, last: None, dated: Vec::new(), dated_bytes: 0, implied: BTreeSet::new() }
    }

    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// The directory `path`. What is missing of it is made, with mode 0755, owned by root, and as
    /// old as can be: what is not in the layer must not depend on when it was unpacked.
    pub(super) fn directory(&mut self, path: &[u8]) -> Result<BorrowedFd<'_>, Refusal> {
        if path.is_empty() {
            return Ok(self.root.as_fd());
        }
        let is_last = self.last.as_ref().is_some_and(|(last, _)| last == path);
        if !is_last {
            let fd = self.make(path)?;
            self.last = Some((path.to_vec(), fd));
        }
        let (_, fd) = self.last.as_ref().ok_or(Refusal::Because("has no directory"))?;
        Ok(fd.as_fd())
    }

    /// The directory `path` if there is one; nothing is made.
    pub(super) fn resolve(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { b"." } else { path };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
        openat2::open(&self.root, path, OFlags::PATH | OFlags::DIRECTORY, resolve)
    }

    /// Whether `path` is a directory of this layer or could become one: no part of it is a
    /// symbolic link or anything else.
    ///
    /// A whiteout below such a part has nothing to hide, as that part hides all that lower layers
    /// have below it. umoci writes such whiteouts when a link takes the place of a directory;
    /// following the link would hide what is in another one.
    pub(super) fn may_be_directory(&self, path: &[u8]) -> Result<bool, Refusal> {
        if path.is_empty() {
            return Ok(true);
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rfs::openat2(&self.root, path, flags, Mode::empty(), resolve) {
            Ok(_) | Err(Errno::NOENT) => Ok(true),
            Err(Errno::LOOP | Errno::NOTDIR) => Ok(false),
            Err(errno) => Err(system("openat2", path, errno)),
        }
    }

    fn make(&mut self, path: &[u8]) -> Result<OwnedFd, Refusal> {
        match self.resolve(path) {
            Ok(fd) => return Ok(fd),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(Errno::LOOP) => return Err(Refusal::Because("is below a loop of links")),
            Err(errno) => return Err(system("openat2", path, errno)),
        }
        let (parent_path, name) = split(path);
        let parent = match parent_path {
            [] => self.resolve(b"").map_err(|errno| system("openat2", b"/", errno))?,
            _ => self.make(parent_path)?,
        };
        let opaque = match existing(parent.as_fd(), name)? {
            Existing::Nothing => false,
            Existing::Whiteout => {
                rfs::unlinkat(&parent, name, AtFlags::empty())
                    .map_err(|errno| system("unlinkat", name, errno))?;
                true
            }
            // A link that leads nowhere in this layer, or a file.
            _ => return Err(Refusal::Because("is below something that is not a directory")),
        };
        let fd = new_directory(parent.as_fd(), name)?;
        rfs::fchmod(&fd, Mode::from_raw_mode(0o755))
            .map_err(|errno| system("fchmod", name, errno))?;
        if opaque {
            set_opaque(fd.as_fd())?;
        }
        let inode = self.date(fd.as_fd(), path, Timespec { tv_sec: 0, tv_nsec: 0 }, None)?;
        // What takes the place of something that was removed has nothing to do with it.
        if !opaque {
            self.implied.insert(inode);
        }
        Ok(fd)
    }

    /// Remembers what the listed directory `fd`, called `path`, is to have at the end: its
    /// modification time and its default ACL.
    pub(super) fn finish_at_end(
        &mut self,
        fd: BorrowedFd<'_>,
        path: &[u8],
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let acl = entry.xattrs.iter().find(|(key, _)| key == metadata::DEFAULT_ACL);
        let acl = acl.map(|(_, value)| value.clone());
        let inode = self.date(fd, path, entry.mtime, acl)?;
        self.implied.remove(&inode);
        Ok(())
    }

    fn date(
        &mut self,
        fd: BorrowedFd<'_>,
        path: &[u8],
        mtime: Timespec,
        acl: Option<Vec<u8>>,
    ) -> Result<u64, Refusal> {
        self.dated_bytes += path.len() + acl.as_ref().map_or(0, Vec::len) + size_of::<Dated>();
        if self.dated_bytes > limits::DIRECTORY_BYTES {
            return Err(Refusal::Because("is one of too many directories with long names"));
        }
        let inode = rfs::fstat(fd).map_err(|errno| system("fstat", path, errno))?.st_ino;
        self.dated.push(Dated { path: path.to_vec(), inode, mtime, acl });
        Ok(inode)
    }

    /// The inodes of the directories that are not listed; some may be gone again.
    pub(super) fn implied(&self) -> &BTreeSet<u64> {
        &self.implied
    }

    /// Opens the directory `path`, no part of which is a link.
    pub(super) fn real_directory(&self, path: &[u8]) -> Result<OwnedFd, Refusal> {
        let path = if path.is_empty() { b"." } else { path };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        rfs::openat2(&self.root, path, flags, Mode::empty(), resolve)
            .map_err(|errno| system("openat2", path, errno))
    }

    /// Gives the directories their times and default ACLs, in the order they were remembered.
    pub(super) fn finish(&self) -> Result<(), Refusal> {
        for Dated { path, inode, mtime, acl } in &self.dated {
            let (parent, name) = split(path);
            let name = if name.is_empty() { b"." } else { name };
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd = self
                .resolve(parent)
                .and_then(|parent| rfs::openat(parent, name, flags, Mode::empty()));
            // Another entry may have taken its place, or that of a directory above it.
            let Ok(fd) = fd else { continue };
            let stat = rfs::fstat(&fd).map_err(|errno| system("fstat", path, errno))?;
            if stat.st_ino == *inode {
                if let Some(acl) = acl {
                    metadata::set_default_acl(fd.as_fd(), acl, path)?;
                }
                metadata::set_time(fd.as_fd(), *mtime, path)?;
            }
        }
        Ok(())
    }

    /// Removes what is called `name` in the directory `path`.
    pub(super) fn remove(&mut self, path: &[u8], name: &[u8]) -> Result<(), Refusal> {
        let parent = self.directory(path)?;
        sys::file::remove_tree_at(parent, name).map_err(Refusal::System)?;
        self.last = None;
        Ok(())
    }
}

/// What `name` is in the directory `parent`, without following it.
pub(super) fn existing(parent: BorrowedFd<'_>, name: &[u8]) -> Result<Existing, Refusal> {
    Ok(status(parent, name)?.map_or(Existing::Nothing, |stat| kind(&stat)))
}

/// The status of `name` in the directory `parent`, without following it.
pub(super) fn status(parent: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Stat>, Refusal> {
    match rfs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(system("fstatat", name, errno)),
    }
}

/// What something in this layer is, by its status.
pub(super) fn kind(stat: &Stat) -> Existing {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Existing::Directory,
        // No other devices are ever made here.
        FileType::CharacterDevice => Existing::Whiteout,
        _ => Existing::Other,
    }
}

/// Makes a directory, for tank alone until its metadata are set, and opens it.
pub(super) fn new_directory(parent: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Refusal> {
    rfs::mkdirat(parent, name, Mode::RWXU).map_err(|errno| system("mkdirat", name, errno))?;
    open_directory(parent, name)
}

/// Opens the directory `name` itself, never through a link.
pub(super) fn open_directory(parent: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Refusal> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rfs::openat(parent, name, flags, Mode::empty()).map_err(|errno| system("openat", name, errno))
}

/// Hides the content of the same directory in lower layers.
pub(super) fn set_opaque(directory: BorrowedFd<'_>) -> Result<(), Refusal> {
    rfs::fsetxattr(directory, OPAQUE, b"y", XattrFlags::empty())
        .map_err(|errno| system("fsetxattr", OPAQUE.as_bytes(), errno))
}
