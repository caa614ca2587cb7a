//! The lock under which the database is created and migrated.
//!
//! It is a file of its own: SQLite keeps POSIX locks on the database, and closing any other
//! descriptor of that file in this process would release them.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::error::{Error, Result};
use super::holder;
use crate::sys::{self, clock, file};

/// How often a taken lock is tried again: flock(2) can block, but not for a limited time.
const RETRY: rustix::time::Timespec = rustix::time::Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// Locks `path`, which is created if it is missing, until the file is dropped.
pub(super) fn exclusive(path: &Path, patience: Duration) -> Result<File> {
    let start = clock::monotonic();
    let lock = file::open_or_create(path, 0o600)?;
    loop {
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(lock),
            Err(Errno::WOULDBLOCK | Errno::INTR) => {}
            Err(errno) => {
                return Err(sys::Error::new("flock", path.display().to_string(), errno).into());
            }
        }
        if start.elapsed() >= patience {
            let holder = holder::of_file(path);
            return Err(Error::Locked { path: path.to_owned(), waited: start.elapsed(), holder });
        }
        // Interrupted or not, the lock is tried again.
        let _ = rustix::event::poll(&mut [], Some(&RETRY));
    }
}
