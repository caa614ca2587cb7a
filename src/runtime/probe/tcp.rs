//! Connecting to a server in the pod.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Instant;

use super::{Unwell, left};
use crate::sys::link;

/// Where a server in the pod may listen: most do on all addresses, some on one loopback only.
const LOOPBACKS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Connects to a port of the namespace that this process is in: on a loopback, else on an address of
/// one of its interfaces, for some servers listen on the address of their host name only.
pub(super) fn connect(port: u16, end: Instant) -> Result<TcpStream, Unwell> {
    let mut problem = None;
    let loopbacks = LOOPBACKS.map(|ip| SocketAddr::new(ip, 0));
    let interfaces = std::iter::once_with(|| link::addresses().unwrap_or_default()).flatten();
    let interfaces = interfaces.filter(|address| !address.ip().is_loopback());
    for mut address in loopbacks.into_iter().chain(interfaces) {
        address.set_port(port);
        match TcpStream::connect_timeout(&address, left(end)?) {
            Ok(stream) => return Ok(stream),
            Err(e) if e.kind() == io::ErrorKind::TimedOut => return Err(Unwell::Late),
            // What the first says is what people know the server by.
            Err(e) => problem = problem.or(Some(format!("cannot connect to port {port}: {e}"))),
        }
    }
    Err(Unwell::Wrong(problem.unwrap_or_default()))
}
