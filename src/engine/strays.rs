//! What is where tank keeps its things and the state knows nothing of. It is never trusted, taken
//! over or removed: whoever put it there may need it.

use std::collections::BTreeSet;
use std::path::Path;

use super::Engine;
use super::error::Result;

impl Engine {
    /// The directories and cgroups of this root that belong to no pod or instance of the state.
    pub fn strays(&self) -> Result<Vec<String>> {
        let directories = &self.directories;
        let pods = directories.run.join("pods");
        // What is found first and known later is what a pass has just made.
        let mut found = Vec::new();
        for parent in [directories.containers(), directories.run_containers(), pods] {
            found.extend(entries(&parent));
        }
        let pods = self.cgroups.group(&self.cgroups.pods())?;
        for dir in pods.directories() {
            for pod in entries(&dir) {
                let has_file = |path: &String| Path::new(path).is_dir();
                found.extend(entries(Path::new(&pod)).into_iter().filter(has_file));
                found.push(pod);
            }
        }
        let known = self.store.read(|state| {
            let mut known = BTreeSet::new();
            known.extend(state.pods()?.into_iter().map(|desired| desired.pod.name.to_string()));
            for instance in state.live_instances()? {
                known.extend([instance.pod.to_string(), instance.id.to_string()]);
            }
            Ok(known)
        })?;
        let is_known = |path: &String| {
            let name = Path::new(path).file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| known.contains(name))
        };
        // What went meanwhile was a pass's.
        found.retain(|path| !is_known(path) && Path::new(path).exists());
        found.retain(|path| Path::new(path).is_dir() || !path.starts_with("/sys/fs/cgroup"));
        found.sort();
        Ok(found)
    }
}

/// The paths of what is in a directory; none if it cannot be read.
fn entries(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().display().to_string()).collect()
}
