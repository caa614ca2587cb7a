//! Ending an instance and taking away what is left of it.

use std::os::fd::OwnedFd;
use std::time::Duration;

use super::cgroup::Group;
use super::directories::InstanceFiles;
use super::error::{Error, Result};
use super::observe::{self, is_no_lock};
use super::record::Stopping;
use crate::model::ProcessIdentity;
use crate::sys::file::{self, Durability};
use crate::sys::{self, clock, lock, pidfd};

/// How long the processes of a killed cgroup may take to be gone.
const REMOVAL: Duration = Duration::from_secs(10);

/// Notes that this process is about to end the instance on purpose, so that its monitor does not
/// start a pass. The note counts for as long as this process lives, which is to wait for the end.
/// On a full disk there is room for a note that does not say whose it is: that counts for ever.
pub fn note(files: InstanceFiles<'_>) -> sys::Result<()> {
    if !files.run.is_dir() {
        return Ok(());
    }
    let asker = observe::identity(rustix::process::getpid().as_raw_pid())?;
    match (Stopping { asker }).write(&files.stopping()) {
        Err(e) if e.is(libc::ENOSPC) || e.is(libc::EDQUOT) => {
            file::replace(&files.stopping(), b"", 0o600, Durability::Volatile)
        }
        written => written,
    }
}

/// Sends `signal` to an instance's first process. Returns a descriptor that is readable once it
/// ended, or `None` if it is gone already.
pub fn ask(process: ProcessIdentity, signal: i32) -> sys::Result<Option<OwnedFd>> {
    let pidfd = match pidfd::open_started(process.pid, process.start_time) {
        Ok(pidfd) => pidfd,
        Err(e) if e.is(libc::ESRCH) => return Ok(None),
        Err(e) => return Err(e),
    };
    pidfd::send(&pidfd, signal)?;
    Ok(Some(pidfd))
}

/// Kills the process behind `pidfd`; being pid 1 of its pid namespace it takes all others along. One
/// that is not has a monitor that sees to that.
pub fn kill(pidfd: &OwnedFd) -> sys::Result<()> {
    pidfd::send(pidfd, libc::SIGKILL)
}

/// Kills what is left of the instance and removes its cgroup and directories. What is not there is
/// fine; an instance whose monitor is alive is refused.
pub fn remove(files: InstanceFiles<'_>, group: &Group) -> Result<()> {
    let _lock = lock_out_monitor(files)?;
    group.kill()?;
    group.remove(clock::monotonic() + REMOVAL)?;
    file::remove_tree(files.run)?;
    file::remove_tree(files.directory)?;
    Ok(())
}

/// Takes the monitor's own lock, so that one that was spawned by a pass that died since, and has
/// not got to it yet, gives up. The lock file goes with its directory.
fn lock_out_monitor(files: InstanceFiles<'_>) -> Result<Option<std::fs::File>> {
    let lock = match file::open_or_create(&files.lock(), 0o600) {
        Ok(lock) => lock,
        Err(e) if is_no_lock(&e) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    if lock::hold_record(&lock)? { Ok(Some(lock)) } else { Err(Error::StillRunning) }
}
