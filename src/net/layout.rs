//! How the network of a root is laid out: names and addresses, all of them values.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::model::pod::Port;

/// The network of a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Its bridge.
    pub bridge: String,
    /// The table of its packet filter.
    pub table: String,
    /// Whose it is, as the aliases of its interfaces say: `tank /var/lib/tank`.
    pub owner: String,
    /// The subnet of its pods.
    pub ipv4: Ipv4Net,
    /// Their subnet of IPv6, where they have one.
    pub ipv6: Option<Ipv6Net>,
    /// The largest packet, in bytes; `None` is that of the interface of the default route.
    pub mtu: Option<u32>,
}

/// The addresses of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Addresses {
    /// Its address.
    pub ipv4: Ipv4Addr,
    /// Its address of IPv6, where it has one.
    pub ipv6: Option<Ipv6Addr>,
}

/// A pod on the bridge, as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub pod: String,
    /// The host's end of its pair of interfaces.
    pub interface: String,
    /// The file that pins its network namespace.
    pub namespace: PathBuf,
    /// Its addresses.
    pub addresses: Addresses,
    /// Whether it is kept from other pods.
    pub isolated: bool,
    /// The ports it publishes.
    pub ports: Vec<Port>,
}

/// How aliases of interfaces begin that are of any root.
pub(super) const OWNER: &str = "tank ";

impl Layout {
    /// The same with another bridge and other subnets. A machine without IPv6 has none for pods.
    pub fn of_row(&self, bridge: &str, ipv4: Ipv4Net, ipv6: Option<Ipv6Net>) -> Self {
        let ipv6 = ipv6.filter(|_| self.ipv6.is_some());
        Self { bridge: bridge.to_owned(), ipv4, ipv6, ..self.clone() }
    }

    /// The host's address on the bridge: the first of the subnet.
    pub fn gateway4(&self) -> Ipv4Addr {
        offset4(self.ipv4, 1)
    }

    /// The host's address of IPv6 on the bridge.
    pub fn gateway6(&self) -> Option<Ipv6Addr> {
        self.ipv6.map(|subnet| offset6(subnet, 1))
    }

    /// The addresses that pods can have, in their order. The last part is the same in both.
    pub fn pool(&self) -> impl Iterator<Item = Addresses> {
        let last = (1_u64 << (32 - self.ipv4.prefix_len())) - 2;
        let room = self.ipv6.map_or(u64::MAX, |subnet| {
            1_u64
                .checked_shl(u32::from(128 - subnet.prefix_len()))
                .map_or(u64::MAX, |size| size - 1)
        });
        let (ipv4, ipv6) = (self.ipv4, self.ipv6);
        (2..=u32::try_from(last.min(room)).unwrap_or(u32::MAX)).map(move |offset| Addresses {
            ipv4: offset4(ipv4, offset),
            ipv6: ipv6.map(|subnet| offset6(subnet, offset)),
        })
    }

    /// Whether addresses are of these subnets.
    pub fn holds(&self, addresses: &Addresses) -> bool {
        let ipv6 = match (self.ipv6, addresses.ipv6) {
            (Some(subnet), Some(address)) => subnet.contains(&address),
            (Some(_), None) => false,
            // The machine may have lost it, and may have it again.
            (None, _) => true,
        };
        ipv6 && self.ipv4.contains(&addresses.ipv4)
    }

    /// The alias of a pod's interface.
    pub(super) fn alias(&self, pod: &str) -> String {
        format!("{} {pod}", self.owner)
    }

    /// The pod that an interface with this alias belongs to.
    pub(super) fn pod_of<'a>(&self, alias: &'a str) -> Option<&'a str> {
        // The path of another root may begin with this one's and a space.
        let pod = alias.strip_prefix(&self.owner)?.strip_prefix(' ')?;
        (!pod.contains(' ')).then_some(pod)
    }
}

fn offset4(subnet: Ipv4Net, offset: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(subnet.network().to_bits().wrapping_add(offset))
}

fn offset6(subnet: Ipv6Net, offset: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(subnet.network().to_bits().wrapping_add(u128::from(offset)))
}

/// The hardware address that belongs to an IPv4 address: locally administered, and the same after
/// an interface was made anew, so that what neighbours remember stays true.
pub(super) fn hardware_address(address: Ipv4Addr) -> Vec<u8> {
    let mut bytes = vec![0x02, 0x74];
    bytes.extend(address.octets());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(ipv4: &str, ipv6: Option<&str>) -> Layout {
        Layout {
            bridge: "tank0".into(),
            table: "tank".into(),
            owner: "tank /var/lib/tank".into(),
            ipv4: ipv4.parse().unwrap(),
            ipv6: ipv6.map(|subnet| subnet.parse().unwrap()),
            mtu: None,
        }
    }

    #[test]
    fn the_pool_leaves_out_network_gateway_and_broadcast() {
        let layout = layout("10.1.2.0/29", Some("fd00::/64"));
        let pool: Vec<_> = layout.pool().collect();
        let texts: Vec<_> = pool.iter().map(|pod| pod.ipv4.to_string()).collect();
        assert_eq!(texts, ["10.1.2.2", "10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6"]);
        assert_eq!(pool[0].ipv6, Some("fd00::2".parse().unwrap()));
        assert_eq!(layout.gateway4().to_string(), "10.1.2.1");
        assert_eq!(layout.gateway6(), Some("fd00::1".parse().unwrap()));
        assert!(pool.iter().all(|addresses| layout.holds(addresses)));
    }

    #[test]
    fn a_smaller_subnet_of_ipv6_bounds_the_pool() {
        assert_eq!(layout("10.0.0.0/8", Some("fd00::/120")).pool().count(), 254);
        assert_eq!(layout("10.0.0.0/22", None).pool().count(), 1021);
    }

    #[test]
    fn addresses_of_other_subnets_are_told_apart() {
        let (with, without) =
            (layout("10.0.0.0/24", Some("fd00::/64")), layout("10.0.0.0/24", None));
        let both = with.pool().next().unwrap();
        let one = without.pool().next().unwrap();
        assert!(with.holds(&both) && without.holds(&one));
        assert!(!with.holds(&one));
        assert!(!layout("10.0.1.0/24", None).holds(&one));
    }

    #[test]
    fn aliases_lead_back_to_pods_of_the_same_root_only() {
        let layout = layout("10.0.0.0/24", None);
        let alias = layout.alias("web");
        assert_eq!(layout.pod_of(&alias), Some("web"));
        assert_eq!(layout.pod_of("tank /var/lib/tank2 web"), None);
        assert_eq!(layout.pod_of("tank /var/lib/tank 2 web"), None);
        assert_eq!(layout.pod_of(&layout.owner), None);
    }
}
