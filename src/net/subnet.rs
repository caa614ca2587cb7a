//! The choice of subnets that nobody else uses on this machine.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::error::{Error, Result};

/// The length of a chosen prefix: 1,021 pods, and a bridge has no more than 1,023 ports.
const PREFIX: u8 = 22;

/// Private address space (RFC 1918), the parts of it first that people and tools use least.
const POOLS: [(Ipv4Addr, u8); 4] = [
    (Ipv4Addr::new(10, 192, 0, 0), 10),
    (Ipv4Addr::new(172, 24, 0, 0), 13),
    (Ipv4Addr::new(10, 128, 0, 0), 10),
    (Ipv4Addr::new(192, 168, 64, 0), 18),
];

/// Chooses a subnet of IPv4 that overlaps no route. Where the search begins follows from `seed`,
/// so that roots rarely choose the same even when none of them has its bridge up.
pub fn choose4(seed: u64, routes: &[IpNet]) -> Result<Ipv4Net> {
    let free = |subnet: &Ipv4Net| !routes.iter().any(|route| overlap((*subnet).into(), *route));
    for (base, length) in POOLS {
        let count = 1_u64 << (PREFIX - length);
        let candidates = (0..count).map(|step| {
            let place = u32::try_from((seed.wrapping_add(step)) % count).unwrap_or_default();
            let address = base.to_bits() + (place << (32 - PREFIX));
            Ipv4Net::new_assert(Ipv4Addr::from_bits(address), PREFIX)
        });
        if let Some(subnet) = candidates.into_iter().find(free) {
            return Ok(subnet);
        }
    }
    Err(Error::NoSubnet { family: "IPv4" })
}

/// Chooses a subnet of IPv6: a /64 of the unique local prefix (RFC 4193) that `seed`, which should
/// be random, gives this root.
pub fn choose6(seed: u64, routes: &[IpNet]) -> Result<Ipv6Net> {
    let global = seed & 0xff_ffff_ffff;
    let prefix = 0xfd_u128 << 120 | u128::from(global) << 80;
    let candidates = (0..=u16::MAX).map(|subnet| {
        Ipv6Net::new_assert(Ipv6Addr::from_bits(prefix | u128::from(subnet) << 64), 64)
    });
    let free = |subnet: &Ipv6Net| !routes.iter().any(|route| overlap((*subnet).into(), *route));
    candidates.into_iter().find(free).ok_or(Error::NoSubnet { family: "IPv6" })
}

/// Whether two subnets have an address in common.
pub fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn used_subnets_are_passed_over() {
        assert_eq!(choose4(0, &[]).unwrap().to_string(), "10.192.0.0/22");
        let routes = nets(&["10.192.0.0/16", "10.193.1.0/24"]);
        assert_eq!(choose4(0, &routes).unwrap().to_string(), "10.193.4.0/22");
        assert_eq!(choose4(0, &nets(&["10.0.0.0/8"])).unwrap().to_string(), "172.24.0.0/22");
        assert_eq!(choose4(4096, &[]).unwrap(), choose4(0, &[]).unwrap());
        assert_ne!(choose4(1, &[]).unwrap(), choose4(0, &[]).unwrap());
    }

    #[test]
    fn a_machine_that_reaches_all_private_addresses_has_none_left() {
        let routes = nets(&["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]);
        assert!(matches!(choose4(7, &routes), Err(Error::NoSubnet { family: "IPv4" })));
    }

    #[test]
    fn ipv6_is_a_unique_local_prefix_of_the_roots_own() {
        let subnet = choose6(0x12_3456_789a, &[]).unwrap();
        assert_eq!(subnet.to_string(), "fd12:3456:789a::/64");
        let next = choose6(0x12_3456_789a, &[subnet.into()]).unwrap();
        assert_eq!(next.to_string(), "fd12:3456:789a:1::/64");
    }

    proptest! {
        #[test]
        fn what_is_chosen_overlaps_nothing(seed: u64, bits in prop::collection::vec((any::<u32>(), 8u8..32), 0..50)) {
            let routes: Vec<IpNet> = bits
                .iter()
                .map(|(bits, prefix)| Ipv4Net::new_assert(Ipv4Addr::from_bits(*bits), *prefix).trunc().into())
                .collect();
            if let Ok(subnet) = choose4(seed, &routes) {
                prop_assert!(!routes.iter().any(|route| overlap(subnet.into(), *route)));
                prop_assert!(subnet.network().is_private());
            }
        }
    }
}
