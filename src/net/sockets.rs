//! Who listens on this machine: sock_diag(7). A published port would take connections away from
//! a program that listens on it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::attribute;
use super::error::Result;
use super::netlink::{Connection, Request};
use crate::model::pod::{Port, Protocol};
use crate::sys::file;

/// `NETLINK_SOCK_DIAG`
const NETLINK_SOCK_DIAG: isize = 4;
/// `SOCK_DIAG_BY_FAMILY`
const BY_FAMILY: u16 = 20;
/// `TCP_LISTEN` and `TCP_CLOSE`, which for UDP is a socket that takes packets from everybody.
const LISTEN: u32 = 1 << 10;
const UNCONNECTED: u32 = 1 << 7;
/// `INET_DIAG_SKV6ONLY`
const V6_ONLY: u16 = 11;
/// The length of `struct inet_diag_msg`.
const MESSAGE: usize = 72;

/// A socket that takes connections or packets from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its protocol.
    pub protocol: Protocol,
    /// The address it is bound to; the unspecified one is all of its family.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Whether a socket of the unspecified IPv6 address takes IPv4 as well.
    pub dual: bool,
    inode: u32,
}

/// Every such socket of this network namespace.
pub fn listeners() -> Result<Vec<Listener>> {
    let mut connection = Connection::open(NETLINK_SOCK_DIAG)?;
    let mut all = Vec::new();
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        for family in [libc::AF_INET, libc::AF_INET6] {
            let (number, states) = match protocol {
                Protocol::Tcp => (libc::IPPROTO_TCP, LISTEN),
                Protocol::Udp => (libc::IPPROTO_UDP, UNCONNECTED),
            };
            let byte = |number: i32| u8::try_from(number).unwrap_or_default();
            let mut payload = vec![byte(family), byte(number), 0, 0];
            payload.extend(states.to_ne_bytes());
            // Of any socket: struct inet_diag_sockid.
            payload.resize(56, 0);
            let request = Request {
                doing: "list the listening sockets".to_owned(),
                kind: BY_FAMILY,
                flags: 0,
                payload,
                fine: &[libc::ENOENT],
            };
            let some = connection.list(&request, |_, payload| parse(protocol, payload))?;
            all.extend(some.unwrap_or_default());
        }
    }
    Ok(all)
}

fn parse(protocol: Protocol, payload: &[u8]) -> Option<Listener> {
    let address = payload.get(8..24)?;
    let address = match i32::from(*payload.first()?) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(&address[..4]).ok()?)),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?)),
        _ => return None,
    };
    let v6_only = attribute::find(payload.get(MESSAGE..)?, V6_ONLY);
    Some(Listener {
        protocol,
        address: address.to_canonical(),
        port: u16::from_be_bytes(payload.get(4..6)?.try_into().ok()?),
        dual: address == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
            && v6_only.is_none_or(|value| value.first() != Some(&1)),
        inode: u32::from_ne_bytes(payload.get(68..MESSAGE)?.try_into().ok()?),
    })
}

impl Listener {
    /// Whether publishing `port` would take something away from it.
    pub fn conflicts(&self, port: &Port) -> bool {
        let own = |address| Port {
            address,
            host: self.port,
            container: self.port,
            count: 1,
            protocol: self.protocol,
        };
        own(if self.dual { None } else { Some(self.address) }).conflicts(port)
    }

    /// Whose it is, as far as that can be seen.
    pub fn process(&self) -> Option<Process> {
        let wanted = format!("socket:[{}]", self.inode);
        std::fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            let mut files = std::fs::read_dir(process.path().join("fd")).ok()?.flatten();
            let is_it = |link: PathBuf| link.as_os_str() == wanted.as_str();
            files.any(|file| std::fs::read_link(file.path()).is_ok_and(is_it)).then(|| {
                let command = file::read_proc(&format!("/proc/{pid}/comm")).unwrap_or_default();
                Process { pid, command: command.trim_end().to_owned() }
            })
        })
    }
}

/// A process that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// The name of its program.
    pub command: String,
}

/// `pid 7 (nginx)`
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} ({})", self.pid, self.command)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    fn found(protocol: Protocol, port: u16) -> Listener {
        let all = listeners().unwrap();
        all.into_iter().find(|one| one.protocol == protocol && one.port == port).unwrap()
    }

    #[test]
    fn a_listening_socket_is_found_with_its_owner() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let listener = found(Protocol::Tcp, port);
        assert_eq!(listener.address, IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(listener.process().unwrap().pid.unsigned_abs(), std::process::id());
        let published = |text: String| text.parse::<Port>().unwrap();
        assert!(listener.conflicts(&published(format!("{port}:80"))));
        assert!(listener.conflicts(&published(format!("127.0.0.1:{port}:80"))));
        assert!(!listener.conflicts(&published(format!("127.0.0.2:{port}:80"))));
        assert!(!listener.conflicts(&published(format!("[::]:{port}:80"))));
        assert!(!listener.conflicts(&published(format!("{port}:80/udp"))));
    }

    #[test]
    fn a_socket_of_all_addresses_takes_both_families() {
        let socket = UdpSocket::bind("[::]:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let listener = found(Protocol::Udp, port);
        assert!(listener.dual);
        assert!(listener.conflicts(&format!("0.0.0.0:{port}:53/udp").parse().unwrap()));
    }
}
