//! Connected sockets that carry messages and descriptors between two of tank's own processes:
//! unix(7), `SOCK_SEQPACKET`.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

use super::{Error, Result};

/// The longest message.
pub const MAX_MESSAGE: usize = 16 * 1024;

/// The most descriptors that come with a message.
pub const MAX_DESCRIPTORS: usize = 3;

/// Makes a connected pair.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    connected(SocketType::SEQPACKET)
}

/// Makes a connected pair that carries bytes, both ways, instead of messages.
pub fn stream_pair() -> Result<(OwnedFd, OwnedFd)> {
    connected(SocketType::STREAM)
}

fn connected(kind: SocketType) -> Result<(OwnedFd, OwnedFd)> {
    rustix::net::socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
        .map_err(|errno| Error::new("socketpair", "", errno))
}

fn unconnected(flags: SocketFlags) -> Result<OwnedFd> {
    let flags = flags | SocketFlags::CLOEXEC;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(|errno| Error::new("socket", "", errno))
}

/// Listens at `path` for those who connect. Only the owner may; accepting does not block.
pub fn listen(path: &Path, backlog: i32) -> Result<OwnedFd> {
    let failed = |call, errno| Error::new(call, path.display().to_string(), errno);
    let socket = unconnected(SocketFlags::NONBLOCK)?;
    // The mode that bind gives the file: nobody may connect before it is right.
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR).map_err(|e| failed("fchmod", e))?;
    let place = Place::of(path)?;
    rustix::net::bind(&socket, &place.address).map_err(|e| failed("bind", e))?;
    rustix::net::listen(&socket, backlog).map_err(|e| failed("listen", e))?;
    Ok(socket)
}

/// Takes the next one who connected, if there is one and it runs as this process's user.
pub fn accept(listener: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = match rustix::net::accept_with(listener, flags) {
        Ok(socket) => socket,
        Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => return Ok(None),
        Err(errno) => return Err(Error::new("accept4", "", errno)),
    };
    let peer = rustix::net::sockopt::socket_peercred(&socket)
        .map_err(|errno| Error::new("getsockopt", "SO_PEERCRED", errno))?;
    Ok((peer.uid == rustix::process::geteuid()).then_some(socket))
}

/// Connects to the one who listens at `path`.
pub fn connect(path: &Path) -> Result<OwnedFd> {
    let socket = unconnected(SocketFlags::empty())?;
    let place = Place::of(path)?;
    rustix::io::retry_on_intr(|| rustix::net::connect(&socket, &place.address))
        .map_err(|errno| Error::new("connect", path.display().to_string(), errno))?;
    Ok(socket)
}

/// A path as an address. Those have room for 108 bytes, so it goes through its directory.
struct Place {
    address: SocketAddrUnix,
    _directory: OwnedFd,
}

impl Place {
    fn of(path: &Path) -> Result<Self> {
        let failed = |errno| Error::new("open", path.display().to_string(), errno);
        let (directory, name) =
            path.parent().zip(path.file_name()).ok_or_else(|| failed(Errno::INVAL))?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(directory, flags, Mode::empty()).map_err(failed)?;
        let through = format!("/proc/self/fd/{}", directory.as_raw_fd());
        let address = SocketAddrUnix::new(Path::new(&through).join(name)).map_err(failed)?;
        Ok(Self { address, _directory: directory })
    }
}

/// Sends one message, with the descriptors to hand over, at most [`MAX_DESCRIPTORS`].
pub fn send(socket: BorrowedFd<'_>, message: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Error::new("sendmsg", "too many descriptors", Errno::INVAL));
    }
    rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(socket, &[IoSlice::new(message)], &mut control, SendFlags::NOSIGNAL)
    })
    .map(|_| ())
    .map_err(|errno| Error::new("sendmsg", "", errno))
}

/// A message that was received: its bytes (none: the other side is closed) and its descriptors.
pub type Received = (Vec<u8>, Vec<OwnedFd>);

/// Receives one message, waiting for it.
pub fn receive(socket: BorrowedFd<'_>) -> Result<Received> {
    let mut bytes = vec![0; MAX_MESSAGE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        let mut buffers = [IoSliceMut::new(&mut bytes)];
        rustix::net::recvmsg(socket, &mut buffers, &mut control, RecvFlags::CMSG_CLOEXEC)
    })
    .map_err(|errno| Error::new("recvmsg", "", errno))?;
    bytes.truncate(received.bytes);
    let fds = control.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => fds.collect(),
        _ => Vec::new(),
    });
    Ok((bytes, fds.collect()))
}

/// Whether the other side of a socket is still open.
pub fn peer_is_there(socket: BorrowedFd<'_>) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut fds = [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::empty())];
    match poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 })) {
        Ok(_) => !fds[0].revents().contains(PollFlags::HUP),
        Err(_) => true,
    }
}
