//! Connections that the kernel remembers: ctnetlink.
//!
//! A stream of UDP packets is one connection for as long as it goes on, and keeps the destination
//! that it got first. After a port was published, or given up, streams to it have to be looked at
//! anew; TCP connections end by themselves.

use std::collections::BTreeSet;

use super::attribute::{self, Attributes};
use super::error::Result;
use super::netlink::{Connection, Request};

/// `NETLINK_NETFILTER`
const NETLINK_NETFILTER: isize = 12;
/// `NFNL_SUBSYS_CTNETLINK << 8` with `IPCTNL_MSG_CT_GET` and `IPCTNL_MSG_CT_DELETE`
const GET: u16 = 1 << 8 | 1;
const DELETE: u16 = 1 << 8 | 2;

/// `CTA_TUPLE_ORIG` and `CTA_ZONE`
const ORIGINAL: u16 = 1;
const ZONE: u16 = 18;
/// In a tuple: `CTA_TUPLE_PROTO`, in it `CTA_PROTO_NUM` and `CTA_PROTO_DST_PORT`
const PROTOCOL: u16 = 2;
const NUMBER: u16 = 1;
const PORT: u16 = 3;

/// `IPPROTO_UDP`
const UDP: u8 = 17;

/// Forgets all streams of UDP to these ports of this machine.
pub(super) fn forget(ports: &BTreeSet<u16>) -> Result<()> {
    if ports.is_empty() {
        return Ok(());
    }
    let mut connection = Connection::open(NETLINK_NETFILTER)?;
    for family in [libc::AF_INET, libc::AF_INET6] {
        let header = vec![u8::try_from(family).unwrap_or_default(), 0, 0, 0];
        let list = Request {
            doing: "list the connections".to_owned(),
            kind: GET,
            flags: 0,
            payload: header.clone(),
            // A kernel that remembers none.
            fine: &[libc::EINVAL, libc::EOPNOTSUPP],
        };
        let found = connection.list(&list, |_, payload| to_one_of(ports, payload.get(4..)?))?;
        let forget = |attributes: Attributes| Request {
            doing: "forget a connection".to_owned(),
            kind: DELETE,
            flags: 0,
            payload: [&header, attributes.as_bytes()].concat(),
            // It ended meanwhile.
            fine: &[libc::ENOENT],
        };
        let requests: Vec<_> = found.unwrap_or_default().into_iter().map(forget).collect();
        for some in requests.chunks(64) {
            connection.batch(some)?;
        }
    }
    Ok(())
}

/// What names a connection, if it is a stream of UDP to one of the ports.
fn to_one_of(ports: &BTreeSet<u16>, payload: &[u8]) -> Option<Attributes> {
    let original = attribute::find(payload, ORIGINAL)?;
    let protocol = attribute::find(original, PROTOCOL)?;
    let port = attribute::find(protocol, PORT)?.try_into().ok()?;
    let is_udp = attribute::find(protocol, NUMBER)? == [UDP];
    if !is_udp || !ports.contains(&u16::from_be_bytes(port)) {
        return None;
    }
    let named = Attributes::new().nest_bytes(ORIGINAL, original);
    Some(match attribute::find(payload, ZONE) {
        Some(zone) => named.bytes(ZONE, zone),
        None => named,
    })
}
