//! Connecting to a server in the pod.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Instant;

use super::{Unwell, left};

/// Where a server in the pod may listen: most do on all addresses, some on one loopback only.
const LOOPBACKS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Connects to a port of the namespace that this process is in.
pub(super) fn connect(port: u16, end: Instant) -> Result<TcpStream, Unwell> {
    let mut problem = None;
    for address in LOOPBACKS.map(|ip| SocketAddr::new(ip, port)) {
        match TcpStream::connect_timeout(&address, left(end)?) {
            Ok(stream) => return Ok(stream),
            Err(e) if e.kind() == io::ErrorKind::TimedOut => return Err(Unwell::Late),
            // What the first says is what people know the server by.
            Err(e) => problem = problem.or(Some(format!("cannot connect to port {port}: {e}"))),
        }
    }
    Err(Unwell::Wrong(problem.unwrap_or_default()))
}
