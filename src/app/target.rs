//! A container as the command line names it, found among the desired pods.

use std::fmt;

use super::App;
use super::error::{Error, Kind};
use crate::model::{ContainerName, ContainerRef, PodName};

/// A desired container. It displays as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its pod.
    pub pod: PodName,
    /// Its name.
    pub container: ContainerName,
    /// The other containers that may have been meant, because only the pod was named.
    pub others: Vec<ContainerName>,
    was_named: bool,
}

impl App {
    /// The container that `named` means: the named one, or the pod's first.
    ///
    /// # Errors
    /// There is no such pod or container; then with those that there are.
    pub fn target(&self, named: &ContainerRef) -> Result<Target, Error> {
        let pod = self.desired(&named.pod)?.pod;
        let all = pod.containers.iter().chain(&pod.init_containers);
        let mut names: Vec<_> = all.map(|container| container.name.clone()).collect();
        let place = match &named.container {
            None => (!names.is_empty()).then_some(0),
            Some(name) => names.iter().position(|other| other == name),
        };
        let Some(place) = place else {
            let names: Vec<_> = names.iter().map(ContainerName::as_str).collect();
            let hint = format!("pod {} has {}", named.pod, names.join(", "));
            let message = format!("cannot find container {named}");
            return Err(Error::new(Kind::NotFound, message).hint(hint));
        };
        let container = names.remove(place);
        // Init containers are hardly ever meant.
        names.truncate(pod.containers.len().saturating_sub(1));
        let was_named = named.container.is_some();
        let others = if was_named { Vec::new() } else { names };
        Ok(Target { pod: named.pod.clone(), container, others, was_named })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.was_named || !self.others.is_empty() {
            true => write!(f, "{}/{}", self.pod, self.container),
            false => write!(f, "{}", self.pod),
        }
    }
}
