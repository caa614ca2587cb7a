//! The null device of the root file system that this process lives in.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, major, minor};
use rustix::io::Errno;

use crate::sys::{Error, Result};

const PATH: &str = "/dev/null";

/// Opens `/dev/null` and makes sure that it is that device: who made the root file system, or lives
/// in it, decides what is there.
///
/// # Errors
///
/// Those of open(2), and `ENXIO` if it is anything else.
pub(super) fn open(flags: OFlags) -> Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let failed = |errno| Error::new("open", PATH, errno);
    let fd = rustix::fs::open(PATH, flags, Mode::empty()).map_err(failed)?;
    if is(&fd)? { Ok(fd) } else { Err(failed(Errno::NXIO)) }
}

/// Whether a descriptor is a null device, of whichever file system.
pub(super) fn is(fd: impl AsFd) -> Result<bool> {
    let stat = rustix::fs::fstat(fd).map_err(|errno| Error::new("fstat", PATH, errno))?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
        && (major(stat.st_rdev), minor(stat.st_rdev)) == (1, 3))
}
