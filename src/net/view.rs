//! What there is of a root's network on this machine, and how it differs from what it should be.

use std::collections::BTreeMap;
use std::path::Path;

use ipnet::IpNet;

use super::error::{Error, Result};
use super::firewall::{self, is_of_pods, of_pod};
use super::forwarding::{Forwarding, Record};
use super::layout::{Layout, Member};
use super::link::{self, Link};
use super::netlink::Connection;
use super::nft::Nft;
use super::nft::ruleset::{BySet, Family};
use super::nft::seen::{Difference, Seen};
use super::route::{self, Address};

/// `NETLINK_ROUTE`
pub(super) const NETLINK_ROUTE: isize = 0;

/// The largest packet where no default route tells.
const ETHERNET: u32 = 1500;

/// Whether this machine has an interface of that name.
pub fn is_there(interface: &str) -> Result<bool> {
    let mut connection = Connection::open(NETLINK_ROUTE)?;
    Ok(link::find(&mut connection, interface)?.is_some())
}

/// The destinations of every route of this machine, without default routes.
pub fn routes() -> Result<Vec<IpNet>> {
    let mut connection = Connection::open(NETLINK_ROUTE)?;
    let routes = route::routes(&mut connection)?;
    Ok(routes.into_iter().map(|route| route.destination).collect())
}

/// How the network differs from what it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// What is wrong with what all pods share, if anything is.
    pub shared: Option<String>,
    /// What is wrong with single pods.
    pub pods: BTreeMap<String, String>,
    /// The pods that have an interface.
    pub present: Vec<String>,
    /// The pods whose ports are not all open.
    pub closed: Vec<String>,
    /// Whether something is there that belongs to no pod any more.
    pub stale: bool,
}

/// The network of a root, as the kernel has it at one moment.
#[derive(Debug)]
pub(super) struct View {
    pub(super) links: Vec<Link>,
    pub(super) addresses: Vec<Address>,
    pub(super) mtu: u32,
    pub(super) forwarding: Forwarding,
    seen: [(Family, Seen); 2],
}

impl View {
    /// Looks.
    pub(super) fn take(
        layout: &Layout,
        members: &[Member],
        record: &Path,
        route: &mut Connection,
        nft: &mut Nft,
    ) -> Result<Self> {
        let links = link::all(route)?;
        let addresses = route::addresses(route)?;
        let uplink = route::uplink(route)?;
        let record = Record::read(record);
        let forwarding = Forwarding::wanted(layout, members, &links, uplink, &record);
        let uplink = links.iter().find(|link| Some(link.index) == uplink).map(|link| link.mtu);
        // No interface with less has IPv6: RFC 8200, 5.
        let least = if layout.ipv6.is_some() { 1280 } else { 68 };
        let seen = [
            (Family::Inet, nft.look(Family::Inet, &layout.table)?),
            (Family::Bridge, nft.look(Family::Bridge, &layout.table)?),
        ];
        let mtu = layout.mtu.or(uplink).unwrap_or(ETHERNET).max(least);
        Ok(Self { links, addresses, mtu, forwarding, seen })
    }

    /// The bridge, if it is there.
    ///
    /// # Errors
    ///
    /// An interface of that name is somebody else's.
    pub(super) fn bridge(&self, layout: &Layout) -> Result<Option<&Link>> {
        let Some(link) = self.links.iter().find(|link| link.name == layout.bridge) else {
            return Ok(None);
        };
        if !link.is_bridge || link.alias != layout.owner {
            return Err(foreign(link));
        }
        Ok(Some(link))
    }

    /// The interface of a pod, if it is there.
    ///
    /// # Errors
    ///
    /// An interface of that name is somebody else's.
    pub(super) fn interface(&self, layout: &Layout, member: &Member) -> Result<Option<&Link>> {
        let Some(link) = self.links.iter().find(|link| link.name == member.interface) else {
            return Ok(None);
        };
        if !link.is_veth || link.alias != layout.alias(&member.pod) {
            return Err(foreign(link));
        }
        Ok(Some(link))
    }

