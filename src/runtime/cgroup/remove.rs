//! Removing a group, with whatever is in it.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use super::group::children;
use super::{Error, Group, GroupPath, Result, file};
use crate::sys::{clock, pidfd};

/// The longest wait before looking again whether something joined the group meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Group {
    /// Kills what is in the group and removes it with all groups inside it. One that is already
    /// gone, wholly or in part, is fine.
    ///
    /// If processes have not ended by `deadline` the group stays, in part, and the error
    /// ([`Error::Stuck`]) names them; calling again goes on where this left off.
    pub fn remove(&self, deadline: Instant) -> Result<()> {
        let mut pause = Duration::from_millis(1);
        loop {
            if self.remove_all_dirs()? {
                return Ok(());
            }
            self.kill()?;
            let processes = self.processes()?;
            let left = deadline.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                return Err(self.stuck(processes));
            }
            if processes.is_empty() {
                // Dying tasks hold the group a little longer than they are listed; nothing tells
                // when they let go.
                wait(None, PollFlags::empty(), left.min(pause))?;
                pause = LOOK_AGAIN.min(pause * 2);
            } else {
                self.await_end(&processes, left.min(LOOK_AGAIN))?;
            }
        }
    }

    /// Kills what is in the group and waits until that is gone, at most until `deadline`.
    pub fn clear(&self, deadline: Instant) -> Result<()> {
        loop {
            self.kill()?;
            let processes = self.processes()?;
            if processes.is_empty() {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                return Err(self.stuck(processes));
            }
            self.await_end(&processes, left.min(LOOK_AGAIN))?;
        }
    }

    /// Removes the group's directories that nothing is in, and leaves the others.
    pub fn remove_if_empty(&self) {
        for dir in self.own_dirs() {
            // In use, or not there: both are fine.
            std::fs::remove_dir(dir).ok();
        }
    }

    /// Removes the groups around this one, the innermost first, that are empty; `keep` and what
    /// is around it stay. Those that cannot be removed, because something else is in them, are
    /// left as they are.
    pub fn remove_empty_parents(&self, keep: &GroupPath) {
        for place in &self.places {
            let outer: Vec<GroupPath> =
                keep.ancestors().chain(std::iter::once(keep.clone())).collect();
            let mut parents = place.path.ancestors().take_while(|path| !outer.contains(path));
            parents.all(|path| std::fs::remove_dir(place.hierarchy.mount.join(path)).is_ok());
        }
    }

    /// Removes the group in every hierarchy; `false` if it is in use in one of them.
    fn remove_all_dirs(&self) -> Result<bool> {
        let mut result = Ok(true);
        for dir in self.own_dirs() {
            match remove_dirs(&dir) {
                Ok(()) => {}
                Err(error) if error.is(libc::EBUSY) => result = result.map(|_| false),
                Err(error) => result = result.and(Err(error)),
            }
        }
        result
    }

    /// Waits until the processes, which were killed, have left the group, or the time is over.
    fn await_end(&self, processes: &[i32], patience: Duration) -> Result<()> {
        let end = clock::monotonic() + patience;
        if let Some(dir) = self.unified() {
            return await_unpopulated(&dir, end);
        }
        for pid in processes {
            let Ok(process) = pidfd::open(*pid) else { continue };
            let left = end.saturating_duration_since(clock::monotonic());
            wait(Some(process.as_fd()), PollFlags::IN, left)?;
        }
        Ok(())
    }

    fn stuck(&self, processes: Vec<i32>) -> Error {
        let uninterruptible = processes.iter().any(|pid| is_uninterruptible(*pid));
        Error::Stuck { group: self.path.clone(), processes, uninterruptible }
    }
}

/// Removes the group at `dir` and all groups inside it; `EBUSY` if one of them has processes.
pub(super) fn remove_dirs(dir: &Path) -> Result<()> {
    match std::fs::remove_dir(dir) {
        Ok(()) => return Ok(()),
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) if source.raw_os_error() == Some(libc::EBUSY) => {}
        Err(source) => return Err(Error::file("remove", dir, source)),
    }
    for child in children(dir)? {
        remove_dirs(&child)?;
    }
    match std::fs::remove_dir(dir) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(Error::file("remove", dir, source))
        }
        _ => Ok(()),
    }
}

/// Waits until no live process is in the cgroup2 group at `dir` nor below it.
///
/// A read of `cgroup.events` arms poll(2), which reports a later change as `POLLPRI`.
fn await_unpopulated(dir: &Path, end: Instant) -> Result<()> {
    let path = dir.join("cgroup.events");
    let mut events = match File::open(&path) {
        Ok(events) => events,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::file("open", &path, source)),
    };
    loop {
        let mut text = String::new();
        let read = events.rewind().and_then(|()| events.read_to_string(&mut text));
        match read.map_err(|source| Error::file("read", &path, source)) {
            Err(error) if error.is_gone() => return Ok(()),
            result => result?,
        };
        let left = end.saturating_duration_since(clock::monotonic());
        if file::field(&text, "populated") != Some(1) || left.is_zero() {
            return Ok(());
        }
        wait(Some(events.as_fd()), PollFlags::PRI, left)?;
    }
}

/// Waits for `events` on a descriptor, or for none at all, at most for `patience`.
fn wait(fd: Option<BorrowedFd<'_>>, events: PollFlags, patience: Duration) -> Result<()> {
    let mut fds: Vec<PollFd<'_>> =
        fd.iter().map(|fd| PollFd::from_borrowed_fd(*fd, events)).collect();
    let timeout = Timespec::try_from(patience).ok();
    match poll(&mut fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(Error::System(crate::sys::Error::new("poll", "a cgroup", errno))),
    }
}

/// Whether the process is in state D: proc_pid_stat(5).
fn is_uninterruptible(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('D'))
}
