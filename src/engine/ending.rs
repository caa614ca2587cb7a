//! Waiting for an instance to end: first politely, then not, and then for its monitor's word.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::error::{Error, Result};
use super::place::InstancePlace;
use crate::model::{Exit, ExitReason, Instance, ProcessIdentity};
use crate::runtime::record::Status;
use crate::runtime::{end, observe};
use crate::sys::{self, pidfd};

/// How long a killed process may take to be gone. Longer means uninterruptible sleep.
const KILLED: Duration = Duration::from_secs(10);

/// How long a monitor may take to write the exit record.
const RECORD: Duration = Duration::from_secs(5);

/// A monitor that let go of its lock may live on as another program, so the end of its process is
/// only a hint; the lock is looked at this often.
const LOOK: Duration = Duration::from_millis(5);

/// An instance on its way out.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) instance: Instance,
    place: InstancePlace,
    signal: i32,
    grace: Duration,
    process: Option<OwnedFd>,
    monitor: Option<OwnedFd>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// It was asked to end; it is killed at this moment.
    Asked(Instant),
    /// It was killed; it is given up on at this moment.
    Killed(Instant),
    /// It ended; its monitor is killed at this moment.
    Recording(Instant),
    /// Its monitor was killed; it is given up on at this moment.
    MonitorKilled(Instant),
}

impl Ending {
    /// Asks the instance to end with `signal`; it has `grace` to do so.
    pub(super) fn begin(
        instance: Instance,
        place: InstancePlace,
        signal: i32,
        grace: Duration,
        now: Instant,
    ) -> Result<Self> {
        end::note(place.files())?;
        let stage = Stage::Recording(now + RECORD);
        let (process, monitor) = (None, None);
        let mut ending = Self { instance, place, signal, grace, process, monitor, stage };
        ending.ask(now)?;
        Ok(ending)
    }

    /// Sends the signal, once it is known whom to.
    fn ask(&mut self, now: Instant) -> Result<()> {
        self.monitor = self.instance.monitor.and_then(open);
        if let Some(process) = self.instance.process {
            self.process = end::ask(process, self.signal)?;
        }
        if self.process.is_some() {
            self.stage = Stage::Asked(now + self.grace);
        }
        Ok(())
    }

    /// An instance may be found while its monitor, whose command died, is still starting it: its
    /// first process is told of when it is there.
    fn identify(&mut self, now: Instant) -> Result<()> {
        if let Some(status) = Status::read(&self.place.files().status()) {
            self.instance.monitor = Some(status.monitor);
            self.instance.process = Some(status.process);
            self.instance.started_at = Some(status.started_at);
            self.ask(now)?;
        }
        Ok(())
    }

    /// What is readable when it is worth to call [`turn`](Self::turn).
    pub(super) fn event(&self) -> Option<BorrowedFd<'_>> {
        self.process.as_ref().or(self.monitor.as_ref()).map(AsFd::as_fd)
    }

    /// When to call [`turn`](Self::turn) even without an event.
    pub(super) fn deadline(&self, now: Instant) -> Instant {
        match self.stage {
            Stage::Asked(at) | Stage::Killed(at) => at,
            Stage::Recording(at) | Stage::MonitorKilled(at) => at.min(now + LOOK),
        }
    }

    /// Goes on as far as possible; returns how the instance ended once that is known.
    pub(super) fn turn(&mut self, now: Instant) -> Result<Option<Exit>> {
        if let Some(process) = &self.process {
            if !pidfd::await_end(process.as_fd(), Some(Duration::ZERO))? {
                return self.insist(now).map(|()| None);
            }
            self.process = None;
            self.stage = Stage::Recording(now + RECORD);
        }
        let Some(monitor) = observe::monitor(self.place.files())? else {
            return Ok(Some(self.exit()));
        };
        if self.instance.process.is_none() {
            self.identify(now)?;
        }
        match self.stage {
            Stage::Recording(at) if now >= at => {
                self.kill_monitor(monitor)?;
                self.stage = Stage::MonitorKilled(now + KILLED);
                Ok(None)
            }
            Stage::MonitorKilled(at) if now >= at => {
                Err(self.stuck("its monitor is in uninterruptible sleep"))
            }
            _ => Ok(None),
        }
    }

    /// Kills the monitor; `pid` is the one that has the lock, for one that never said who it is.
    fn kill_monitor(&mut self, pid: i32) -> Result<()> {
        if self.monitor.is_none() {
            let monitor = pidfd::open(pid).ok();
            let still = observe::monitor(self.place.files())? == Some(pid);
            self.monitor = monitor.filter(|_| still);
        }
        if let Some(monitor) = &self.monitor {
            pidfd::send(monitor, libc::SIGKILL)?;
        }
        Ok(())
    }

    /// The program has not ended: kills it when its time is up.
    fn insist(&mut self, now: Instant) -> Result<()> {
        match (self.stage, &self.process) {
            (Stage::Asked(at), Some(process)) if now >= at => {
                end::kill(process)?;
                self.stage = Stage::Killed(now + KILLED);
                Ok(())
            }
            (Stage::Killed(at), _) if now >= at => {
                Err(self.stuck("its first process is in uninterruptible sleep"))
            }
            _ => Ok(()),
        }
    }

    fn stuck(&self, detail: &str) -> Error {
        Error::Stuck { container: self.instance.container.clone(), detail: detail.to_owned() }
    }

    fn exit(&self) -> Exit {
        match observe::exit_record(self.place.files()) {
            Some(record) => record.exit,
            None => Exit {
                finished_at: Some(sys::clock::moment()),
                ..Exit::unknown(ExitReason::Unknown)
            },
        }
    }
}

fn open(process: ProcessIdentity) -> Option<OwnedFd> {
    pidfd::open_started(process.pid, process.start_time).ok()
}