    /// The pods that have interfaces, with these.
    pub(super) fn pods<'a>(
        &'a self,
        layout: &'a Layout,
    ) -> impl Iterator<Item = (&'a str, &'a Link)> {
        let veths = self.links.iter().filter(|link| link.is_veth);
        veths.filter_map(|link| Some((layout.pod_of(&link.alias)?, link)))
    }

    /// What was seen of the tables of that family.
    pub(super) fn seen(&self, family: Family) -> &Seen {
        let [(_, inet), (_, bridge)] = &self.seen;
        if family == Family::Inet { inet } else { bridge }
    }

    /// Compares all of it with what it should be.
    pub(super) fn drift(&self, layout: &Layout, members: &[Member]) -> Drift {
        let mut drift = Drift {
            shared: self.shared(layout).or_else(|| self.forwarding.drift()),
            ..Drift::default()
        };
        for (pod, _) in self.pods(layout) {
            drift.present.push(pod.to_owned());
            drift.stale |= !members.iter().any(|member| member.pod == pod);
        }
        for member in members {
            if let Some(cause) = self.of_member(layout, member) {
                drift.pods.insert(member.pod.clone(), cause);
            }
        }
        let tables = firewall::tables(layout, &self.forwarding, members);
        for family in [Family::Inet, Family::Bridge] {
            let Some(wanted) = tables.iter().find(|table| table.family == family) else {
                drift.stale |= self.seen(family).exists();
                continue;
            };
            match self.seen(family).difference(wanted) {
                Difference::None => {}
                // The table of frames concerns isolated pods alone.
                Difference::Structure(cause) if family == Family::Bridge => {
                    for member in members.iter().filter(|member| member.isolated) {
                        drift.pods.entry(member.pod.clone()).or_insert_with(|| cause.clone());
                    }
                }
                Difference::Structure(cause) => {
                    drift.shared = drift.shared.or(Some(cause));
                    drift.closed.extend(members.iter().map(|member| member.pod.clone()));
                }
                Difference::Elements { missing, surplus } => {
                    by_pod(&mut drift, members, &missing, &surplus);
                }
            }
        }
        drift
    }

    /// What is wrong with the bridge.
    fn shared(&self, layout: &Layout) -> Option<String> {
        let name = &layout.bridge;
        let bridge = match self.bridge(layout) {
            Ok(Some(bridge)) => bridge,
            Ok(None) => return Some(format!("bridge {name} is missing")),
            Err(e) => return Some(e.to_string()),
        };
        if !bridge.is_up {
            return Some(format!("bridge {name} is down"));
        }
        if bridge.mtu != self.mtu {
            return Some(format!("the MTU of bridge {name} is {}, not {}", bridge.mtu, self.mtu));
        }
        let lacks = |address: &IpNet| {
            let there = Address { index: bridge.index, address: *address };
            !self.addresses.contains(&there)
        };
        let lacking = gateways(layout).into_iter().find(lacks)?;
        Some(format!("bridge {name} lacks its address {lacking}"))
    }

    /// What is wrong with the interface of a pod.
    fn of_member(&self, layout: &Layout, member: &Member) -> Option<String> {
        let name = &member.interface;
        let link = match self.interface(layout, member) {
            Ok(Some(link)) => link,
            Ok(None) => return Some(format!("interface {name} is missing")),
            Err(e) => return Some(e.to_string()),
        };
        let bridge = self.bridge(layout).ok().flatten().map(|bridge| bridge.index);
        if bridge.is_none() || link.master != bridge {
            return Some(format!("interface {name} is not on bridge {}", layout.bridge));
        }
        if !link.is_up {
            return Some(format!("interface {name} is down"));
        }
        (link.mtu != self.mtu)
            .then(|| format!("the MTU of interface {name} is {}, not {}", link.mtu, self.mtu))
    }
}

/// Assigns elements that differ to the pods they belong to.
fn by_pod(drift: &mut Drift, members: &[Member], missing: &BySet, surplus: &BySet) {
    let mut assigned = 0;
    for member in members {
        let own = |differing: &BySet| {
            let own = differing.iter().map(|(set, elements)| {
                (set.starts_with("isolated"), of_pod(set, elements, member).len())
            });
            own.fold((0, 0), |(isolated, all), (is, count)| {
                (isolated + if is { count } else { 0 }, all + count)
            })
        };
        let (lacks, has) = (own(missing), own(surplus));
        assigned += has.1;
        let is_port = |set: &str| set.starts_with("published") || set.starts_with("bound");
        let mut lacking = missing.iter().filter(|(set, _)| is_port(set));
        if lacking.any(|(set, elements)| !of_pod(set, elements, member).is_empty()) {
            drift.closed.push(member.pod.clone());
        }
        let cause = match (lacks, has) {
            ((1.., _), _) => "isolated: false -> true",
            (_, (1.., _)) => "isolated: true -> false",
            ((_, 1..), _) | (_, (_, 1..)) => "the firewall's entries of its ports were changed",
            _ => continue,
        };
        drift.pods.entry(member.pod.clone()).or_insert_with(|| cause.to_owned());
    }
    let of_pods = surplus.iter().filter(|(set, _)| is_of_pods(set));
    drift.stale |= of_pods.map(|(_, elements)| elements.len()).sum::<usize>() > assigned;
    let shared = missing.keys().chain(surplus.keys()).any(|set| !is_of_pods(set));
    if shared && drift.shared.is_none() {
        drift.shared = Some("the firewall's list of guarded interfaces was changed".to_owned());
    }
}

/// The host's addresses on the bridge.
pub(super) fn gateways(layout: &Layout) -> Vec<IpNet> {
    let mut gateways = Vec::new();
    gateways.extend(IpNet::new(layout.gateway4().into(), layout.ipv4.prefix_len()).ok());
    if let (Some(address), Some(subnet)) = (layout.gateway6(), layout.ipv6) {
        gateways.extend(IpNet::new(address.into(), subnet.prefix_len()).ok());
    }
    gateways
}

pub(super) fn foreign(link: &Link) -> Error {
    let other = match link.alias.as_str() {
        "" => "nothing says whose it is".to_owned(),
        alias => format!("it is called {alias:?}"),
    };
    Error::Foreign { name: link.name.clone(), other }
}
