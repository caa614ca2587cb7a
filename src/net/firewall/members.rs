//! What belongs to single pods: the elements of sets and maps, and whose each of them is.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::model::pod::{Port, Protocol};
use crate::net::layout::Member;
use crate::net::nft::ruleset::{Elements, Set, Type, field, interface};

pub(super) const PUBLISHED4: &str = "published4";
pub(super) const PUBLISHED6: &str = "published6";
pub(super) const BOUND4: &str = "bound4";
pub(super) const BOUND6: &str = "bound6";
pub(super) const ISOLATED4: &str = "isolated4";
pub(super) const ISOLATED6: &str = "isolated6";
pub(super) const GUARDED4: &str = "guarded4";
pub(super) const GUARDED6: &str = "guarded6";
pub(super) const ISOLATED: &str = "isolated";
pub(super) const OWN4: &str = "isolated_own4";
pub(super) const OWN6: &str = "isolated_own6";

/// The sets of packets with what belongs to pods.
pub(super) fn pod_sets(pods: &[Member]) -> Vec<Set> {
    let mut published = [Elements::new(), Elements::new()];
    let mut bound = [Elements::new(), Elements::new()];
    let mut isolated = [Elements::new(), Elements::new()];
    for pod in pods {
        let own: Vec<_> =
            [Some(IpAddr::V4(pod.addresses.ipv4)), pod.addresses.ipv6.map(IpAddr::V6)]
                .into_iter()
                .flatten()
                .collect();
        if pod.isolated {
            for address in &own {
                isolated[version(*address)].insert(octets(*address), Vec::new());
            }
        }
        for port in &pod.ports {
            for address in &own {
                let maps = (&mut published[version(*address)], &mut bound[version(*address)]);
                insert(maps, port, *address);
            }
        }
    }
    let [published4, published6] = published;
    let [bound4, bound6] = bound;
    let [isolated4, isolated6] = isolated;
    const SERVICE: &[Type] = &[Type::Protocol, Type::Port];
    const BOUND_SERVICE4: &[Type] = &[Type::Ipv4, Type::Protocol, Type::Port];
    const BOUND_SERVICE6: &[Type] = &[Type::Ipv6, Type::Protocol, Type::Port];
    const TARGET4: &[Type] = &[Type::Ipv4, Type::Port];
    const TARGET6: &[Type] = &[Type::Ipv6, Type::Port];
    let set = |name, key, data, elements| Set { name, key, data, elements };
    vec![
        set(PUBLISHED4, SERVICE, TARGET4, published4),
        set(PUBLISHED6, SERVICE, TARGET6, published6),
        set(BOUND4, BOUND_SERVICE4, TARGET4, bound4),
        set(BOUND6, BOUND_SERVICE6, TARGET6, bound6),
        set(ISOLATED4, &[Type::Ipv4], &[], isolated4),
        set(ISOLATED6, &[Type::Ipv6], &[], isolated6),
    ]
}

/// The sets of frames: the interfaces of isolated pods, and each with its addresses.
pub(super) fn isolated_sets(pods: &[Member]) -> Vec<Set> {
    let (mut interfaces, mut own4, mut own6) = <(Elements, Elements, Elements)>::default();
    for pod in pods.iter().filter(|pod| pod.isolated) {
        let name = interface(&pod.interface);
        own4.insert([&name[..], &pod.addresses.ipv4.octets()].concat(), Vec::new());
        if let Some(ipv6) = pod.addresses.ipv6 {
            own6.insert([&name[..], &ipv6.octets()].concat(), Vec::new());
        }
        interfaces.insert(name, Vec::new());
    }
    let set = |name, key, elements| Set { name, key, data: &[], elements };
    vec![
        set(ISOLATED, &[Type::Interface], interfaces),
        set(OWN4, &[Type::Interface, Type::Ipv4], own4),
        set(OWN6, &[Type::Interface, Type::Ipv6], own6),
    ]
}

fn version(address: IpAddr) -> usize {
    usize::from(address.is_ipv6())
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Adds a published port to the maps of the family of the pod's `address`, if it is for that
/// family.
fn insert((published, bound): (&mut Elements, &mut Elements), port: &Port, address: IpAddr) {
    let on = port.address.filter(|on| !on.is_unspecified());
    if port.address.is_some_and(|on| on.is_ipv4() != address.is_ipv4()) {
        return;
    }
    for step in 0..port.count {
        let (host, inside) = (port.host + step, port.container + step);
        let service = [field(&[number(port.protocol)]), field(&host.to_be_bytes())].concat();
        let data = [octets(address), field(&inside.to_be_bytes())].concat();
        match on {
            None => published.insert(service, data),
            Some(on) => bound.insert([octets(on), service].concat(), data),
        };
    }
}

/// The ports of UDP that elements of a set are about.
pub(in crate::net) fn udp_ports(set: &str, elements: &Elements) -> BTreeSet<u16> {
    let start = match set {
        PUBLISHED4 | PUBLISHED6 => 0,
        BOUND4 => 4,
        BOUND6 => 16,
        _ => return BTreeSet::new(),
    };
    let udp = field(&[number(Protocol::Udp)]);
    let services = elements.keys().filter_map(|key| key.get(start..));
    let ports = services.filter_map(|service| service.strip_prefix(udp.as_slice()));
    ports.filter_map(|port| Some(u16::from_be_bytes(port.get(..2)?.try_into().ok()?))).collect()
}

/// The number of a protocol in the header of IP.
fn number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
    }
}

/// The part of elements that belongs to a pod.
pub(in crate::net) fn of_pod(set: &str, elements: &Elements, pod: &Member) -> Elements {
    let is_own = |key: &[u8], data: &[u8]| match set {
        PUBLISHED4 | BOUND4 => data.starts_with(&pod.addresses.ipv4.octets()),
        PUBLISHED6 | BOUND6 => {
            pod.addresses.ipv6.is_some_and(|address| data.starts_with(&address.octets()))
        }
        ISOLATED4 => key == pod.addresses.ipv4.octets(),
        ISOLATED6 => pod.addresses.ipv6.is_some_and(|address| key == address.octets()),
        ISOLATED | OWN4 | OWN6 => key.starts_with(&interface(&pod.interface)),
        _ => false,
    };
    let own = elements.iter().filter(|(key, data)| is_own(key, data));
    own.map(|(key, data)| (key.clone(), data.clone())).collect()
}

/// Whether the elements of a set belong to pods.
pub(in crate::net) fn is_of_pods(set: &str) -> bool {
    !matches!(set, GUARDED4 | GUARDED6)
}
