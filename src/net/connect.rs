//! Bringing the network to what it should be: the bridge, a pod's pair of interfaces, the packet
//! filter; and taking away what no pod has any more. Every function may be repeated.

use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::Path;

use ipnet::IpNet;

use super::conntrack;
use super::error::{Error, Result};
use super::firewall::{self, is_of_pods, of_pod, udp_ports};
use super::forwarding::{self, Record};
use super::layout::{Layout, Member, hardware_address};
use super::link::{self, Link, Pair};
use super::netlink::Connection;
use super::nft::Nft;
use super::nft::ruleset::{BySet, Elements, Family};
use super::nft::seen::Difference;
use super::route;
use super::subnet::overlap;
use super::view::{Drift, NETLINK_ROUTE, View, gateways};
use crate::sys::process::{self, Namespaces};
use crate::sys::{self, namespace};

/// The name of a pod's interface inside its namespace.
const INSIDE: &str = "eth0";

/// The group of interfaces that are being removed, a number that nobody else is likely to use.
const REMOVED: u32 = 0x7461_6e6b;

/// The network of a root, opened for work. Whoever changes something holds the root's lock for it.
#[derive(Debug)]
pub struct Host<'a> {
    layout: &'a Layout,
    record: &'a Path,
    route: Connection,
    nft: Nft,
}

impl<'a> Host<'a> {
    /// Opens it. `record` is the file that says which kernel parameters were changed, and which
    /// roots may have something of the network.
    pub fn open(layout: &'a Layout, record: &'a Path) -> Result<Self> {
        let route = Connection::open(NETLINK_ROUTE)?;
        Ok(Self { layout, record, route, nft: Nft::open()? })
    }

    fn view(&mut self, members: &[Member]) -> Result<View> {
        View::take(self.layout, members, self.record, &mut self.route, &mut self.nft)
    }

    /// Says how what is there differs from what these pods should have. Changes nothing.
    pub fn drift(&mut self, members: &[Member]) -> Result<Drift> {
        Ok(self.view(members)?.drift(self.layout, members))
    }

    /// Connects a pod whose namespace is there, with everything that pods share. `members` are all
    /// pods that should be on the bridge, for a packet filter that has to be made anew.
    pub fn connect(&mut self, member: &Member, members: &[Member]) -> Result<()> {
        let view = self.view(members)?;
        let bridge = self.ensure_bridge(&view)?;
        self.ensure_pair(&view, bridge, member)?;
        self.ensure_filter(&view, member, members)
    }

    /// Takes away the interfaces and the entries in the packet filter of pods that are not in
    /// `members`. Without any member, all of it goes, and kernel parameters are as they were.
    pub fn sweep(&mut self, members: &[Member]) -> Result<()> {
        let view = self.view(members)?;
        let is_gone = |pod: &str| !members.iter().any(|member| member.pod == pod);
        let mut gone: Vec<Link> = view
            .pods(self.layout)
            .filter(|(pod, _)| is_gone(pod))
            .map(|(_, link)| link.clone())
            .collect();
        if members.is_empty() {
            gone.extend(view.bridge(self.layout).ok().flatten().cloned());
        }
        self.delete(&gone)?;
        if !members.is_empty() {
            return self.remove_stale(&view, members);
        }
        let tables =
            [Family::Bridge, Family::Inet].map(|family| (family, self.layout.table.as_str()));
        let there: Vec<_> =
            tables.into_iter().filter(|(family, _)| view.seen(*family).exists()).collect();
        if !there.is_empty() {
            self.nft.remove(&there)?;
            forget_streams(&[&view.seen(Family::Inet).elements])?;
        }
        Record::read(self.record).restore(&self.layout.owner, self.record)
    }

    /// Removes interfaces, all of them in one go: each removal alone would wait for every
    /// processor to have noticed.
    fn delete(&mut self, links: &[Link]) -> Result<()> {
        match links {
            [] => Ok(()),
            [one] => self.route.request(link::delete(one)),
            all => {
                let mut requests: Vec<_> =
                    all.iter().map(|link| link::set_group(link, REMOVED)).collect();
                requests.push(link::delete_group(REMOVED));
                self.route.batch(&requests)
            }
        }
    }

