//! Where one root keeps what it shares with the rest of the machine: its directories and the names
//! of its cgroups. Two roots never share any.

use std::path::Path;

use super::error::Result;
use crate::model::fnv::fnv1a;
use crate::model::{InstanceId, PodName};
use crate::runtime::cgroup::{Error as CgroupError, Group, GroupPath, Hierarchies};
use crate::runtime::directories::Directories;

/// The root that needs no name of its own.
const DEFAULT_ROOT: &str = "/var/lib/tank";

/// The cgroups of one root.
#[derive(Debug)]
pub(super) struct Cgroups {
    base: String,
    hierarchies: Hierarchies,
}

impl Cgroups {
    /// Those of the root at `root`, a canonical path.
    pub(super) fn of(root: &Path) -> Result<Self> {
        let hierarchies = Hierarchies::detect()?;
        Ok(Self { base: base_name(root), hierarchies })
    }

    /// What everything is called that the root has on this machine: `tank`, or `tank-HASH`.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The cgroup of all monitors, relative to the hierarchies' roots.
    pub(super) fn monitors(&self) -> String {
        format!("{}/monitors", self.base)
    }

    /// The cgroup of all pods, relative to the hierarchies' roots.
    pub(super) fn pods(&self) -> String {
        format!("{}/pods", self.base)
    }

    /// The cgroup of an instance, relative to the hierarchies' roots.
    pub(super) fn instance(&self, pod: &PodName, id: &InstanceId) -> String {
        format!("{}/pods/{pod}/{id}", self.base)
    }

    /// The cgroup of that name.
    pub(super) fn group(&self, path: &str) -> Result<Group> {
        let path: GroupPath = path.parse().map_err(CgroupError::from)?;
        Ok(self.hierarchies.group(&path))
    }

    /// Removes the cgroups that pods share, as far as they are empty.
    pub(super) fn remove_empty(&self, pod: &PodName) -> Result<()> {
        let paths =
            [format!("{}/pods/{pod}", self.base), format!("{}/pods", self.base), self.monitors()];
        for path in paths.iter().chain([&self.base]) {
            self.group(path)?.remove_if_empty();
        }
        Ok(())
    }
}

/// What everything is called that the root, a canonical path, has on this machine: `tank`, or with
/// a hash of its path where it is not the usual one.
pub fn base_name(root: &Path) -> String {
    if root == Path::new(DEFAULT_ROOT) {
        return "tank".to_owned();
    }
    let hash = fnv1a(root.as_os_str().as_encoded_bytes());
    format!("tank-{hash:016x}")
}

/// The files of one instance below `directories`.
#[derive(Debug)]
pub struct InstancePlace {
    /// [`Directories::container`]
    pub directory: std::path::PathBuf,
    /// [`Directories::run_container`]
    pub run: std::path::PathBuf,
}

impl InstancePlace {
    /// Those of the instance `id`.
    pub fn of(directories: &Directories, id: &InstanceId) -> Self {
        Self { directory: directories.container(id), run: directories.run_container(id) }
    }

    /// Their names.
    pub fn files(&self) -> crate::runtime::directories::InstanceFiles<'_> {
        crate::runtime::directories::InstanceFiles { directory: &self.directory, run: &self.run }
    }
}
