//! A group: one directory in each hierarchy.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::hierarchy::{Controller, Hierarchy};
use super::{Error, GroupPath, Result, file};
use crate::sys;

/// A control group by name, whether or not it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub(super) path: GroupPath,
    /// The tracking place first. A nested group has its own directory there only.
    pub(super) places: Vec<Place>,
}

/// Where the processes of a group are in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) hierarchy: Hierarchy,
    pub(super) path: GroupPath,
}

impl Place {
    pub(super) fn dir(&self) -> PathBuf {
        self.hierarchy.mount.join(&self.path)
    }
}

/// The directory whose files control a resource of the group; the files differ by version.
#[derive(Debug)]
pub(super) enum Home {
    V1(PathBuf),
    V2(PathBuf),
}

impl Group {
    pub(super) fn new(hierarchies: &[Hierarchy], path: &GroupPath) -> Self {
        let place =
            |hierarchy: &Hierarchy| Place { hierarchy: hierarchy.clone(), path: path.clone() };
        Self { path: path.clone(), places: hierarchies.iter().map(place).collect() }
    }

    /// The group's name.
    pub fn path(&self) -> &GroupPath {
        &self.path
    }

    /// Its directories, one a hierarchy, whether or not they exist.
    pub fn directories(&self) -> Vec<PathBuf> {
        self.own_dirs().collect()
    }

    /// The directories that are this group's alone.
    pub(super) fn own_dirs(&self) -> impl Iterator<Item = PathBuf> {
        self.places.iter().filter(|place| place.path == self.path).map(Place::dir)
    }

    /// The cgroup2 directory, if the host has that hierarchy; it is the tracking one then.
    pub(super) fn unified(&self) -> Option<PathBuf> {
        self.places.first().filter(|place| place.hierarchy.is_v2()).map(Place::dir)
    }

    /// The directory of the group in the v1 hierarchy with this controller.
    pub(super) fn v1(&self, controller: Controller) -> Option<PathBuf> {
        self.places.iter().find(|place| place.hierarchy.has(controller)).map(Place::dir)
    }

    /// Where a resource of the existing group is controlled; `None` if nowhere.
    pub(super) fn home(&self, controller: Controller) -> Result<Option<Home>> {
        if let Some(dir) = self.v1(controller) {
            return Ok(Some(Home::V1(dir)));
        }
        let Some(dir) = self.unified() else { return Ok(None) };
        let enabled = file::read(&dir, "cgroup.controllers")?;
        let enabled = enabled.split(' ').any(|word| word == controller.name());
        Ok(enabled.then_some(Home::V2(dir)))
    }

    /// Whether the group exists in any hierarchy.
    pub fn exists(&self) -> bool {
        self.own_dirs().any(|dir| dir.exists())
    }

    /// The processes in the group and in all groups inside it, as seen from the caller's pid
    /// namespace, in ascending order. A group that does not exist has none.
    pub fn processes(&self) -> Result<Vec<i32>> {
        let mut pids = Vec::new();
        for dir in self.own_dirs() {
            collect_processes(&dir, &mut pids)?;
        }
        pids.sort_unstable();
        pids.dedup();
        Ok(pids)
    }

    /// Moves the calling process into the group, in each hierarchy where it is not there yet.
    ///
    /// The tracking hierarchy comes first: if a later move fails, the process can be found.
    pub fn join(&self) -> Result<()> {
        let here = file::read(Path::new("/proc/self"), "cgroup")?;
        // "tasks" moves one thread, without the lock that "cgroup.procs" waits for.
        let v1_file = if is_single_threaded() { "tasks" } else { "cgroup.procs" };
        for place in &self.places {
            let name = place.hierarchy.name_of(&place.path);
            if place.hierarchy.position(&here) == Some(name.as_str()) {
                continue;
            }
            let file_name = if place.hierarchy.is_v2() { "cgroup.procs" } else { v1_file };
            file::write(&place.dir(), file_name, 0)?;
        }
        Ok(())
    }

    /// The cgroup2 directory for clone3(2) with `CLONE_INTO_CGROUP`: a process that is born in the
    /// group needs no move. `None` on a host with v1 alone.
    ///
    /// On a hybrid host the child still has to [`join`](Self::join), which then moves it in the v1
    /// hierarchies only; on a v2 host that finds nothing left to do.
    pub fn open_for_clone(&self) -> Result<Option<OwnedFd>> {
        Ok(self.unified().map(|dir| sys::file::open_dir(&dir)).transpose()?)
    }
}

fn is_single_threaded() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
}

/// Adds the processes of the group at `dir`, and below it, to `pids`.
pub(super) fn collect_processes(dir: &Path, pids: &mut Vec<i32>) -> Result<()> {
    // A process of a pid namespace that we cannot see reads as 0.
    let Some(text) = file::read_if_there(dir, "cgroup.procs")? else { return Ok(()) };
    pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()).filter(|pid| *pid > 0));
    for child in children(dir)? {
        collect_processes(&child, pids)?;
    }
    Ok(())
}

/// The groups directly inside the one at `dir`; none if that is gone.
pub(super) fn children(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::file("read", dir, source)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| Error::file("read", dir, source))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
