//! A connection to the kernel by netlink(7): requests with their answers, in one thread and
//! without an event loop. The kernel answers while it is asked, so nothing waits.

use std::io;

use rtnetlink::sys::{Socket, SocketAddr};
use rustix::net::sockopt;

use super::attribute;
use super::error::{Error, Result};

/// `NLM_F_REQUEST`
const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`
const ACK: u16 = 0x4;
/// `NLM_F_ROOT | NLM_F_MATCH`: all of them.
pub(super) const DUMP: u16 = 0x300;
/// `NLM_F_EXCL`: it must not be there.
pub(super) const EXCLUSIVE: u16 = 0x200;
/// `NLM_F_CREATE`: it is made if it is not there.
pub(super) const CREATE: u16 = 0x400;
/// `NLM_F_REPLACE`: it is changed if it is there.
pub(super) const REPLACE: u16 = 0x100;
/// `NLM_F_APPEND`: it goes behind the others.
pub(super) const APPEND: u16 = 0x800;

/// `NLM_F_ACK_TLVS`: attributes follow in an acknowledgement.
const ACK_ATTRIBUTES: u16 = 0x200;
/// `NLM_F_DUMP_INTR`: what was listed changed meanwhile.
const INTERRUPTED: u16 = 0x10;

/// `NLMSG_ERROR`, which is also an acknowledgement.
const ERROR: u16 = 2;
/// `NLMSG_DONE`
const DONE: u16 = 3;

/// `NLMSGERR_ATTR_MSG`
const MESSAGE: u16 = 1;

/// The length of `struct nlmsghdr`.
const HEADER: usize = 16;

/// The kernel's answers come in packets of at most 32 KiB to whoever has room for them.
const PACKET: usize = 64 * 1024;

/// How often a list is asked for again that changed while it was sent.
const RETRIES: usize = 8;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// What it asks for, for errors: `add the address 10.0.0.1 to tank0`.
    pub(super) doing: String,
    /// The type of the message.
    pub(super) kind: u16,
    /// `NLM_F_*`, beyond those that every request has.
    pub(super) flags: u16,
    /// The message behind its header.
    pub(super) payload: Vec<u8>,
    /// Error numbers that mean it is as it was asked for already.
    pub(super) fine: &'static [i32],
}

/// A connection to one family of netlink, in the network namespace it was opened in.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Socket,
    sequence: u32,
    packet: Vec<u8>,
}

impl Connection {
    /// Opens one: `protocol` is `NETLINK_ROUTE`, `NETLINK_NETFILTER`, ...
    pub(super) fn open(protocol: isize) -> Result<Self> {
        let failed = |source| refused("open a netlink socket", None, source);
        let socket = Socket::new(protocol).map_err(failed)?;
        socket.connect(&SocketAddr::new(0, 0)).map_err(failed)?;
        // Kernels without them only have less to say.
        drop(socket.set_ext_ack(true));
        drop(socket.set_cap_ack(true));
        Ok(Self { socket, sequence: 0, packet: Vec::with_capacity(PACKET) })
    }

    /// Sends requests in one message, and takes in an answer to each. The kernel works on them in
    /// their order; the first that it refused is the error, and those behind it were tried, too.
    pub(super) fn batch(&mut self, requests: &[Request]) -> Result<()> {
        if requests.is_empty() {
            return Ok(());
        }
        let first = self.sequence + 1;
        let mut bytes = Vec::new();
        for request in requests {
            self.sequence += 1;
            let flags = REQUEST | ACK | request.flags;
            bytes.extend(message(request.kind, flags, self.sequence, &request.payload));
        }
        self.send(&bytes, &requests[0].doing)?;
        let mut answered = 0;
        let mut failure = None;
        while answered < requests.len() {
            self.receive(&requests[0].doing)?;
            for (header, payload) in messages(&self.packet) {
                let index = usize::try_from(header.sequence.wrapping_sub(first)).ok();
                let Some(request) = index.and_then(|index| requests.get(index)) else { continue };
                if header.kind != ERROR {
                    continue;
                }
                answered += 1;
                let answer = acknowledged(&header, payload);
                if let Err((errno, reason)) = answer
                    && !request.fine.contains(&errno)
                {
                    let source = io::Error::from_raw_os_error(errno);
                    failure.get_or_insert(refused(&request.doing, reason, source));
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Sends messages that the kernel carries out together or not at all, with one answer to all
    /// of them. Their flags are as given; the last but one is acknowledged, the last ends it.
    pub(super) fn transaction(&mut self, doing: &str, parts: &[Request]) -> Result<()> {
        let first = self.sequence + 1;
        let mut bytes = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            self.sequence += 1;
            let acknowledged = if index + 2 == parts.len() { ACK } else { 0 };
            let flags = REQUEST | acknowledged | part.flags;
            bytes.extend(message(part.kind, flags, self.sequence, &part.payload));
        }
        // All of it has to be one packet. More than the limit of the system takes CAP_NET_ADMIN,
        // as everything here does.
        if bytes.len() > PACKET {
            let room = bytes.len() * 2;
            let set = sockopt::set_socket_send_buffer_size_force(&self.socket, room);
            set.map_err(|errno| refused(doing, None, errno.into()))?;
        }
        self.send(&bytes, doing)?;
        let last = self.sequence - 1;
        let mut failure = None;
        loop {
            self.receive(doing)?;
            for (header, payload) in messages(&self.packet) {
                if header.kind != ERROR || header.sequence < first {
                    continue;
                }
                if let Err((errno, reason)) = acknowledged(&header, payload) {
                    let part = usize::try_from(header.sequence - first).unwrap_or_default();
                    let doing = parts.get(part).map_or(doing, |part| part.doing.as_str());
                    let source = io::Error::from_raw_os_error(errno);
                    failure.get_or_insert(refused(doing, reason, source));
                    // A transaction that could not even begin has this answer only.
                    if header.sequence == first {
                        return failure.map_or(Ok(()), Err);
                    }
                }
                if header.sequence == last {
                    return failure.map_or(Ok(()), Err);
                }
            }
        }
    }

    /// Sends one request.
    pub(super) fn request(&mut self, request: Request) -> Result<()> {
        self.batch(&[request])
    }

    /// Asks for a list, and gives type and payload of each of its members. A list that changed
    /// while it was sent is asked for again. `Ok(None)` if the kernel refused with an error number
    /// of `request.fine`: there is no such list.
    pub(super) fn list<T>(
        &mut self,
        request: &Request,
        mut read: impl FnMut(u16, &[u8]) -> Option<T>,
    ) -> Result<Option<Vec<T>>> {
        for _ in 0..RETRIES {
            self.sequence += 1;
            let flags = REQUEST | DUMP | request.flags;
            let bytes = message(request.kind, flags, self.sequence, &request.payload);
            self.send(&bytes, &request.doing)?;
            match self.members(request, &mut read)? {
                Listed::Whole(members) => return Ok(Some(members)),
                Listed::Absent => return Ok(None),
                Listed::Changed => {}
            }
        }
        Err(refused(&request.doing, None, io::Error::from_raw_os_error(libc::EAGAIN)))
    }

    fn members<T>(
        &mut self,
        request: &Request,
        read: &mut impl FnMut(u16, &[u8]) -> Option<T>,
    ) -> Result<Listed<T>> {
        let mut members = Vec::new();
        let mut whole = true;
        loop {
            self.receive(&request.doing)?;
            for (header, payload) in messages(&self.packet) {
                if header.sequence != self.sequence {
                    continue;
                }
                whole &= header.flags & INTERRUPTED == 0;
                match header.kind {
                    DONE if whole => return Ok(Listed::Whole(members)),
                    DONE => return Ok(Listed::Changed),
                    ERROR => match acknowledged(&header, payload) {
                        Ok(()) => return Ok(Listed::Whole(members)),
                        Err((errno, _)) if request.fine.contains(&errno) => {
                            return Ok(Listed::Absent);
                        }
                        Err((libc::EINTR | libc::EAGAIN, _)) => return Ok(Listed::Changed),
                        Err((errno, reason)) => {
                            let source = io::Error::from_raw_os_error(errno);
                            return Err(refused(&request.doing, reason, source));
                        }
                    },
                    kind => members.extend(read(kind, payload)),
                }
            }
        }
    }

    /// Asks for one thing, and gives what `read` makes of the answer. `Ok(None)` if the kernel
    /// refused with an error number of `request.fine`: there is no such thing.
    pub(super) fn get<T>(
        &mut self,
        request: &Request,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>> {
        self.sequence += 1;
        let bytes = message(request.kind, REQUEST | request.flags, self.sequence, &request.payload);
        self.send(&bytes, &request.doing)?;
        loop {
            self.receive(&request.doing)?;
            let own = |header: &Header| header.sequence == self.sequence;
            let Some((header, payload)) = messages(&self.packet).find(|(header, _)| own(header))
            else {
                continue;
            };
            if header.kind != ERROR {
                let doing = request.doing.clone();
                return read(payload).map(Some).ok_or(Error::Unreadable { doing });
            }
            return match acknowledged(&header, payload) {
                Err((errno, _)) if request.fine.contains(&errno) => Ok(None),
                Err((errno, reason)) => {
                    Err(refused(&request.doing, reason, io::Error::from_raw_os_error(errno)))
                }
                Ok(()) => Err(Error::Unreadable { doing: request.doing.clone() }),
            };
        }
    }

    fn send(&self, bytes: &[u8], doing: &str) -> Result<()> {
        loop {
            match self.socket.send(bytes, 0) {
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(refused(doing, None, e)),
            }
        }
    }

    fn receive(&mut self, doing: &str) -> Result<()> {
        loop {
            self.packet.clear();
            match self.socket.recv(&mut self.packet, 0) {
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(refused(doing, None, e)),
            }
        }
    }
}

/// What became of a list.
enum Listed<T> {
    Whole(Vec<T>),
    Changed,
    Absent,
}

fn refused(doing: &str, reason: Option<String>, source: io::Error) -> Error {
    Error::Refused { doing: doing.to_owned(), reason, source }
}

/// `struct nlmsghdr`, as far as it matters.
#[derive(Debug)]
struct Header {
    kind: u16,
    flags: u16,
    sequence: u32,
}

/// A message with its header.
pub(super) fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + payload.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEADER + payload.len().next_multiple_of(4));
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The messages of a packet.
fn messages(mut packet: &[u8]) -> impl Iterator<Item = (Header, &[u8])> {
    let number = |bytes: &[u8]| Some(u32::from_ne_bytes(bytes.try_into().ok()?));
    let short = |bytes: &[u8]| Some(u16::from_ne_bytes(bytes.try_into().ok()?));
    std::iter::from_fn(move || {
        let length = usize::try_from(number(packet.get(..4)?)?).ok()?;
        let header = Header {
            kind: short(packet.get(4..6)?)?,
            flags: short(packet.get(6..8)?)?,
            sequence: number(packet.get(8..12)?)?,
        };
        let payload = packet.get(HEADER..length)?;
        packet = packet.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((header, payload))
    })
}

/// What an answer says: nothing, or the error number and the kernel's words.
fn acknowledged(header: &Header, payload: &[u8]) -> std::result::Result<(), (i32, Option<String>)> {
    let number = payload.get(..4).and_then(|bytes| bytes.try_into().ok());
    let errno = number.map_or(-libc::EIO, i32::from_ne_bytes);
    if errno == 0 {
        return Ok(());
    }
    // The request's own header comes back in between.
    let attributes = payload.get(4 + HEADER..).filter(|_| header.flags & ACK_ATTRIBUTES != 0);
    let reason = attributes.and_then(|bytes| attribute::find(bytes, MESSAGE));
    Err((-errno, reason.map(attribute::text)))
}
