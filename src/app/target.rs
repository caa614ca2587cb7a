//! A container as the command line names it, found among the desired pods.

use super::error::{Error, Kind};
use super::{App, no_pod};
use crate::model::{ContainerName, ContainerRef};

impl App {
    /// The container that `target` means: the named one, or the pod's first.
    pub(super) fn container(&self, target: &ContainerRef) -> Result<ContainerName, Error> {
        let pod = self
            .engine()?
            .store
            .read(|state| state.pod(&target.pod))
            .map_err(|e| Error::of_engine("cannot read the pod", e.into()))?
            .ok_or_else(|| no_pod(&target.pod))?
            .pod;
        let mut names = pod.containers.iter().map(|container| &container.name);
        let found = match &target.container {
            None => names.next(),
            Some(name) => names.find(|other| *other == name),
        };
        found.cloned().ok_or_else(|| {
            let names: Vec<_> = pod.containers.iter().map(|c| c.name.as_str()).collect();
            Error::new(Kind::NotFound, format!("cannot find container {target}")).hint(format!(
                "pod {} has {}",
                target.pod,
                names.join(", ")
            ))
        })
    }
}
