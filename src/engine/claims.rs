//! What pods have of the machine's network for themselves: addresses and ports, as the database
//! says. A pod gets them before the first of its steps, or none of its steps is taken.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::error::{Error, Result};
use crate::model::pod::{Network, Port};
use crate::model::{ContainerName, DesiredPod, PodName, RunState};
use crate::net::sockets::{self, Listener};
use crate::net::{Addresses, Layout};
use crate::store::{self, Lease, NetworkRow, PublishedPort, Snapshot, Tx};

/// All that the database says of the network.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims {
    pub(super) network: Option<NetworkRow>,
    leases: BTreeMap<PodName, Addresses>,
    taken: BTreeSet<Ipv4Addr>,
    ports: Vec<PublishedPort>,
}

impl Claims {
    /// Reads it.
    pub(super) fn read(state: &Snapshot<'_>) -> store::Result<Self> {
        let network = state.network()?;
        if network.is_none() {
            return Ok(Self::default());
        }
        let leases = state.leases()?.into_iter().filter_map(|lease| {
            let addresses = Addresses { ipv4: lease.ipv4?, ipv6: lease.ipv6 };
            Some((lease.pod, addresses))
        });
        let leases: BTreeMap<_, _> = leases.collect();
        let taken = leases.values().map(|addresses| addresses.ipv4).collect();
        Ok(Self { network, leases, taken, ports: state.published_ports()? })
    }

    /// Whether any pod has addresses.
    pub(super) fn any(&self) -> bool {
        !self.leases.is_empty()
    }

    /// The addresses of a pod.
    pub(super) fn addresses(&self, pod: &PodName) -> Option<Addresses> {
        self.leases.get(pod).copied()
    }

    /// Every pod that has addresses.
    pub(super) fn pods(&self) -> impl Iterator<Item = (&PodName, Addresses)> {
        self.leases.iter().map(|(pod, addresses)| (pod, *addresses))
    }

    /// The ports that a pod has.
    pub(super) fn ports(&self, pod: &PodName) -> impl Iterator<Item = (&ContainerName, &Port)> {
        let own = self.ports.iter().filter(move |port| port.pod == *pod);
        own.map(|port| (&port.container, &port.port))
    }
}

/// Whether a pod should be on the bridge.
pub(super) fn is_bridged(desired: &DesiredPod) -> bool {
    desired.pod.network == Network::Bridge && desired.run == RunState::Run && !desired.deleting
}

/// The ports of a spec, with their containers.
fn wanted(desired: &DesiredPod) -> impl Iterator<Item = (&ContainerName, &Port)> {
    let containers = desired.pod.containers.iter();
    containers.flat_map(|container| container.ports.iter().map(|port| (&container.name, port)))
}

/// Fails if a program of this machine listens on a port that the pod would newly publish, except
/// one that `owner` knows as the pod's own; of others it says who they are.
pub(super) fn check_listeners(
    claims: &Claims,
    desired: &DesiredPod,
    listeners: &mut Option<Vec<Listener>>,
    owner: impl Fn(&Listener) -> Option<String>,
) -> Result<()> {
    let has = |port: &Port| claims.ports(&desired.pod.name).any(|(_, own)| own == port);
    for (_, port) in wanted(desired).filter(|(_, port)| !has(port)) {
        let all = match listeners {
            Some(all) => all,
            None => listeners.insert(sockets::listeners()?),
        };
        let others = all.iter().filter(|listener| listener.conflicts(port));
        if let Some(owner) = others.filter_map(&owner).next() {
            return Err(Error::PortTaken { port: port.to_string(), owner });
        }
    }
    Ok(())
}

/// Takes back the ports that a pod has and does not want any more, so that another can have them in
/// the same transaction.
pub(super) fn give_up(tx: &Tx<'_>, claims: &mut Claims, desired: &DesiredPod) -> store::Result<()> {
    let pod = &desired.pod.name;
    let is_bridged = desired.pod.network == Network::Bridge;
    let is_kept = |own: &PublishedPort| {
        let is_wanted = || wanted(desired).any(|wanted| wanted == (&own.container, &own.port));
        own.pod != *pod || (is_bridged && is_wanted())
    };
    let before = claims.ports.len();
    claims.ports.retain(is_kept);
    if claims.ports.len() < before {
        tx.put_ports(pod, claims.ports(pod))?;
    }
    Ok(())
}

/// Gives a pod its addresses and its ports. The outer error is the database's, the inner one says
/// what somebody else has.
pub(super) fn claim(
    tx: &Tx<'_>,
    claims: &mut Claims,
    layout: &Layout,
    desired: &DesiredPod,
) -> store::Result<Result<()>> {
    let pod = &desired.pod.name;
    let others = claims.ports.iter().filter(|port| port.pod != *pod);
    for other in others {
        if let Some((_, port)) = wanted(desired).find(|(_, port)| port.conflicts(&other.port)) {
            let owner = format!("pod {}", other.pod);
            return Ok(Err(Error::PortTaken { port: port.to_string(), owner }));
        }
    }
    if !claims.addresses(pod).is_some_and(|addresses| layout.holds(&addresses)) {
        let Some(free) = layout.pool().find(|free| !claims.taken.contains(&free.ipv4)) else {
            let (subnet, pods) = (layout.ipv4.to_string(), claims.leases.len());
            return Ok(Err(Error::NoAddress { subnet, pods }));
        };
        tx.put_lease(&Lease { pod: pod.clone(), ipv4: Some(free.ipv4), ipv6: free.ipv6 })?;
        claims.taken.insert(free.ipv4);
        claims.leases.insert(pod.clone(), free);
    }
    if !wanted(desired).eq(claims.ports(pod)) {
        tx.put_ports(pod, wanted(desired))?;
        claims.ports.retain(|port| port.pod != *pod);
        claims.ports.extend(wanted(desired).map(|(container, port)| PublishedPort {
            pod: pod.clone(),
            container: container.clone(),
            port: port.clone(),
        }));
    }
    Ok(Ok(()))
}

/// Gives a pod that gets nothing new what it had before, as far as nobody else has it by now: what
/// runs of it goes on.
pub(super) fn take_back(
    tx: &Tx<'_>,
    claims: &mut Claims,
    before: &Claims,
    pod: &PodName,
) -> store::Result<()> {
    let is_free = |own: &&PublishedPort| {
        let others = claims.ports.iter().filter(|other| other.pod != *pod);
        own.pod == *pod && !others.into_iter().any(|other| other.port.conflicts(&own.port))
    };
    let own: Vec<_> = before.ports.iter().filter(is_free).cloned().collect();
    tx.put_ports(pod, own.iter().map(|port| (&port.container, &port.port)))?;
    claims.ports.retain(|port| port.pod != *pod);
    claims.ports.extend(own);
    Ok(())
}

/// Takes back what a pod has once its sandbox is gone: its ports, and its addresses if it is not
/// to be on the bridge any more.
pub(super) fn release(
    tx: &Tx<'_>,
    pod: &PodName,
    desired: Option<&DesiredPod>,
) -> store::Result<()> {
    tx.put_ports(pod, std::iter::empty())?;
    if desired.is_none_or(|desired| desired.pod.network != Network::Bridge) {
        tx.release_lease(pod)?;
    }
    Ok(())
}
