//! The text of `/etc/hosts` and `/etc/resolv.conf` in a container: hosts(5), resolv.conf(5).

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;

use super::layout::Addresses;
use crate::sys::file;

/// The domain in which every pod has a name: `web.tank`.
const DOMAIN: &str = "tank";

/// What systemd-resolved puts into `/etc/resolv.conf`: an address that only this machine reaches.
const STUBS: [&str; 2] = ["127.0.0.53", "127.0.0.54"];

/// Where systemd-resolved writes the name servers it asks: systemd-resolved.service(8).
const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

/// No list of name servers is longer.
const MAX_FILE: u64 = 64 * 1024;

/// A pod that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub pod: String,
    /// Its addresses.
    pub addresses: Addresses,
}

/// The lines of every pod, in the order they are given: `10.0.0.2 web web.tank`.
pub fn pod_lines<'a>(pods: impl IntoIterator<Item = &'a Named>) -> String {
    let mut text = String::new();
    for Named { pod, addresses } in pods {
        let ipv6 = addresses.ipv6.map(IpAddr::V6);
        for address in [IpAddr::V4(addresses.ipv4)].into_iter().chain(ipv6) {
            // No pod may take the place of the loopback interface.
            let short = if pod == "localhost" { String::new() } else { format!("{pod} ") };
            let _ = writeln!(text, "{address}\t{short}{pod}.{DOMAIN}");
        }
    }
    text
}

/// The name servers of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolvers {
    servers: Vec<String>,
    search: Option<String>,
    options: Option<String>,
}

impl Resolvers {
    /// Those that this machine uses, also behind systemd-resolved.
    pub fn of_host() -> Self {
        let read = |path: &str| {
            let path = Path::new(path).canonicalize().ok()?;
            let bytes = file::read_bounded(&path, MAX_FILE).ok()?;
            Some(Self::parse(&String::from_utf8_lossy(&bytes)))
        };
        let own = read("/etc/resolv.conf").unwrap_or_default();
        if own.servers.iter().any(|server| STUBS.contains(&server.as_str()))
            && let Some(behind) = read(RESOLVED)
        {
            return behind;
        }
        own
    }

    /// Reads a file. Of what may stand in it several times, the last counts, as in the resolver.
    fn parse(text: &str) -> Self {
        let mut resolvers = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let keyword = words.next();
            let rest = words.collect::<Vec<_>>();
            match keyword {
                Some("nameserver") => {
                    resolvers.servers.extend(rest.first().map(|s| (*s).to_owned()))
                }
                Some("search" | "domain") => resolvers.search = Some(rest.join(" ")),
                Some("options") => resolvers.options = Some(rest.join(" ")),
                _ => {}
            }
        }
        resolvers
    }

    /// The text of `/etc/resolv.conf` for a pod on the host's network that wants other servers or
    /// another search list.
    pub fn for_host(&self, servers: &[IpAddr], search: &[String]) -> String {
        let servers: Vec<String> = match servers {
            [] => self.servers.clone(),
            own => own.iter().map(ToString::to_string).collect(),
        };
        self.text(&servers, search)
    }

    /// Whether a pod with its own network can reach any of them.
    pub fn any_reachable(&self) -> bool {
        self.reachable(true).next().is_some()
    }

    fn text(&self, servers: &[String], search: &[String]) -> String {
        let search = match search {
            [] => self.search.clone(),
            own => Some(own.join(" ")),
        };
        let mut text = String::new();
        if let Some(search) = search.filter(|search| !search.is_empty()) {
            let _ = writeln!(text, "search {search}");
        }
        for server in servers {
            let _ = writeln!(text, "nameserver {server}");
        }
        if let Some(options) = self.options.as_ref().filter(|options| !options.is_empty()) {
            let _ = writeln!(text, "options {options}");
        }
        text
    }

    /// The servers that a pod with its own network can reach: none on the loopback interface, nor
    /// one by way of an interface that it does not have.
    fn reachable(&self, ipv6: bool) -> impl Iterator<Item = &String> {
        self.servers.iter().filter(move |server| match server.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => !address.is_loopback() && !address.is_unspecified(),
            Ok(IpAddr::V6(address)) => {
                ipv6 && !address.is_loopback() && !address.is_unicast_link_local()
            }
            Err(_) => false,
        })
    }
}

/// What a pod wants of its resolver.
#[derive(Debug, Clone, Copy)]
pub struct Wishes<'a> {
    /// Its name servers; none are those of the machine.
    pub servers: &'a [IpAddr],
    /// Its search list; an empty one is that of the machine.
    pub search: &'a [String],
    /// Whether it has IPv6.
    pub ipv6: bool,
}

/// The text of `/etc/resolv.conf` for a pod on the bridge.
pub fn resolv_conf(host: &Resolvers, wishes: Wishes<'_>) -> String {
    let servers: Vec<String> = match wishes.servers {
        [] => host.reachable(wishes.ipv6).cloned().collect(),
        own => own.iter().map(ToString::to_string).collect(),
    };
    host.text(&servers, wishes.search)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes<'a>(servers: &'a [IpAddr], search: &'a [String]) -> Wishes<'a> {
        Wishes { servers, search, ipv6: true }
    }

    #[test]
    fn servers_that_a_pod_cannot_reach_are_left_out() {
        let host = Resolvers::parse(
            "# made by hand\nnameserver 127.0.0.1\nnameserver ::1\nnameserver fe80::1%eth0\n\
             nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch old\nsearch corp example\n\
             options ndots:2 edns0\n",
        );
        let text = resolv_conf(&host, wishes(&[], &[]));
        let expected = "search corp example\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n\
                        options ndots:2 edns0\n";
        assert_eq!(text, expected);
        assert!(host.any_reachable());
        let without = Wishes { ipv6: false, ..wishes(&[], &[]) };
        assert!(!resolv_conf(&host, without).contains("2001"));
    }

    #[test]
    fn a_machine_with_a_local_resolver_only_has_none_for_pods() {
        let host = Resolvers::parse("nameserver 127.0.0.1\n");
        assert_eq!(resolv_conf(&host, wishes(&[], &[])), "");
        assert!(!host.any_reachable());
    }

    #[test]
    fn what_a_pod_wants_counts_more() {
        let host = Resolvers::parse("nameserver 192.0.2.53\nsearch corp\n");
        let servers = ["192.0.2.1".parse().unwrap()];
        let search = ["a.example".to_owned(), "b.example".to_owned()];
        let text = resolv_conf(&host, wishes(&servers, &search));
        assert_eq!(text, "search a.example b.example\nnameserver 192.0.2.1\n");
    }

    #[test]
    fn every_pod_has_a_short_and_a_long_name() {
        let named = |pod: &str| Named {
            pod: pod.to_owned(),
            addresses: Addresses {
                ipv4: "10.0.0.2".parse().unwrap(),
                ipv6: Some("fd00::2".parse().unwrap()),
            },
        };
        let lines = pod_lines(&[named("web")]);
        assert_eq!(lines, "10.0.0.2\tweb web.tank\nfd00::2\tweb web.tank\n");
        assert!(!pod_lines(&[named("localhost")]).contains("localhost localhost"));
    }
}
