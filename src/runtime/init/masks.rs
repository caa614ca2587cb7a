//! Paths of `/proc` and `/sys` that a container must not read, or not write.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use super::{Failure, null};
use crate::runtime::failure::Doing;
use crate::runtime::in_root;
use crate::sys::mount::{self, Attributes, FsOption};
use crate::sys::{self, Error};

/// Covers files with `/dev/null` and directories with one shared, empty, read-only tmpfs. Runs
/// after `pivot_root`; what is not there needs no mask.
pub(super) fn hide<'a>(paths: impl Iterator<Item = &'a String>) -> Result<(), Failure> {
    // Whatever else is called so must not cover anything (CVE-2025-31133).
    let null = null::open(OFlags::PATH).doing("open /dev/null")?;
    let attributes = Attributes::MOUNT_ATTR_RDONLY
        | Attributes::MOUNT_ATTR_NOSUID
        | Attributes::MOUNT_ATTR_NODEV
        | Attributes::MOUNT_ATTR_NOEXEC;
    let options = [FsOption::Value("mode", "000"), FsOption::Value("size", "4k")];
    let empty = mount::create("tmpfs", &options, attributes).doing("make an empty tmpfs")?;
    let mut attached = false;
    for path in paths {
        let doing = || format!("mask {path}");
        let Some(target) = open(Path::new(path)).doing(doing())? else { continue };
        let is_directory = in_root::is_directory(target.as_fd());
        if is_directory && !attached {
            // A mount that was never attached would be slow to close, and could not be copied
            // before Linux 6.15.
            mount::attach(empty.as_fd(), target.as_fd()).doing(doing())?;
            attached = true;
            continue;
        }
        let cover = if is_directory { &empty } else { &null };
        let copy = mount::copy(cover.as_fd(), Path::new(""), false).doing(doing())?;
        mount::attach(copy.as_fd(), target.as_fd()).doing(doing())?;
    }
    Ok(())
}

/// Covers each path with a read-only view of itself. Runs after `pivot_root`.
pub(super) fn make_read_only<'a>(paths: impl Iterator<Item = &'a String>) -> Result<(), Failure> {
    for path in paths {
        let doing = || format!("make {path} read-only");
        let Some(target) = open(Path::new(path)).doing(doing())? else { continue };
        let copy = mount::copy(target.as_fd(), Path::new(""), true).doing(doing())?;
        mount::restrict(copy.as_fd(), Attributes::MOUNT_ATTR_RDONLY, true).doing(doing())?;
        mount::attach(copy.as_fd(), target.as_fd()).doing(doing())?;
    }
    Ok(())
}

fn open(path: &Path) -> sys::Result<Option<std::os::fd::OwnedFd>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(Error::new("open", path.display().to_string(), errno)),
    }
}
