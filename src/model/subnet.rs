//! Subnets in CIDR form, from which pods have their addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::value::ValueError;

/// Addresses that no pod can have, and what they are.
type Special = (&'static str, IpNet);

const IPV4: [Special; 4] = [
    ("unspecified", v4([0, 0, 0, 0], 8)),
    ("loopback", v4([127, 0, 0, 0], 8)),
    ("link-local", v4([169, 254, 0, 0], 16)),
    ("multicast", v4([224, 0, 0, 0], 4)),
];

const IPV6: [Special; 5] = [
    ("unspecified", v6([0; 8], 128)),
    ("loopback", v6([0, 0, 0, 0, 0, 0, 0, 1], 128)),
    ("mapped IPv4", v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96)),
    ("link-local", v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10)),
    ("multicast", v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8)),
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix))
}

/// Reads an IPv4 subnet: large enough for the bridge and a few pods, and no more than a part of
/// the address space.
///
/// # Errors
/// It is not in CIDR form, its prefix is not from 8 to 29, it has host bits, or it has addresses
/// that no pod can have.
pub(super) fn ipv4(text: &str) -> Result<Ipv4Net, ValueError> {
    let (address, prefix) = read::<Ipv4Addr>(text, 8..=29, &IPV4)?;
    Ok(Ipv4Net::new_assert(address, prefix))
}

/// Reads an IPv6 subnet.
///
/// # Errors
/// Those of [`ipv4`], with a prefix from 48 to 120.
pub(super) fn ipv6(text: &str) -> Result<Ipv6Net, ValueError> {
    let (address, prefix) = read::<Ipv6Addr>(text, 48..=120, &IPV6)?;
    Ok(Ipv6Net::new_assert(address, prefix))
}

/// Reads an address and its prefix. `prefixes` must be within what the family has.
fn read<A: FromStr + Copy + Into<IpAddr>>(
    text: &str,
    prefixes: RangeInclusive<u8>,
    specials: &[Special],
) -> Result<(A, u8), ValueError> {
    let error = |problem: &str| ValueError::new("subnet", text, problem);
    let (address, prefix) = split::<A>(text).ok_or_else(|| error("is not ADDRESS/PREFIX"))?;
    if !prefixes.contains(&prefix) {
        let (least, most) = (prefixes.start(), prefixes.end());
        return Err(error(&format!("has a prefix that is not from {least} to {most}")));
    }
    let net = IpNet::new_assert(address.into(), prefix);
    if net != net.trunc() {
        let help = format!("the subnet of this address is \"{}\"", net.trunc());
        return Err(error("has an address beyond its prefix").with_help(Some(help)));
    }
    let overlaps = |special: &IpNet| special.contains(&net) || net.contains(special);
    match specials.iter().find(|(_, special)| overlaps(special)) {
        Some((what, special)) => Err(error(&format!("has {what} addresses ({special})"))),
        None => Ok((address, prefix)),
    }
}

/// The parser of [`ipnet`] reads `010.0.0.0`, which other programs take for octal.
fn split<A: FromStr>(text: &str) -> Option<(A, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let digits = !prefix.starts_with('0') && prefix.bytes().all(|c| c.is_ascii_digit());
    Some((address.parse().ok()?, prefix.parse().ok().filter(|_| digits)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(result: Result<impl std::fmt::Debug, ValueError>) -> String {
        let error = result.unwrap_err();
        let help = error.help().map(|help| format!(" ({help})")).unwrap_or_default();
        let text = error.to_string();
        format!("{}{help}", text.rsplit_once("\" ").unwrap().1)
    }

    #[test]
    fn subnets_are_read() {
        for good in ["10.0.0.0/8", "10.88.0.0/22", "192.168.1.248/29", "100.64.0.0/10"] {
            assert_eq!(ipv4(good).unwrap().to_string(), good);
        }
        for good in ["fd00:88::/48", "fd12:3456:789a:1::/64", "2001:db8::ff00/120"] {
            assert_eq!(ipv6(good).unwrap().to_string(), good);
        }
    }

    #[test]
    fn what_is_not_in_cidr_form_is_refused() {
        for bad in [
            "",
            "/",
            "10.0.0.0",
            "10.0.0.0/",
            "/8",
            "10.0.0/8",
            "010.0.0.0/8",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/8/8",
            "10.0.0.0/256",
            "10.0.0.0/255.0.0.0",
            " 10.0.0.0/8",
            "10.0.0.0/8\n",
            "fd00::/64",
            "pods",
        ] {
            assert_eq!(problem(ipv4(bad)), "is not ADDRESS/PREFIX", "{bad:?}");
        }
        for bad in ["", "fd00::", "fd00::/", "10.0.0.0/8", "[fd00::]/64", "fd00::%1/64", "::/064"] {
            assert_eq!(problem(ipv6(bad)), "is not ADDRESS/PREFIX", "{bad:?}");
        }
    }

    #[test]
    fn what_cannot_hold_pods_is_refused() {
        for (bad, expected) in [
            ("10.0.0.0/7", "has a prefix that is not from 8 to 29"),
            ("10.0.0.0/30", "has a prefix that is not from 8 to 29"),
            ("10.0.0.0/33", "has a prefix that is not from 8 to 29"),
            (
                "10.88.3.7/22",
                "has an address beyond its prefix (the subnet of this address is \"10.88.0.0/22\")",
            ),
            ("0.0.0.0/8", "has unspecified addresses (0.0.0.0/8)"),
            ("127.1.0.0/16", "has loopback addresses (127.0.0.0/8)"),
            ("169.254.1.0/24", "has link-local addresses (169.254.0.0/16)"),
            ("169.0.0.0/8", "has link-local addresses (169.254.0.0/16)"),
            ("239.0.0.0/8", "has multicast addresses (224.0.0.0/4)"),
        ] {
            assert_eq!(problem(ipv4(bad)), expected, "{bad}");
        }
        for (bad, expected) in [
            ("fd00::/47", "has a prefix that is not from 48 to 120"),
            ("fd00::/121", "has a prefix that is not from 48 to 120"),
            (
                "fd00::1/64",
                "has an address beyond its prefix (the subnet of this address is \"fd00::/64\")",
            ),
            ("::/120", "has unspecified addresses (::/128)"),
            ("::ffff:10.0.0.0/104", "has mapped IPv4 addresses (::ffff:0.0.0.0/96)"),
            ("fe80::/64", "has link-local addresses (fe80::/10)"),
            ("ff02::/64", "has multicast addresses (ff00::/8)"),
        ] {
            assert_eq!(problem(ipv6(bad)), expected, "{bad}");
        }
    }
}
