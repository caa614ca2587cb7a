//! Waiting for something to become true, always with a deadline.

use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// How often a condition is looked at when the kernel has no event for it.
const POLL: Duration = Duration::from_millis(10);

/// Waits until `condition` yields a value; panics with `what` after `deadline`.
///
/// For things the kernel tells nobody about, such as a line of `tank ps`. For files use
/// [`file`], for processes [`process_ended`].
#[track_caller]
pub(crate) fn until<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "not within {deadline:?}: {what}");
        std::thread::sleep(POLL);
    }
}

/// Waits until `condition` yields a value, looking again whenever something changes in the
/// directory `dir` (inotify(7)); panics with `what` after `deadline`.
#[track_caller]
pub(crate) fn file<T>(
    what: &str,
    dir: &Path,
    deadline: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + deadline;
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)
        .expect("inotify_init1");
    inotify::add_watch(
        &watch,
        dir,
        inotify::WatchFlags::CREATE
            | inotify::WatchFlags::DELETE
            | inotify::WatchFlags::MODIFY
            | inotify::WatchFlags::MOVED_TO,
    )
    .unwrap_or_else(|error| panic!("cannot watch {}: {error}", dir.display()));
    loop {
        if let Some(value) = condition() {
            return value;
        }
        let left = end.saturating_duration_since(Instant::now());
        assert!(readable(&watch, left), "not within {deadline:?}: {what}");
        // The events only say "look again", so they are read away and not looked at.
        let mut buffer = [0; 4096];
        rustix::io::read(&watch, &mut buffer).expect("read inotify");
    }
}

/// Waits until the process has ended (pidfd_open(2)); false when `deadline` comes first.
pub(crate) fn process_ended(pid: u32, deadline: Duration) -> bool {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process id");
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => readable(&pidfd, deadline),
        Err(rustix::io::Errno::SRCH) => true,
        Err(error) => panic!("pidfd_open: {error}"),
    }
}

/// Waits until a descriptor is readable; false when `deadline` comes first.
fn readable(fd: &impl AsFd, deadline: Duration) -> bool {
    let end = Instant::now() + deadline;
    loop {
        let left = Timespec::try_from(end.saturating_duration_since(Instant::now())).unwrap();
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&left)) {
            Ok(ready) => return ready > 0,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("poll: {error}"),
        }
    }
}
