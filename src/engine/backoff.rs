//! Waiting out restart delays, for as long as there is something to restart.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::inotify;
use rustix::io::Errno;

use super::Engine;
use super::error::Result;
use super::observe::Snapshot;
use crate::model::PodName;
use crate::plan::plan;
use crate::sys::{self, clock, poll};

/// How long to wait at most where nothing can be watched.
const LOOK: Duration = Duration::from_secs(5);

/// What tells that something was taken away.
enum Watch {
    /// This becomes readable.
    Events(OwnedFd),
    /// Nobody: the kernel has no more to give to this user (inotify(7)).
    Nobody,
    /// It is gone already.
    Gone,
}

impl Engine {
    /// Waits until there is something to do for the pods, or nothing to wait for any more: a pod
    /// that is deleted, or started by somebody else, keeps nobody waiting for its restart. What a
    /// pass has just `tried` besides a restart is no reason not to wait for that.
    pub fn wait_out_delays(&self, only: Option<&BTreeSet<PodName>>, tried: bool) -> Result<()> {
        loop {
            let mut snapshot = self.snapshot(only)?;
            self.look_closer(&mut snapshot)?;
            let now = clock::now();
            let plan = plan(&snapshot.desired, &snapshot.observed, now);
            let waits = tried || plan.lanes.is_empty();
            let Some(wake) = plan.wake.filter(|_| waits) else { return Ok(()) };
            let delay = Duration::try_from(wake.duration_since(now)).unwrap_or_default();
            match self.watch(&snapshot)? {
                Watch::Events(events) => {
                    let events = PollFd::from_borrowed_fd(events.as_fd(), PollFlags::IN);
                    poll::wait(&mut [events], Some(delay))?;
                }
                Watch::Nobody => drop(poll::wait(&mut [], Some(delay.min(LOOK)))?),
                Watch::Gone => return Ok(()),
            }
        }
    }

    /// Watches for what an instance left to be taken away, which is what both a delete and a start
    /// begin with. What is taken away between the look and the watch is gone for the watch too.
    fn watch(&self, snapshot: &Snapshot) -> Result<Watch> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let watch = match inotify::init(flags) {
            Ok(watch) => watch,
            Err(Errno::MFILE | Errno::NFILE) => return Ok(Watch::Nobody),
            Err(errno) => return Err(sys::Error::new("inotify_init1", "", errno).into()),
        };
        let pods = snapshot.observed.pods.values();
        for seen in pods.flat_map(|pod| &pod.instances).filter(|seen| seen.leftovers) {
            let directory = self.directories.run_container(&seen.instance.id);
            let events = inotify::WatchFlags::DELETE_SELF | inotify::WatchFlags::ONLYDIR;
            match inotify::add_watch(&watch, &directory, events) {
                Ok(_) => {}
                Err(Errno::NOENT) => return Ok(Watch::Gone),
                Err(Errno::NOSPC) => return Ok(Watch::Nobody),
                Err(errno) => {
                    let on = directory.display().to_string();
                    return Err(sys::Error::new("inotify_add_watch", on, errno).into());
                }
            }
        }
        Ok(Watch::Events(watch))
    }
}
