//! Published ports as text: `[ADDRESS:]HOST:CONTAINER[/PROTOCOL]`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::pod::{Port, Protocol};
use super::value::ValueError;

impl Port {
    /// Whether both want a port of the host for themselves that the other wants too.
    ///
    /// The unspecified address stands for all of its family, no address for all of both.
    pub fn conflicts(&self, other: &Self) -> bool {
        let overlap = |a: IpAddr, b: IpAddr| {
            a == b || (a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified()))
        };
        let address = match (self.address, other.address) {
            (Some(a), Some(b)) => overlap(a, b),
            _ => true,
        };
        let apart = |a: &Self, b: &Self| u32::from(a.host) + u32::from(a.count) <= b.host.into();
        self.protocol == other.protocol && address && !apart(self, other) && !apart(other, self)
    }

    /// The addresses of the host it is bound to. No address is both unspecified ones, which stand
    /// for all of their family.
    pub fn bound(&self) -> Vec<IpAddr> {
        match self.address {
            Some(address) => vec![address],
            None => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
        }
    }

    /// What of the host it exposes, for people: `0.0.0.0:8080/tcp`, `[::]:8000-8010/udp`. One text
    /// for each address that it is [`bound`](Self::bound) to.
    pub fn exposed(&self) -> Vec<String> {
        let last = match self.count.saturating_sub(1) {
            0 => String::new(),
            more => format!("-{}", self.host + more),
        };
        let text = |address| {
            format!("{}{last}/{}", SocketAddr::new(address, self.host), self.protocol.name())
        };
        self.bound().into_iter().map(text).collect()
    }
}

impl Protocol {
    /// Its name, as the pod file writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// What keeps a port from being published on an address, and what to do instead.
fn refusal(address: IpAddr) -> Option<(&'static str, Option<&'static str>)> {
    if address == IpAddr::V6(Ipv6Addr::LOCALHOST) {
        let problem =
            "is for the IPv6 loopback, and the kernel does not translate connections to it";
        let help = "publish on 127.0.0.1, or on no address, which includes it";
        return Some((problem, Some(help)));
    }
    let is_group = address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST);
    is_group.then_some(("is for a multicast or broadcast address", None))
}

/// Reads `80` or `80-89`: the first port and how many there are.
fn range(text: &str) -> Option<(u16, u16)> {
    let port = |text: &str| match text.parse() {
        Ok(port) if port > 0 && text.bytes().all(|c| c.is_ascii_digit()) => Some(port),
        _ => None,
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u16, u16) = (port(first)?, port(last)?);
    Some((first, last.checked_sub(first)?.checked_add(1)?))
}

