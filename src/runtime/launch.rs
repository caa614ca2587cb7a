//! What a monitor is told about the instance it starts, beyond the OCI specification.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::directories::InstanceFiles;
use crate::model::pod::Probe;
use crate::model::{ContainerName, InstanceId, PodName, ProbeKind};
use crate::sys;
use crate::sys::file::{self, Durability};

/// The version of the files and messages between a monitor and the commands.
pub const PROTOCOL: u32 = 1;

/// No launch description or specification is longer.
pub(super) const MAX_DESCRIPTION: u64 = 16 * 1024 * 1024;

/// Reads what was written for a monitor: a [`Launch`], or the specification beside it.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> sys::Result<T> {
    let content = file::read_bounded(path, MAX_DESCRIPTION)?;
    serde_json::from_slice(&content)
        .map_err(|e| sys::Error::new("parse", path.display().to_string(), std::io::Error::from(e)))
}

/// What a monitor is told. It is also what `exec` needs to know of a running instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// [`PROTOCOL`] of the command that wrote it.
    pub version: u32,
    /// The instance.
    pub id: InstanceId,
    /// Its pod.
    pub pod: PodName,
    /// Its container.
    pub container: ContainerName,
    /// The directory of its files.
    pub directory: PathBuf,
    /// The directory of its run state.
    pub run: PathBuf,
    /// The read-only layers of its root file system, the topmost first.
    pub layers: Vec<PathBuf>,
    /// The layer whose root directory the container's root directory looks like.
    pub root_like: Option<PathBuf>,
    /// `user[:group]`, resolved inside the root file system; `None` is root.
    pub user: Option<String>,
    /// Whether a missing working directory is made, as image builders expect.
    pub make_working_dir: bool,
    /// Whether the first process is a reaping init.
    pub init: bool,
    /// Whether its standard input is a pipe that those who attach write to.
    #[serde(default)]
    pub stdin: bool,
    /// The named volumes it mounts.
    #[serde(default)]
    pub volumes: Vec<VolumeMount>,
    /// Its cgroup, relative to the hierarchies' roots.
    #[serde(default)]
    pub container_cgroup: String,
    /// The cgroup of all monitors, relative to the hierarchies' roots.
    pub monitor_cgroup: String,
    /// Its log.
    pub log: LogFile,
    /// What the monitor does for the container while it runs.
    #[serde(default)]
    pub care: Care,
    /// What the monitor becomes when the program ended by itself: the path of tank, then arguments.
    pub afterwards: Vec<String>,
    /// What it starts when the container becomes ready: others may have waited for that.
    #[serde(default)]
    pub when_ready: Vec<String>,
}

/// What a monitor does for its container while it runs. It may be told anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Care {
    /// The generation of the pod that says so.
    pub generation: u64,
    /// Holds back the other two until it has passed once.
    pub startup: Option<Probe>,
    /// Says whether the container can serve.
    pub readiness: Option<Probe>,
    /// Ends the container when it fails.
    pub liveness: Option<Probe>,
    /// The signal that asks the container to end.
    pub stop_signal: i32,
    /// How long it may take to do so before it is killed.
    pub stop_timeout: Duration,
}

impl Default for Care {
    fn default() -> Self {
        Self {
            generation: 0,
            startup: None,
            readiness: None,
            liveness: None,
            stop_signal: libc::SIGTERM,
            stop_timeout: Duration::from_secs(30),
        }
    }
}

impl Care {
    /// One of the probes.
    pub fn probe(&self, kind: ProbeKind) -> Option<&Probe> {
        match kind {
            ProbeKind::Startup => self.startup.as_ref(),
            ProbeKind::Readiness => self.readiness.as_ref(),
            ProbeKind::Liveness => self.liveness.as_ref(),
        }
    }

    /// What the description `launch` says of it by now; `None` if that cannot be told. The
    /// description may be that of another version, which says more.
    pub(super) fn read(launch: &Path) -> Option<Self> {
        #[derive(Deserialize)]
        struct Told {
            care: Care,
        }
        read(launch).ok().map(|told: Told| told.care)
    }
}

/// A named volume that appears in the container. A new one begins with what the image has there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeMount {
    /// The directory of the volume; see [`super::volume`].
    pub directory: PathBuf,
    /// Where it appears.
    pub target: PathBuf,
}

/// Where output goes, and how much of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// The file that is written; see [`super::log`] for those beside it.
    pub path: PathBuf,
    /// The size in bytes at which it is rotated.
    pub max_size: u64,
    /// How many files there may be, the live one included.
    pub max_files: u32,
}

/// What the monitor of a running instance may be told anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The size in bytes at which the log is rotated, and how many files there may be; `None` leaves
    /// them. The monitor takes them up when the file next reaches that size.
    pub log: Option<(u64, u32)>,
    /// What it does for the container. The monitor has to be told to look.
    pub care: Care,
}

impl Change {
    /// Writes it into the description of an instance; says whether the monitor is one that looks when
    /// it is told to. One of a version that knows nothing of care is told nothing of it.
    ///
    /// # Errors
    /// The description cannot be read or written.
    pub fn write(&self, files: InstanceFiles<'_>) -> sys::Result<bool> {
        let path = files.launch();
        let failed = |e: serde_json::Error| {
            sys::Error::new("parse", path.display().to_string(), std::io::Error::from(e))
        };
        // What another version says beside this stays as it is.
        let mut launch: Value = read(&path)?;
        let told = launch.clone();
        if let Some((max_size, max_files)) = self.log {
            launch["log"]["max_size"] = max_size.into();
            launch["log"]["max_files"] = max_files.into();
        }
        let looks = told.get("care").is_some();
        if looks {
            launch["care"] = serde_json::to_value(&self.care).map_err(failed)?;
        }
        if launch != told {
            let content = serde_json::to_vec(&launch).map_err(failed)?;
            file::replace(&path, &content, 0o600, Durability::Volatile)?;
        }
        Ok(looks)
    }
}

impl LogFile {
    /// What the description `launch` says of the log by now; `None` if that cannot be told. The
    /// description may be that of another version, which says more.
    pub(super) fn read(launch: &Path) -> Option<Self> {
        #[derive(Deserialize)]
        struct Told {
            log: LogFile,
        }
        read(launch).ok().map(|told: Told| told.log)
    }
}

impl Launch {
    /// The files of the instance.
    pub fn files(&self) -> InstanceFiles<'_> {
        InstanceFiles { directory: &self.directory, run: &self.run }
    }
}
