//! Whether a pod's network is as it should be.

use crate::model::pod::{Network, Port};
use crate::model::{ContainerName, DesiredPod};

use super::{ObservedNetwork, ObservedPod};

/// Why a pod that has its sandbox has to be connected anew, if it has to.
pub(super) fn cause(desired: &DesiredPod, observed: &ObservedPod) -> Option<String> {
    if desired.pod.network != Network::Bridge {
        return None;
    }
    let network = &observed.network;
    if !network.connected {
        return Some("it is not on the network yet".to_owned());
    }
    changed_ports(desired, network).or_else(|| network.drift.clone())
}

/// The change of published ports, in the words of the pod file.
fn changed_ports(desired: &DesiredPod, network: &ObservedNetwork) -> Option<String> {
    let mut changes = Vec::new();
    for container in &desired.pod.containers {
        let own = network.ports.iter().filter(|(name, _)| *name == container.name);
        let old: Vec<&Port> = own.map(|(_, port)| port).collect();
        let new: Vec<&Port> = container.ports.iter().collect();
        if old != new {
            let (old, new) = (list(&old), list(&new));
            changes.push(format!("containers[{}].ports: {old} -> {new}", container.name));
        }
    }
    let known = |name: &ContainerName| desired.pod.containers.iter().any(|c| c.name == *name);
    for (name, port) in network.ports.iter().filter(|(name, _)| !known(name)) {
        changes.push(format!("containers[{name}].ports: [{port}] -> absent"));
    }
    (!changes.is_empty()).then(|| changes.join(", "))
}

fn list(ports: &[&Port]) -> String {
    let texts: Vec<String> = ports.iter().map(ToString::to_string).collect();
    format!("[{}]", texts.join(", "))
}

/// The addresses that the pod is to be reached at and is not yet: `0.0.0.0:8080/tcp`.
pub(super) fn exposes(desired: &DesiredPod, observed: &ObservedPod) -> Vec<String> {
    let network = &observed.network;
    let is_open = |port: &Port| network.open && network.ports.iter().any(|(_, old)| old == port);
    let is_new = |port: &&Port| !is_open(port);
    let ports = desired.pod.containers.iter().flat_map(|container| &container.ports);
    ports.filter(is_new).flat_map(Port::exposed).collect()
}