impl FromStr for Port {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |problem: &str| ValueError::new("port", text, problem);
        let (rest, protocol) = match text.rsplit_once('/') {
            None => (text, Protocol::Tcp),
            Some((rest, "tcp")) => (rest, Protocol::Tcp),
            Some((rest, "udp")) => (rest, Protocol::Udp),
            Some(_) => return Err(error("has a protocol other than tcp and udp")),
        };
        let Some((rest, container)) = rest.rsplit_once(':') else {
            return Err(error("does not say both the host's and the pod's port"));
        };
        let (address, host) = match rest.rsplit_once(':') {
            None => (None, rest),
            Some((address, host)) => {
                let brackets = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
                let address = match brackets {
                    Some(v6) => v6.parse().map(IpAddr::V6).ok(),
                    None => address.parse().map(IpAddr::V4).ok(),
                };
                let address = address.ok_or_else(|| error("has a host part that is no address"))?;
                let address = address.to_canonical();
                if let Some((problem, help)) = refusal(address) {
                    return Err(error(problem).with_help(help.map(str::to_owned)));
                }
                (Some(address), host)
            }
        };
        let not_a_port = || error("has a part that is not a port from 1 to 65535");
        let (host, count) = range(host).ok_or_else(not_a_port)?;
        let (container, container_count) = range(container).ok_or_else(not_a_port)?;
        if count != container_count {
            return Err(error("has two ranges of different length"));
        }
        Ok(Self { address, host, container, count, protocol })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(IpAddr::V4(address)) => write!(f, "{address}:")?,
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:")?,
            None => {}
        }
        let more = self.count.saturating_sub(1);
        if more == 0 {
            write!(f, "{}:{}", self.host, self.container)?;
        } else {
            let (host, container) = (self.host + more, self.container + more);
            write!(f, "{}-{host}:{}-{container}", self.host, self.container)?;
        }
        match self.protocol {
            Protocol::Tcp => Ok(()),
            Protocol::Udp => f.write_str("/udp"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_and_shown() {
        for (text, shown) in [
            ("8080:80", "8080:80"),
            ("8080:80/tcp", "8080:80"),
            ("127.0.0.1:5353:53/udp", "127.0.0.1:5353:53/udp"),
            ("[::]:8443:443", "[::]:8443:443"),
            ("[fd00::1]:8443:443", "[fd00::1]:8443:443"),
            ("[FD00:0::1]:8443:443", "[fd00::1]:8443:443"),
            ("[::ffff:127.0.0.1]:1:1", "127.0.0.1:1:1"),
            ("8000-8010:80-90", "8000-8010:80-90"),
            ("1-65535:1-65535", "1-65535:1-65535"),
        ] {
            let port: Port = text.parse().unwrap();
            assert_eq!(port.to_string(), shown);
            assert_eq!(shown.parse(), Ok(port));
        }
    }

    #[test]
    fn what_is_not_a_port_is_refused() {
        for (text, problem) in [
            ("80", "does not say both the host's and the pod's port"),
            ("0:80", "has a part that is not a port from 1 to 65535"),
            ("80:65536", "has a part that is not a port from 1 to 65535"),
            ("+80:80", "has a part that is not a port from 1 to 65535"),
            ("90-80:90-80", "has a part that is not a port from 1 to 65535"),
            ("80-81:80", "has two ranges of different length"),
            ("80:80/sctp", "has a protocol other than tcp and udp"),
            ("::1:80:80", "has a host part that is no address"),
            ("localhost:80:80", "has a host part that is no address"),
            ("224.0.0.1:80:80", "is for a multicast or broadcast address"),
            ("255.255.255.255:80:80", "is for a multicast or broadcast address"),
            ("[ff02::1]:80:80", "is for a multicast or broadcast address"),
        ] {
            let message = format!("port {text:?} {problem}");
            assert_eq!(text.parse::<Port>().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn the_ipv6_loopback_is_refused_with_another_way() {
        for text in ["[::1]:8443:443", "[0:0::1]:80-90:80-90/udp"] {
            let error = text.parse::<Port>().unwrap_err();
            let problem =
                "is for the IPv6 loopback, and the kernel does not translate connections to it";
            assert_eq!(error.to_string(), format!("port {text:?} {problem}"));
            let help = "publish on 127.0.0.1, or on no address, which includes it";
            assert_eq!(error.help(), Some(help));
        }
    }

    #[test]
    fn what_is_exposed_is_said_for_each_address() {
        for (text, exposed) in [
            ("8080:80", &["0.0.0.0:8080/tcp", "[::]:8080/tcp"][..]),
            ("8000-8010:1-11/udp", &["0.0.0.0:8000-8010/udp", "[::]:8000-8010/udp"]),
            ("0.0.0.0:80:80", &["0.0.0.0:80/tcp"]),
            ("[::]:65534-65535:1-2", &["[::]:65534-65535/tcp"]),
            ("127.0.0.1:53:53/udp", &["127.0.0.1:53/udp"]),
        ] {
            let port: Port = text.parse().unwrap();
            assert_eq!(port.exposed(), exposed);
            assert_eq!(port.bound().len(), exposed.len());
        }
    }

    #[test]
    fn conflicts_are_about_the_host() {
        for (a, b, conflict) in [
            ("80:80", "80:81", true),
            ("80:80", "80:80/udp", false),
            ("80:80", "127.0.0.1:80:80", true),
            ("127.0.0.1:80:80", "127.0.0.2:80:80", false),
            ("127.0.0.1:80:80", "0.0.0.0:80:80", true),
            ("127.0.0.1:80:80", "[::]:80:80", false),
            ("80-89:80-89", "89:1", true),
            ("80-89:80-89", "90:1", false),
            ("65535:1", "65530-65534:1-5", false),
        ] {
            let (a, b): (Port, Port) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!((a.conflicts(&b), b.conflicts(&a)), (conflict, conflict), "{a} {b}");
        }
    }
}
