//! Paths inside a container's root file system.
//!
//! Each is resolved exactly once, by the kernel, as if the root were `/`
//! (`RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS` of openat2(2)), to a descriptor that is then acted
//! on. Nothing is ever joined and opened again, so a link in an image leads nowhere else.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::sys::{Error, Result, openat2};

/// The root of a container's file system.
#[derive(Debug)]
pub struct Root {
    fd: OwnedFd,
}

fn failed(call: &'static str, path: &Path, errno: Errno) -> Error {
    Error::new(call, path.display().to_string(), errno)
}

impl Root {
    /// Uses the directory at the host path `path` as a root.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty())
            .map(|fd| Self { fd })
            .map_err(|errno| failed("open", path, errno))
    }

    /// Opens `path` below the root.
    pub fn open_path(&self, path: &Path, flags: OFlags) -> Result<OwnedFd> {
        self.try_open(path, flags).map_err(|errno| failed("openat2", path, errno))
    }

    fn try_open(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        openat2::open(&self.fd, path, flags, resolve)
    }

    /// The directory at `path`; it and those above it are made if they are missing.
    pub fn ensure_directory(&self, path: &Path) -> Result<OwnedFd> {
        match self.try_open(path, OFlags::PATH | OFlags::DIRECTORY) {
            Ok(fd) => return Ok(fd),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(failed("openat2", path, errno)),
        }
        let (parent, name) = self.ensure_parent(path)?;
        match rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed("mkdirat", path, errno)),
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&parent, name, flags, Mode::empty())
            .map_err(|errno| failed("openat", path, errno))
    }

    /// The file at `path`, whatever its type but a directory; an empty one is made, with the
    /// directories above it, if it is missing.
    pub fn ensure_file(&self, path: &Path) -> Result<OwnedFd> {
        match self.try_open(path, OFlags::PATH) {
            Ok(fd) if is_directory(fd.as_fd()) => {
                return Err(failed("openat2", path, Errno::ISDIR));
            }
            Ok(fd) => return Ok(fd),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(failed("openat2", path, errno)),
        }
        let (parent, name) = self.ensure_parent(path)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o644)) {
            Ok(fd) => Ok(fd),
            // A link that leads nowhere: what is mounted here takes its place.
            Err(Errno::EXIST) => {
                rustix::fs::unlinkat(&parent, name, rustix::fs::AtFlags::empty())
                    .map_err(|errno| failed("unlinkat", path, errno))?;
                rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o644))
                    .map_err(|errno| failed("openat", path, errno))
            }
            Err(errno) => Err(failed("openat", path, errno)),
        }
    }

    fn ensure_parent<'a>(&self, path: &'a Path) -> Result<(OwnedFd, &'a OsStr)> {
        let name = path.file_name().ok_or_else(|| failed("openat2", path, Errno::INVAL))?;
        let parent = path.parent().unwrap_or(Path::new("/"));
        Ok((self.ensure_directory(parent)?, name))
    }

    /// The directory `name` directly below the root, made if it is missing; a link is refused,
    /// because what is mounted here must be at this very place.
    pub fn plain_directory(&self, name: &str) -> Result<OwnedFd> {
        let path = Path::new(name);
        match rustix::fs::mkdirat(&self.fd, path, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed("mkdirat", path, errno)),
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, path, flags, Mode::empty())
            .map_err(|errno| failed("openat", path, errno))
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether the descriptor is a directory.
pub fn is_directory(fd: BorrowedFd<'_>) -> bool {
    rustix::fs::fstat(fd)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_do_not_lead_out() {
        let tmp = tempfile::tempdir().unwrap();
        let (root, canary) = (tmp.path().join("root"), tmp.path().join("canary"));
        crate::sys::file::make_dir(&root, 0o700).unwrap();
        crate::sys::file::make_dir(&canary, 0o700).unwrap();
        for (name, target) in [("up", "../canary"), ("away", canary.to_str().unwrap())] {
            std::os::unix::fs::symlink(target, root.join(name)).unwrap();
        }
        let root = Root::open(&root).unwrap();
        for path in ["/up/x/y", "/away/x/y", "/../canary/x", "up/f"] {
            root.ensure_directory(Path::new(path)).ok();
            root.ensure_file(Path::new(&format!("{path}.file"))).ok();
        }
        assert_eq!(std::fs::read_dir(&canary).unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_place_of_a_system_directory_is_refused() {
        let tmp = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/tmp", tmp.path().join("proc")).unwrap();
        let root = Root::open(tmp.path()).unwrap();
        let refused = root.plain_directory("proc").unwrap_err();
        assert!(refused.is(libc::ENOTDIR) || refused.is(libc::ELOOP), "{refused}");
    }
}
