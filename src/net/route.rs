//! Addresses and routes, by rtnetlink(7).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use rtnetlink::packet_core::{Emitable, Parseable};
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{
    AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope,
};
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};

use super::error::Result;
use super::netlink::{CREATE, Connection, REPLACE, Request};

const NEW_ADDRESS: u16 = 20;
const DELETE_ADDRESS: u16 = 21;
const GET_ADDRESS: u16 = 22;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;

/// An address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    /// The number of the interface.
    pub(super) index: u32,
    /// The address, with the subnet it is in.
    pub(super) address: IpNet,
}

/// A route of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// Where it leads.
    pub(super) destination: IpNet,
    /// The number of the interface it leads by.
    pub(super) index: Option<u32>,
}

/// Every address of the namespace.
pub(super) fn addresses(connection: &mut Connection) -> Result<Vec<Address>> {
    let request = encode("list the addresses", GET_ADDRESS, 0, &AddressMessage::default());
    let read = |payload: &[u8]| {
        let message = AddressMessage::parse(payload).ok()?;
        let prefix = message.header.prefix_len;
        let mut address = None;
        for attribute in message.attributes {
            match attribute {
                // Of a point-to-point interface, the local one is its own.
                AddressAttribute::Local(own) => address = Some(own),
                AddressAttribute::Address(own) => address = address.or(Some(own)),
                _ => {}
            }
        }
        let address = IpNet::new(address?, prefix).ok()?;
        Some(Address { index: message.header.index, address })
    };
    Ok(connection.list(&request, |_, payload| read(payload))?.unwrap_or_default())
}

/// Gives an interface an address, which it may have already. It is used at once: nobody else on
/// tank's bridge can have it.
pub(super) fn new_address(name: &str, index: u32, address: IpNet) -> Request {
    let mut message = AddressMessage::default();
    message.header.family = family(address.addr());
    message.header.prefix_len = address.prefix_len();
    message.header.index = index;
    message.header.scope = AddressScope::Universe;
    message.attributes = vec![AddressAttribute::Local(address.addr())];
    match address {
        IpNet::V4(net) => {
            message.attributes.push(AddressAttribute::Address(address.addr()));
            message.attributes.push(AddressAttribute::Broadcast(net.broadcast()));
        }
        IpNet::V6(_) => message.header.flags = AddressHeaderFlags::Nodad,
    }
    encode(&format!("add the address {address} to {name}"), NEW_ADDRESS, CREATE | REPLACE, &message)
}

/// Takes an address from an interface; one that is gone is fine.
pub(super) fn old_address(name: &str, old: &Address) -> Request {
    let mut message = AddressMessage::default();
    message.header.family = family(old.address.addr());
    message.header.prefix_len = old.address.prefix_len();
    message.header.index = old.index;
    message.attributes = vec![AddressAttribute::Local(old.address.addr())];
    let doing = format!("remove the address {} from {name}", old.address);
    let request = encode(&doing, DELETE_ADDRESS, 0, &message);
    Request { fine: &[libc::EADDRNOTAVAIL], ..request }
}

/// Routes everything that has no other route by a gateway.
pub(super) fn new_default_route(index: u32, gateway: IpAddr) -> Request {
    let mut message = RouteMessage::default();
    message.header.address_family = family(gateway);
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Static;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message.attributes = vec![RouteAttribute::Gateway(gateway.into()), RouteAttribute::Oif(index)];
    encode(&format!("add the default route by {gateway}"), NEW_ROUTE, CREATE | REPLACE, &message)
}

/// Every route of the namespace, of all tables, without default routes and its own addresses.
pub(super) fn routes(connection: &mut Connection) -> Result<Vec<Route>> {
    let mut routes = Vec::new();
    for any in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
        let mut message = RouteMessage::default();
        message.header.address_family = family(any);
        let request = encode("list the routes", GET_ROUTE, 0, &message);
        let read = |payload: &[u8]| {
            let message = RouteMessage::parse(payload).ok()?;
            let prefix = message.header.destination_prefix_length;
            let wanted = matches!(
                message.header.kind,
                RouteType::Unicast | RouteType::BlackHole | RouteType::Unreachable
            );
            let (mut destination, mut index) = (any, None);
            for attribute in message.attributes {
                match attribute {
                    RouteAttribute::Destination(RouteAddress::Inet(address)) => {
                        destination = address.into();
                    }
                    RouteAttribute::Destination(RouteAddress::Inet6(address)) => {
                        destination = address.into();
                    }
                    RouteAttribute::Oif(oif) => index = Some(oif),
                    _ => {}
                }
            }
            let destination = IpNet::new(destination, prefix).ok()?;
            // Halves of everything are how a VPN takes the place of the default route.
            (wanted && prefix > 1).then_some(Route { destination, index })
        };
        let some = connection.list(&request, |_, payload| read(payload))?;
        routes.extend(some.unwrap_or_default());
    }
    Ok(routes)
}

/// The number of the interface that leads to the world outside, if one does.
pub(super) fn uplink(connection: &mut Connection) -> Result<Option<u32>> {
    // Addresses for documentation (RFC 5737, RFC 3849): nobody has a route of its own to them.
    let outside: [IpAddr; 2] =
        [Ipv4Addr::new(192, 0, 2, 1).into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()];
    for address in outside {
        let mut message = RouteMessage::default();
        message.header.address_family = family(address);
        message.header.destination_prefix_length = if address.is_ipv4() { 32 } else { 128 };
        message.attributes = vec![RouteAttribute::Destination(address.into())];
        let request = Request {
            fine: &[libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EACCES, libc::EAFNOSUPPORT],
            ..encode("look for the default route", GET_ROUTE, 0, &message)
        };
        let found = connection.get(&request, |payload| {
            let message = RouteMessage::parse(payload).ok()?;
            let unicast = message.header.kind == RouteType::Unicast;
            let index = message.attributes.iter().find_map(|attribute| match attribute {
                RouteAttribute::Oif(index) => Some(*index),
                _ => None,
            });
            Some(index.filter(|_| unicast))
        })?;
        if let Some(Some(index)) = found {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

fn encode(doing: &str, kind: u16, flags: u16, message: &impl Emitable) -> Request {
    let mut payload = vec![0; message.buffer_len()];
    message.emit(&mut payload);
    Request { doing: doing.to_owned(), kind, flags, payload, fine: &[] }
}
