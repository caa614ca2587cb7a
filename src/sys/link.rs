//! Network interfaces, as far as one ioctl of netdevice(7) goes.

use std::os::fd::AsRawFd;

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
