//! Locks on files: flock(2) for work that must not overlap, and record locks of fcntl(2) that
//! say who is alive.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::{Error, Result};

/// Opens the file of a lock, which has to be there; a link is refused.
pub fn open(path: &Path) -> Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDWR;
    rustix::fs::open(path, flags, Mode::empty())
        .map(File::from)
        .map_err(|errno| Error::new("open", path.display().to_string(), errno))
}

/// Tries to take the file's exclusive flock; `false` when another open file has it. It is held
/// until `file` and every copy of its descriptor are closed.
pub fn try_exclusive(file: &File) -> Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(Error::new("flock", "", errno)),
    }
}

/// Takes the file's exclusive flock, waiting for whoever has it.
pub fn exclusive(file: &File) -> Result<()> {
    use rustix::fs::{FlockOperation, flock};
    rustix::io::retry_on_intr(|| flock(file, FlockOperation::LockExclusive))
        .map_err(|errno| Error::new("flock", "", errno))
}

/// Takes the file's flock together with others who do, waiting for whoever has it alone.
pub fn shared(file: &File) -> Result<()> {
    use rustix::fs::{FlockOperation, flock};
    rustix::io::retry_on_intr(|| flock(file, FlockOperation::LockShared))
        .map_err(|errno| Error::new("flock", "", errno))
}

fn record(kind: i32) -> libc::flock {
    // SAFETY: struct flock is plain integers; all zeroes means the whole file.
    let mut record: libc::flock = unsafe { std::mem::zeroed() };
    record.l_type = i16::try_from(kind).unwrap_or_default();
    record.l_whence = i16::try_from(libc::SEEK_SET).unwrap_or_default();
    record
}

/// Takes the file's record lock for this process; `false` when another process has it. It is
/// held until this process ends, executes another program (the descriptor is close-on-exec), or
/// closes any descriptor of the file. A child made by fork does not have it.
pub fn hold_record(file: &File) -> Result<bool> {
    let record = record(libc::F_WRLCK);
    // SAFETY: the descriptor is open and the record is valid for the call.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const record) } == 0 {
        return Ok(true);
    }
    let e = std::io::Error::last_os_error();
    match e.raw_os_error() {
        Some(libc::EAGAIN | libc::EACCES) => Ok(false),
        _ => Err(Error::new("fcntl", "F_SETLK", e)),
    }
}

/// The pid of the process that holds the file's record lock, as the kernel says, if any does.
/// Never take it on a file that this process itself has locked: closing `file` would release it.
pub fn record_holder(file: &File) -> Result<Option<i32>> {
    let mut record = record(libc::F_WRLCK);
    // SAFETY: the descriptor is open and the record is valid for the call, which fills it in.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &raw mut record) } == -1 {
        return Err(Error::new("fcntl", "F_GETLK", std::io::Error::last_os_error()));
    }
    let free = i32::from(record.l_type) == libc::F_UNLCK;
    Ok((!free).then_some(record.l_pid))
}