    /// The number of the bridge, with its addresses and parameters as they should be.
    fn ensure_bridge(&mut self, view: &View) -> Result<u32> {
        let layout = self.layout;
        let name = layout.bridge.as_str();
        let index = match view.bridge(layout)? {
            Some(link) => {
                let mut requests = Vec::new();
                if link.mtu != view.mtu {
                    requests.push(link::set_mtu(name, view.mtu));
                }
                if !link.is_up {
                    requests.push(link::bring_up(name));
                }
                self.route.batch(&requests)?;
                link.index
            }
            None => self.make_bridge(view)?,
        };
        view.forwarding.apply(&layout.owner, self.record)?;
        let lacking = gateways(layout).into_iter().filter(|address| {
            !view.addresses.contains(&route::Address { index, address: *address })
        });
        let requests: Vec<_> =
            lacking.map(|address| route::new_address(name, index, address)).collect();
        self.route.batch(&requests)?;
        Ok(index)
    }

    fn make_bridge(&mut self, view: &View) -> Result<u32> {
        let layout = self.layout;
        let name = layout.bridge.as_str();
        self.check_subnets(view)?;
        let address = hardware_address(layout.gateway4());
        self.route.batch(&[
            link::new_bridge(name, address, view.mtu),
            link::label(name, &layout.owner),
        ])?;
        // Before it is up: it should not even begin to listen to routers.
        view.forwarding.apply(&layout.owner, self.record)?;
        self.route.request(link::bring_up(name))?;
        let made = link::find(&mut self.route, name)?;
        let missing = || Error::Unreadable { doing: format!("make the bridge {name}") };
        Ok(made.ok_or_else(missing)?.index)
    }

    /// Fails if the machine reaches a subnet of the pods by another interface.
    fn check_subnets(&mut self, view: &View) -> Result<()> {
        let layout = self.layout;
        let own: Vec<IpNet> = [Some(layout.ipv4.into()), layout.ipv6.map(IpNet::from)]
            .into_iter()
            .flatten()
            .collect();
        for route in route::routes(&mut self.route)? {
            // A wider route only leads to what is not a pod.
            let collides = |own: &&IpNet| {
                overlap(**own, route.destination)
                    && route.destination.prefix_len() >= own.prefix_len()
            };
            if let Some(subnet) = own.iter().find(collides) {
                let interface = view.links.iter().find(|link| Some(link.index) == route.index);
                return Err(Error::Collision {
                    subnet: subnet.to_string(),
                    route: route.destination.to_string(),
                    interface: interface
                        .map_or_else(|| "no interface".into(), |link| link.name.clone()),
                });
            }
        }
        Ok(())
    }

    fn ensure_pair(&mut self, view: &View, bridge: u32, member: &Member) -> Result<()> {
        let name = member.interface.as_str();
        if let Some(link) = view.interface(self.layout, member)? {
            if link.master != Some(bridge) || !link.is_up || link.mtu != view.mtu {
                let port = [link::set_port(name, bridge, view.mtu), link::set_hairpin(name)];
                self.route.batch(&port)?;
            }
            if configure(self.layout, member, view.mtu)? {
                return Ok(());
            }
            // Its other end is in a namespace that is going away.
            self.route.request(link::delete(link))?;
        }
        let file = File::open(&member.namespace)
            .map_err(|e| sys::Error::new("open", member.namespace.display().to_string(), e))?;
        let pair = Pair {
            name,
            peer: INSIDE,
            peer_address: hardware_address(member.addresses.ipv4),
            namespace: file.as_fd(),
            mtu: view.mtu,
        };
        let label = link::label(name, &self.layout.alias(&member.pod));
        self.route.batch(&[
            link::new_pair(pair),
            label,
            link::without_address(name),
            link::set_port(name, bridge, view.mtu),
            link::set_hairpin(name),
        ])?;
        if configure(self.layout, member, view.mtu)? {
            return Ok(());
        }
        Err(Error::Unreadable { doing: format!("make the pair of interfaces {name}") })
    }

    /// Makes the packet filter right: what all pods share, and the entries of one pod.
    fn ensure_filter(&mut self, view: &View, member: &Member, members: &[Member]) -> Result<()> {
        for table in firewall::tables(self.layout, &view.forwarding, members) {
            let seen = view.seen(table.family);
            match seen.difference(&table) {
                Difference::None => {}
                Difference::Structure(_) => {
                    let sets = table.sets.iter();
                    let all = sets.map(|set| (set.name.to_owned(), set.elements.clone())).collect();
                    match seen.exists() {
                        true => self.nft.replace(&[table])?,
                        false => self.nft.make(&[table])?,
                    }
                    forget_streams(&[&all])?;
                }
                Difference::Elements { missing, surplus } => {
                    // Those of others may be about to come or to go: they have their own steps.
                    let own = |set: &str, elements: &Elements| match is_of_pods(set) {
                        true => of_pod(set, elements, member),
                        false => elements.clone(),
                    };
                    let into = pick(&missing, own);
                    // A port may come from a pod that has not let go of it yet.
                    let replaced = |set: &str, elements: &Elements| {
                        let added = into.get(set);
                        let is_added = |key| added.is_some_and(|added| added.contains_key(key));
                        let mut out = own(set, elements);
                        let taken = elements.iter().filter(|(key, _)| is_added(*key));
                        out.extend(taken.map(|(key, data)| (key.clone(), data.clone())));
                        out
                    };
                    let out = pick(&surplus, replaced);
                    self.nft.change(&table, &out, &into)?;
                    forget_streams(&[&out, &into])?;
                }
            }
        }
        Ok(())
    }

