//! Processes by descriptor, which unlike a number cannot come to name another one: pidfd_open(2).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal};

use super::{Error, Result};

/// Opens the process that has this number now. Polls as readable once it has ended.
pub fn open(pid: i32) -> Result<OwnedFd> {
    let failed = |errno| Error::new("pidfd_open", pid.to_string(), errno);
    let pid = Pid::from_raw(pid).ok_or(failed(rustix::io::Errno::SRCH))?;
    rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(failed)
}

/// Opens the process that has this number and started at `start_time`; `ESRCH` when the number was
/// handed to another process meanwhile.
pub fn open_started(pid: i32, start_time: u64) -> Result<OwnedFd> {
    let fd = open(pid)?;
    // The order matters: the descriptor pins the process, so a start time that is right now was
    // right when the descriptor was made.
    if super::process::start_time(pid) == Some(start_time) {
        return Ok(fd);
    }
    Err(Error::new("pidfd_open", pid.to_string(), rustix::io::Errno::SRCH))
}

/// Sends a signal: pidfd_send_signal(2). A process that has ended already is fine.
pub fn send(process: impl AsFd, signal: i32) -> Result<()> {
    let result = match Signal::from_named_raw(signal) {
        Some(signal) => rustix::process::pidfd_send_signal(process, signal),
        None => send_number(process.as_fd(), signal),
    };
    match result {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(Error::new("pidfd_send_signal", signal.to_string(), errno)),
    }
}

/// Real-time signals have numbers only.
fn send_number(process: BorrowedFd<'_>, signal: i32) -> rustix::io::Result<()> {
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo is documented; the kernel checks the signal's number.
    let result =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, none, 0) };
    if result == 0 {
        return Ok(());
    }
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL);
    Err(rustix::io::Errno::from_raw_os_error(errno))
}

/// Sends SIGKILL. `ESRCH` if the process has ended.
pub fn kill(process: impl AsFd) -> Result<()> {
    rustix::process::pidfd_send_signal(process, Signal::KILL)
        .map_err(|errno| Error::new("pidfd_send_signal", "SIGKILL", errno))
}

/// Waits until the process ended, at most for `timeout`; says whether it did.
pub fn await_end(process: BorrowedFd<'_>, timeout: Option<Duration>) -> Result<bool> {
    super::poll::readable(process, timeout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process::start_time;

    #[test]
    fn a_pid_with_another_start_time_is_refused() {
        let me = i32::try_from(std::process::id()).unwrap();
        let started = start_time(me).unwrap();
        assert!(open_started(me, started).is_ok());
        assert!(open_started(me, started + 1).unwrap_err().is(libc::ESRCH));
    }
}
