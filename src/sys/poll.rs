//! Waiting for descriptors.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::{Error, Result};

/// Waits until one of `fds` has an event it asks for; `false` when `timeout` passed first.
/// Interruptions by signals are waited through.
pub fn wait(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<bool> {
    let deadline = timeout.and_then(|timeout| super::clock::monotonic().checked_add(timeout));
    loop {
        let left = deadline.map(remaining);
        match rustix::event::poll(fds, left.as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::new("poll", "", errno)),
        }
    }
}

fn remaining(deadline: Instant) -> Timespec {
    let left = deadline.saturating_duration_since(super::clock::monotonic());
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(left.subsec_nanos()),
    }
}

/// Waits until `fd` is readable or hung up; `false` when `timeout` passed first.
pub fn readable(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> Result<bool> {
    wait(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], timeout)
}

/// Waits until one of two is readable or hung up, and says which.
pub fn either(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> Result<(bool, bool)> {
    let mut fds = [one, other].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
    wait(&mut fds, None)?;
    Ok((!fds[0].revents().is_empty(), !fds[1].revents().is_empty()))
}
