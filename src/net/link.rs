//! Network interfaces, by rtnetlink(7).

use rtnetlink::packet_core::Emitable;
use rtnetlink::packet_core::Parseable;
use rtnetlink::packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoBridge, InfoBridgePort, InfoData, InfoKind,
    InfoPortData, InfoPortKind, InfoVeth, LinkAttribute, LinkExtentMask, LinkFlags, LinkInfo,
    LinkMessage,
};
use std::os::fd::{AsRawFd, BorrowedFd};

use super::error::Result;
use super::netlink::{CREATE, Connection, EXCLUSIVE, Request};

const NEW_LINK: u16 = 16;
const DELETE_LINK: u16 = 17;
const GET_LINK: u16 = 18;
const SET_LINK: u16 = 19;

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// Its number.
    pub(super) index: u32,
    /// Its name.
    pub(super) name: String,
    /// What is written on it; tank writes whose it is.
    pub(super) alias: String,
    /// Whether it is a bridge.
    pub(super) is_bridge: bool,
    /// Whether it is one of a pair.
    pub(super) is_veth: bool,
    /// Whether it is the loopback interface.
    pub(super) is_loopback: bool,
    /// Whether it is up.
    pub(super) is_up: bool,
    /// Its largest packet, in bytes.
    pub(super) mtu: u32,
    /// The number of the bridge it is a port of.
    pub(super) master: Option<u32>,
}

impl Link {
    fn parse(payload: &[u8]) -> Option<Self> {
        let message = LinkMessage::parse(payload).ok()?;
        let mut link = Self {
            index: message.header.index,
            name: String::new(),
            alias: String::new(),
            is_bridge: false,
            is_veth: false,
            is_loopback: message.header.flags.contains(LinkFlags::Loopback),
            is_up: message.header.flags.contains(LinkFlags::Up),
            mtu: 0,
            master: None,
        };
        for attribute in message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name = name,
                LinkAttribute::IfAlias(alias) => link.alias = alias,
                LinkAttribute::Mtu(mtu) => link.mtu = mtu,
                LinkAttribute::Controller(index) => link.master = Some(index),
                LinkAttribute::LinkInfo(infos) => {
                    link.is_bridge = infos.contains(&LinkInfo::Kind(InfoKind::Bridge));
                    link.is_veth = infos.contains(&LinkInfo::Kind(InfoKind::Veth));
                }
                _ => {}
            }
        }
        Some(link)
    }
}

/// Every interface of the namespace.
pub(super) fn all(connection: &mut Connection) -> Result<Vec<Link>> {
    let mut message = LinkMessage::default();
    message.attributes = vec![LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats])];
    let request = request("list the network interfaces", GET_LINK, 0, &message);
    let links = connection.list(&request, |_, payload| Link::parse(payload))?;
    Ok(links.unwrap_or_default())
}

/// The interface of this name.
pub(super) fn find(connection: &mut Connection, name: &str) -> Result<Option<Link>> {
    let mut message = LinkMessage::default();
    message.attributes = vec![LinkAttribute::IfName(name.to_owned())];
    let mut request = request(&format!("look up the interface {name}"), GET_LINK, 0, &message);
    request.fine = &[libc::ENODEV];
    connection.get(&request, Link::parse)
}

/// Makes a bridge, down and without addresses.
pub(super) fn new_bridge(name: &str, hardware_address: Vec<u8>, mtu: u32) -> Request {
    let mut message = LinkMessage::default();
    // Frames are forwarded from the first moment. Snooping would keep neighbour discovery from
    // ports until their first report.
    let data = vec![InfoBridge::ForwardDelay(0), InfoBridge::MulticastSnooping(false)];
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::Address(hardware_address),
        LinkAttribute::Mtu(mtu),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Bridge),
            LinkInfo::Data(InfoData::Bridge(data)),
        ]),
    ];
    request(&format!("make the bridge {name}"), NEW_LINK, CREATE | EXCLUSIVE, &message)
}

/// What a pair of interfaces is made from.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    /// The name of the end that stays here.
    pub(super) name: &'a str,
    /// The name of the other end.
    pub(super) peer: &'a str,
    /// The hardware address of the other end.
    pub(super) peer_address: Vec<u8>,
    /// The namespace of the other end.
    pub(super) namespace: BorrowedFd<'a>,
    /// The largest packet of both.
    pub(super) mtu: u32,
}

