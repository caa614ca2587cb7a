//! Network interfaces, as far as one ioctl of netdevice(7) and getifaddrs(3) go.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;

use nix::sys::socket::SockaddrStorage;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::{Error, Result};

/// Brings the interface `name` of the calling process's network namespace up.
pub fn up(name: &str) -> Result<()> {
    let failed = |call, e: std::io::Error| Error::new(call, name, e);
    let socket = rustix::net::socket_with(
        AddressFamily::INET,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(|errno| failed("socket", errno.into()))?;
    // SAFETY: ifreq is plain data; all zeroes is a valid value with an empty name.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let room = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name[..room].iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = i16::try_from(libc::IFF_UP).unwrap_or_default();
    // SAFETY: the socket is open and SIOCSIFFLAGS reads one ifreq, which is valid.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    match result {
        0 => Ok(()),
        _ => Err(failed("SIOCSIFFLAGS", std::io::Error::last_os_error())),
    }
}

/// The addresses of the interfaces of the calling process's network namespace, each with port 0:
/// getifaddrs(3).
pub fn addresses() -> Result<Vec<SocketAddr>> {
    let interfaces =
        nix::ifaddrs::getifaddrs().map_err(|errno| Error::new("getifaddrs", "", errno))?;
    let addresses = interfaces.filter_map(|interface| interface.address);
    let internet = |address: SockaddrStorage| {
        let ipv4 = address.as_sockaddr_in().map(|ipv4| SocketAddr::V4((*ipv4).into()));
        ipv4.or_else(|| address.as_sockaddr_in6().map(|ipv6| SocketAddr::V6((*ipv6).into())))
    };
    Ok(addresses.filter_map(internet).collect())
}