    /// Removes entries that belong to none of the pods, and the table that none of them needs.
    fn remove_stale(&mut self, view: &View, members: &[Member]) -> Result<()> {
        let tables = firewall::tables(self.layout, &view.forwarding, members);
        let bridge = Family::Bridge;
        if !tables.iter().any(|table| table.family == bridge) && view.seen(bridge).exists() {
            self.nft.remove(&[(bridge, &self.layout.table)])?;
        }
        for table in tables {
            let Difference::Elements { surplus, .. } = view.seen(table.family).difference(&table)
            else {
                continue;
            };
            let of_nobody = |set: &str, elements: &Elements| {
                let mut left = if is_of_pods(set) { elements.clone() } else { Elements::new() };
                for member in members {
                    let own = of_pod(set, elements, member);
                    left.retain(|key, _| !own.contains_key(key));
                }
                left
            };
            let out = pick(&surplus, of_nobody);
            self.nft.change(&table, &out, &BySet::new())?;
            forget_streams(&[&out])?;
        }
        Ok(())
    }
}

/// The elements of each set that `choose` leaves over.
fn pick(sets: &BySet, choose: impl Fn(&str, &Elements) -> Elements) -> BySet {
    let chosen = sets.iter().map(|(set, elements)| (set.clone(), choose(set, elements)));
    chosen.filter(|(_, elements)| !elements.is_empty()).collect()
}

/// Makes the kernel look anew at streams of UDP to the ports of these elements.
fn forget_streams(changed: &[&BySet]) -> Result<()> {
    let elements = changed.iter().flat_map(|sets| sets.iter());
    let ports = elements.flat_map(|(set, elements)| udp_ports(set, elements)).collect();
    conntrack::forget(&ports)
}

/// Sets up a pod's end of its pair, inside its namespace. False if there is none.
fn configure(layout: &Layout, member: &Member, mtu: u32) -> Result<bool> {
    process::in_child(|| configure_inside(layout, member, mtu))?
}

fn configure_inside(layout: &Layout, member: &Member, mtu: u32) -> Result<bool> {
    namespace::join(&member.namespace, Namespaces::NEWNET)?;
    let mut route = Connection::open(NETLINK_ROUTE)?;
    let Some(link) = link::find(&mut route, INSIDE)? else { return Ok(false) };
    let mut requests = Vec::new();
    if link.mtu != mtu {
        requests.push(link::set_mtu(INSIDE, mtu));
    }
    requests.push(link::bring_up(INSIDE));
    let own = IpNet::new(member.addresses.ipv4.into(), layout.ipv4.prefix_len());
    requests.extend(own.map(|own| route::new_address(INSIDE, link.index, own)));
    let mut gateways = vec![IpAddr::V4(layout.gateway4())];
    match (member.addresses.ipv6, layout.ipv6, layout.gateway6()) {
        (Some(address), Some(subnet), Some(gateway)) => {
            forwarding::set(&format!("ipv6/conf/{INSIDE}/disable_ipv6"), "0")?;
            let own = IpNet::new(address.into(), subnet.prefix_len());
            requests.extend(own.map(|own| route::new_address(INSIDE, link.index, own)));
            gateways.push(gateway.into());
        }
        // Off is off: no address that the interface gives itself either.
        _ => forwarding::set(&format!("ipv6/conf/{INSIDE}/disable_ipv6"), "1")?,
    }
    requests.extend(gateways.into_iter().map(|by| route::new_default_route(link.index, by)));
    route.batch(&requests)?;
    // Those it had in another subnet.
    let is_own = |address: IpAddr| match address {
        IpAddr::V4(address) => address == member.addresses.ipv4,
        IpAddr::V6(address) => {
            Some(address) == member.addresses.ipv6 || address.is_unicast_link_local()
        }
    };
    let old = route::addresses(&mut route)?
        .into_iter()
        .filter(|address| address.index == link.index && !is_own(address.address.addr()));
    let requests: Vec<_> = old.map(|old| route::old_address(INSIDE, &old)).collect();
    route.batch(&requests)?;
    Ok(true)
}
