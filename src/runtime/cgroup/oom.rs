//! Noticing that the kernel killed a process of a group for want of memory.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::inotify;

use super::group::Home;
use super::hierarchy::Controller;
use super::{Error, Group, Result, file};
use crate::sys;

/// Watches for kills by the kernel's OOM killer in one group.
///
/// Its descriptor becomes readable when the group has run out of memory; that may be shortly
/// before the count goes up (v1), and may happen without a kill, so that only [`count`](Self::count)
/// tells. The descriptor stays readable until the count is read.
#[derive(Debug)]
pub struct OomWatch {
    /// An inotify instance (v2) or an eventfd (v1).
    events: OwnedFd,
    /// `memory.events` or `memory.oom_control`.
    counter: File,
    path: PathBuf,
}

impl Group {
    /// Starts to watch the group; `None` if no memory controller counts for it.
    pub fn oom_watch(&self) -> Result<Option<OomWatch>> {
        match self.home(Controller::Memory)? {
            None => Ok(None),
            Some(Home::V2(dir)) => watch_v2(&dir).map(Some),
            Some(Home::V1(dir)) => watch_v1(&dir).map(Some),
        }
    }
}

fn watch_v2(dir: &Path) -> Result<OomWatch> {
    let path = dir.join("memory.events");
    let failed = |errno| Error::file("watch", &path, errno);
    let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
    let events = inotify::init(flags).map_err(failed)?;
    inotify::add_watch(&events, &path, inotify::WatchFlags::MODIFY).map_err(failed)?;
    Ok(OomWatch { events, counter: open(&path)?, path })
}

/// Registers an eventfd: `admin-guide/cgroup-v1/memory.rst`, 9 and 10.
fn watch_v1(dir: &Path) -> Result<OomWatch> {
    let path = dir.join("memory.oom_control");
    let counter = open(&path)?;
    let events = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
        .map_err(|errno| sys::Error::new("eventfd", "", errno))?;
    let request = format!("{} {}", events.as_raw_fd(), counter.as_raw_fd());
    file::write(dir, "cgroup.event_control", request)?;
    Ok(OomWatch { events, counter, path })
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| Error::file("open", path, source))
}

impl OomWatch {
    /// How many processes of the group the OOM killer has killed since the group was made.
    ///
    /// Fails with `ENODEV` once the group is removed: read it before.
    pub fn count(&self) -> Result<u64> {
        self.drain()?;
        let mut text = [0; 1024];
        let length = self
            .counter
            .read_at(&mut text, 0)
            .map_err(|source| Error::file("read", &self.path, source))?;
        let text = String::from_utf8_lossy(&text[..length]);
        Ok(file::field(&text, "oom_kill").unwrap_or(0))
    }

    /// Takes the pending events, so that the descriptor reports the next one.
    fn drain(&self) -> Result<()> {
        let mut buffer = [0_u8; 4096];
        loop {
            match rustix::io::read(&self.events, &mut buffer) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(sys::Error::new("read", "OOM events", errno).into()),
            }
        }
    }
}

impl AsFd for OomWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}
