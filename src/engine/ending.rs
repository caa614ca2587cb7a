//! Waiting for an instance to end: first politely, then not, and then for its monitor's word.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::error::{Error, Result};
use super::place::InstancePlace;
use crate::model::{Exit, ExitReason, Instance, ProcessIdentity};
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
        let process = match instance.process {
            Some(process) => end::ask_to_end(place.files(), process, signal)?,
            None => None,
        };
        let monitor = instance.monitor.and_then(open);
        let stage = match process {
            Some(_) => Stage::Asked(now + grace),
            None => Stage::Recording(now + RECORD),
        };
        Ok(Self { instance, place, process, monitor, stage })
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
        if observe::monitor(self.place.files())?.is_none() {
            return Ok(Some(self.exit()));
        }
        match self.stage {
            Stage::Recording(at) if now >= at => {
                if let Some(monitor) = &self.monitor {
                    pidfd::send(monitor, libc::SIGKILL)?;
                }
                self.stage = Stage::MonitorKilled(now + KILLED);
                Ok(None)
            }
            Stage::MonitorKilled(at) if now >= at => {
                Err(self.stuck("its monitor is in uninterruptible sleep"))
            }
            _ => Ok(None),
        }
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
            None => {
                Exit { finished_at: Some(sys::clock::now()), ..Exit::unknown(ExitReason::Unknown) }
            }
        }
    }
}

fn open(process: ProcessIdentity) -> Option<OwnedFd> {
    pidfd::open_started(process.pid, process.start_time).ok()
}