/// Makes a pair of interfaces, one here and one in another namespace, both down.
pub(super) fn new_pair(pair: Pair<'_>) -> Request {
    let mut peer = LinkMessage::default();
    peer.attributes = vec![
        LinkAttribute::IfName(pair.peer.to_owned()),
        LinkAttribute::Address(pair.peer_address),
        LinkAttribute::Mtu(pair.mtu),
        LinkAttribute::NetNsFd(pair.namespace.as_raw_fd()),
    ];
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(pair.name.to_owned()),
        LinkAttribute::Mtu(pair.mtu),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]),
    ];
    let doing = format!("make the pair of interfaces {}", pair.name);
    request(&doing, NEW_LINK, CREATE | EXCLUSIVE, &message)
}

/// Writes on an interface whose it is.
pub(super) fn label(name: &str, alias: &str) -> Request {
    let mut message = LinkMessage::default();
    message.attributes =
        vec![LinkAttribute::IfName(name.to_owned()), LinkAttribute::IfAlias(alias.to_owned())];
    request(&format!("label the interface {name}"), SET_LINK, 0, &message)
}

/// Keeps an interface from giving itself an address of IPv6: a port of a bridge has no use for it.
pub(super) fn without_address(name: &str) -> Request {
    let mut message = LinkMessage::default();
    let none = AfSpecUnspec::Inet6(vec![AfSpecInet6::AddrGenMode(In6AddrGenMode::None)]);
    message.attributes =
        vec![LinkAttribute::IfName(name.to_owned()), LinkAttribute::AfSpecUnspec(vec![none])];
    let request = request(&format!("set up the interface {name}"), SET_LINK, 0, &message);
    // A kernel without IPv6.
    Request { fine: &[libc::EAFNOSUPPORT], ..request }
}

/// Brings an interface up.
pub(super) fn bring_up(name: &str) -> Request {
    let mut message = up();
    message.attributes = vec![LinkAttribute::IfName(name.to_owned())];
    request(&format!("bring up the interface {name}"), SET_LINK, 0, &message)
}

/// Makes an interface a port of a bridge, up, with this largest packet.
pub(super) fn set_port(name: &str, bridge: u32, mtu: u32) -> Request {
    let mut message = up();
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::Controller(bridge),
        LinkAttribute::Mtu(mtu),
    ];
    request(&format!("attach the interface {name} to the bridge"), SET_LINK, 0, &message)
}

/// Lets a port of a bridge send frames back where they came from. A pod that calls its own published
/// port needs it where bridges pass their frames through packet filters (bridge-nf-call-iptables):
/// the frame is then translated before it ever leaves the bridge.
pub(super) fn set_hairpin(name: &str) -> Request {
    let mut message = LinkMessage::default();
    let hairpin = InfoPortData::BridgePort(vec![InfoBridgePort::HairpinMode(true)]);
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(hairpin),
        ]),
    ];
    request(&format!("set up the port {name} of the bridge"), NEW_LINK, 0, &message)
}

/// Sets the largest packet of an interface.
pub(super) fn set_mtu(name: &str, mtu: u32) -> Request {
    let mut message = LinkMessage::default();
    message.attributes = vec![LinkAttribute::IfName(name.to_owned()), LinkAttribute::Mtu(mtu)];
    request(&format!("set the MTU of the interface {name}"), SET_LINK, 0, &message)
}

/// Puts an interface into a group of interfaces.
pub(super) fn set_group(link: &Link, group: u32) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = link.index;
    message.attributes = vec![LinkAttribute::Group(group)];
    let doing = format!("mark the interface {} for removal", link.name);
    Request { fine: &[libc::ENODEV], ..request(&doing, SET_LINK, 0, &message) }
}

/// Removes all interfaces of a group, which takes hardly longer than removing one.
pub(super) fn delete_group(group: u32) -> Request {
    let mut message = LinkMessage::default();
    message.attributes = vec![LinkAttribute::Group(group)];
    let request = request("remove the marked interfaces", DELETE_LINK, 0, &message);
    Request { fine: &[libc::ENODEV], ..request }
}

/// Removes an interface; one that is not there any more is fine.
pub(super) fn delete(link: &Link) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = link.index;
    let doing = format!("remove the interface {}", link.name);
    Request { fine: &[libc::ENODEV], ..request(&doing, DELETE_LINK, 0, &message) }
}

fn up() -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    message
}

fn request(doing: &str, kind: u16, flags: u16, message: &LinkMessage) -> Request {
    let mut payload = vec![0; message.buffer_len()];
    message.emit(&mut payload);
    Request { doing: doing.to_owned(), kind, flags, payload, fine: &[] }
}
