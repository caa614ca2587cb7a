//! The conditions and values that the rules are put together from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::net::nft::expression::{Base, Expression, Meta};
use crate::net::nft::ruleset::{Rule, interface};

/// Whether packets are of this family.
pub(super) fn family(number: u8) -> [Expression; 2] {
    [Expression::Meta { key: Meta::Family, word: 0 }, Expression::Equal(vec![number])]
}

/// Whether they come in by this interface, or by another.
pub(super) fn from(name: &str, is: bool) -> [Expression; 2] {
    named(Meta::InputName, name, is)
}

/// Whether they go out by this interface, or by another.
pub(super) fn to(name: &str, is: bool) -> [Expression; 2] {
    named(Meta::OutputName, name, is)
}

fn named(key: Meta, name: &str, is: bool) -> [Expression; 2] {
    let name = interface(name);
    let test = if is { Expression::Equal(name) } else { Expression::Unequal(name) };
    [Expression::Meta { key, word: 0 }, test]
}

/// The source address in the header of IPv4.
pub(super) fn source4() -> Expression {
    Expression::Payload { base: Base::Network, offset: 12, length: 4, word: 0 }
}

/// The destination address in the header of IPv4.
pub(super) fn destination4() -> Expression {
    Expression::Payload { base: Base::Network, offset: 16, length: 4, word: 0 }
}

/// The source address in the header of IPv6.
pub(super) fn source6() -> Expression {
    Expression::Payload { base: Base::Network, offset: 8, length: 16, word: 0 }
}

/// The destination address in the header of IPv6.
pub(super) fn destination6() -> Expression {
    Expression::Payload { base: Base::Network, offset: 24, length: 16, word: 0 }
}

/// Whether the address in the first word is of a subnet, or of another.
pub(super) fn within(network: impl Into<IpAddr>, prefix: u8, is: bool) -> [Expression; 2] {
    let (network, mask) = match network.into() {
        IpAddr::V4(network) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            (network.octets().to_vec(), Ipv4Addr::from_bits(mask).octets().to_vec())
        }
        IpAddr::V6(network) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            (network.octets().to_vec(), Ipv6Addr::from_bits(mask).octets().to_vec())
        }
    };
    let test = if is { Expression::Equal(network) } else { Expression::Unequal(network) };
    [Expression::Mask(mask), test]
}

/// Whether some of these bits are set in the word that `load` loads.
pub(super) fn any_of(load: Expression, bits: u32) -> [Expression; 3] {
    [
        load,
        Expression::Mask(bits.to_ne_bytes().to_vec()),
        Expression::Unequal(0_u32.to_ne_bytes().to_vec()),
    ]
}

/// A rule of these conditions and what follows from them.
pub(super) fn rule<const N: usize>(comment: &'static str, parts: [&[Expression]; N]) -> Rule {
    Rule { comment, expressions: parts.concat() }
}

/// The length of an address of IPv6 in words.
pub(super) const WORDS6: u32 = 4;

/// Loads protocol and port behind `words` words of address.
pub(super) fn service(words: u32) -> [Expression; 2] {
    [
        Expression::Meta { key: Meta::Protocol, word: words },
        Expression::Payload { base: Base::Transport, offset: 2, length: 2, word: words + 1 },
    ]
}
