//! One life of a container: what tank remembers of it and how it ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ContainerName, Digest, InstanceId, PodName};

/// A process, named so that it cannot be confused with a later one of the same pid.
///
/// The pair is only meaningful within one boot; [`Instance::boot`] says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The process id in the host's pid namespace.
    pub pid: i32,
    /// Clock ticks after boot at which it started: field 22 of proc_pid_stat(5).
    pub start_time: u64,
}

/// What an instance was last seen doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its row exists; its program was not seen running yet.
    Created,
    /// Its monitor holds its lock.
    Running,
    /// It ended with exit code 0, or because it was told to stop.
    Stopped,
    /// It ended in any other way, or never started.
    Failed,
    /// It is being taken away.
    Removing,
    /// Nothing of it was found any more.
    Missing,
    /// Its program may be alive but its monitor is gone, or it could not be looked at.
    Unknown,
}

/// Why an instance ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "detail")]
pub enum ExitReason {
    /// The program returned, or a signal ended it.
    Exited,
    /// The kernel killed it for want of memory.
    Oom,
    /// A probe failed, and it was ended for that; the text says which probe and how.
    Probe(String),
    /// tank was asked to stop, replace or delete it.
    Stopped,
    /// It never became the program; the text says which step failed and why.
    StartFailed(String),
    /// The machine was restarted while it ran.
    HostReboot,
    /// Nobody saw it end (its monitor was killed).
    Unknown,
}

/// How an instance ended. Unknown parts are `None`, never 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code, when the program returned one; 126 or 127 when it could not be executed.
    pub code: Option<i32>,
    /// The number of the signal that ended it.
    pub signal: Option<i32>,
    /// Whether the kernel killed a process of it for want of memory.
    pub oom: bool,
    /// Why it ended.
    pub reason: ExitReason,
    /// When it ended, as far as it is known.
    pub finished_at: Option<Timestamp>,
}

impl Exit {
    /// An end that nobody saw.
    pub fn unknown(reason: ExitReason) -> Self {
        Self { code: None, signal: None, oom: false, reason, finished_at: None }
    }

    /// Whether the program returned 0 by itself.
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }
}

/// One life of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its identifier; the name of its directories and cgroup.
    pub id: InstanceId,
    /// The pod it belongs to.
    pub pod: PodName,
    /// The container it is a life of.
    pub container: ContainerName,
    /// The generation of the pod whose spec it runs (updated when live changes were applied).
    pub generation: u64,
    /// Counts the lives of the container, from 1.
    pub attempt: u32,
    /// How many ends in a row preceded it without ten good minutes between; drives the back-off.
    pub streak: u32,
    /// What it was last seen doing.
    pub state: State,
    /// The boot it was started in: the text of `/proc/sys/kernel/random/boot_id`.
    pub boot: String,
    /// Its monitor.
    pub monitor: Option<ProcessIdentity>,
    /// Its first process: pid 1 of its pid namespace, unless its pod has one for all.
    pub process: Option<ProcessIdentity>,
    /// The digest of the image's manifest, if it runs from an image.
    pub image: Option<Digest>,
    /// When its row was written.
    pub created_at: Timestamp,
    /// When its program was executed.
    pub started_at: Option<Timestamp>,
    /// How it ended.
    pub exit: Option<Exit>,
    /// Whether its directories and cgroup are gone; the row is kept as history.
    pub removed: bool,
    /// Harmless things the host refused (a limit that could not be raised), for `describe`.
    pub notes: Vec<String>,
}
