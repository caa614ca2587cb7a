//! What a monitor is told about the instance it starts, beyond the OCI specification.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::directories::InstanceFiles;
use crate::model::{ContainerName, InstanceId, PodName};
use crate::sys;
use crate::sys::file::{self, Durability};

/// The version of the files and messages between a monitor and the commands.
pub const PROTOCOL: u32 = 1;

/// No launch description or specification is longer.
pub(super) const MAX_DESCRIPTION: u64 = 16 * 1024 * 1024;

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
    /// Whether a reaping init is pid 1.
    pub init: bool,
    /// Whether its standard input is a pipe that those who attach write to.
    #[serde(default)]
    pub stdin: bool,
    /// The named volumes it mounts.
    #[serde(default)]
    pub volumes: Vec<VolumeMount>,
    /// The cgroup of all monitors, relative to the hierarchies' roots.
    pub monitor_cgroup: String,
    /// Its log.
    pub log: LogFile,
    /// What the monitor becomes when the program ended by itself: the path of tank, then arguments.
    pub afterwards: Vec<String>,
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

impl LogFile {
    /// Tells the monitor of an instance other limits, which it takes up when the file next reaches
    /// the size at which it is rotated.
    ///
    /// # Errors
    /// The description cannot be read or written.
    pub fn set_limits(files: InstanceFiles<'_>, max_size: u64, max_files: u32) -> sys::Result<()> {
        let path = files.launch();
        let failed = |e: serde_json::Error| {
            sys::Error::new("parse", path.display().to_string(), std::io::Error::from(e))
        };
        let content = file::read_bounded(&path, MAX_DESCRIPTION)?;
        // What another version says beside this stays as it is.
        let mut launch: Value = serde_json::from_slice(&content).map_err(failed)?;
        let told = launch.clone();
        launch["log"]["max_size"] = max_size.into();
        launch["log"]["max_files"] = max_files.into();
        if launch == told {
            return Ok(());
        }
        let content = serde_json::to_vec(&launch).map_err(failed)?;
        file::replace(&path, &content, 0o600, Durability::Volatile)
    }

    /// What the description `launch` says of the log by now; `None` if that cannot be told. The
    /// description may be that of another version, which says more.
    pub(super) fn read(launch: &Path) -> Option<Self> {
        #[derive(Deserialize)]
        struct Told {
            log: LogFile,
        }
        let content = file::read_bounded(launch, MAX_DESCRIPTION).ok()?;
        serde_json::from_slice(&content).ok().map(|told: Told| told.log)
    }
}

impl Launch {
    /// The files of the instance.
    pub fn files(&self) -> InstanceFiles<'_> {
        InstanceFiles { directory: &self.directory, run: &self.run }
    }
}
