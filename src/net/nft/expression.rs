//! The expressions that rules consist of, as the kernel's virtual machine runs them:
//! linux/netfilter/nf_tables.h. A rule goes on to its next expression while each is true.

use crate::net::attribute::Attributes;

/// `NFTA_LIST_ELEM`
const ELEMENT: u16 = 1;

/// `NFT_REG_1`, the first register of 16 bytes. It is also the first four of 4 bytes each.
const FIRST: u32 = 1;
/// `NFT_REG32_00`, the first register of 4 bytes.
const FIRST_WORD: u32 = 8;
/// The pseudo register of a verdict.
const VERDICT: u32 = 0;

/// One expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::net) enum Expression {
    /// Loads what is known about the packet besides its bytes into a word.
    Meta { key: Meta, word: u32 },
    /// Loads bytes of the packet into a word.
    Payload { base: Base, offset: u32, length: u32, word: u32 },
    /// Loads the state of the packet's connection: [`ESTABLISHED`], [`RELATED`].
    ConnectionState,
    /// Loads the status of the packet's connection: [`DESTINATION_CHANGED`].
    ConnectionStatus,
    /// Loads the type of the destination address: `RTN_LOCAL`, ...
    DestinationType,
    /// Keeps these bits of the first register.
    Mask(Vec<u8>),
    /// Whether the first register has this value.
    Equal(Vec<u8>),
    /// Whether the first register has another value.
    Unequal(Vec<u8>),
    /// Whether the key in the first words is in the set.
    In(&'static str),
    /// Whether it is not.
    NotIn(&'static str),
    /// Replaces the key in the first words by the map's value, if it has one.
    Map(&'static str),
    /// Sends the connection to the IPv4 address and port in the first words.
    DestinationNat4,
    /// Sends the connection to the IPv6 address and port in the first words.
    DestinationNat6,
    /// Gives the connection the address of the interface it leaves by.
    Masquerade,
    /// The packet is gone.
    Drop,
    /// The chain is over.
    Accept,
    /// Goes on in another chain of the table.
    Jump(&'static str),
}

/// `enum nft_meta_keys`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(in crate::net) enum Meta {
    /// What a frame carries: `ETH_P_*`, two bytes.
    Carried = 1,
    /// The name of the interface it came in by.
    InputName = 6,
    /// The name of the interface it goes out by.
    OutputName = 7,
    /// IPv4 or IPv6: `NFPROTO_*`, one byte.
    Family = 15,
    /// TCP or UDP: `IPPROTO_*`, one byte.
    Protocol = 16,
}

/// `enum nft_payload_bases`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(in crate::net) enum Base {
    /// The header of IPv4 or IPv6.
    Network = 1,
    /// The header of TCP or UDP.
    Transport = 2,
}

/// The bit of an established connection in [`Expression::ConnectionState`].
pub(in crate::net) const ESTABLISHED: u32 = 1 << 1;
/// The bit of one that belongs to another, as errors do.
pub(in crate::net) const RELATED: u32 = 1 << 2;
/// The bit of a changed destination in [`Expression::ConnectionStatus`]: `IPS_DST_NAT`.
pub(in crate::net) const DESTINATION_CHANGED: u32 = 1 << 5;

/// `NF_DROP` and `NF_ACCEPT` of linux/netfilter.h, `NFT_JUMP` of nf_tables.h.
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;
const NFT_JUMP: i32 = -3;

/// `NFPROTO_IPV4` and `NFPROTO_IPV6`.
pub(in crate::net) const IPV4: u8 = 2;
/// See [`IPV4`].
pub(in crate::net) const IPV6: u8 = 10;

impl Expression {
    fn name(&self) -> &'static str {
        match self {
            Self::Meta { .. } => "meta",
            Self::Payload { .. } => "payload",
            Self::ConnectionState | Self::ConnectionStatus => "ct",
            Self::DestinationType => "fib",
            Self::Mask(_) => "bitwise",
            Self::Equal(_) | Self::Unequal(_) => "cmp",
            Self::In(_) | Self::NotIn(_) | Self::Map(_) => "lookup",
            Self::DestinationNat4 | Self::DestinationNat6 => "nat",
            Self::Masquerade => "masq",
            Self::Drop | Self::Accept | Self::Jump(_) => "immediate",
        }
    }

    /// The attributes of the expression's own kind.
    fn data(&self) -> Attributes {
        let new = Attributes::new;
        match self {
            Self::Meta { key, word } => new().be32(1, FIRST_WORD + word).be32(2, *key as u32),
            Self::Payload { base, offset, length, word } => new()
                .be32(1, FIRST_WORD + word)
                .be32(2, *base as u32)
                .be32(3, *offset)
                .be32(4, *length),
            // NFT_CT_STATE and NFT_CT_STATUS
            Self::ConnectionState => new().be32(1, FIRST).be32(2, 0),
            Self::ConnectionStatus => new().be32(1, FIRST).be32(2, 2),
            // NFT_FIB_RESULT_ADDRTYPE of NFTA_FIB_F_DADDR
            Self::DestinationType => new().be32(1, FIRST).be32(2, 3).be32(3, 2),
            Self::Mask(mask) => new()
                .be32(1, FIRST)
                .be32(2, FIRST)
                .be32(3, u32::try_from(mask.len()).unwrap_or_default())
                .nest(4, &value(mask))
                .nest(5, &value(&vec![0; mask.len()])),
            Self::Equal(bytes) => new().be32(1, FIRST).be32(2, 0).nest(3, &value(bytes)),
            Self::Unequal(bytes) => new().be32(1, FIRST).be32(2, 1).nest(3, &value(bytes)),
            Self::In(set) => new().text(1, set).be32(2, FIRST),
            // NFT_LOOKUP_F_INV
            Self::NotIn(set) => new().text(1, set).be32(2, FIRST).be32(5, 1),
            Self::Map(map) => new().text(1, map).be32(2, FIRST).be32(3, FIRST),
            Self::DestinationNat4 => destination_nat(IPV4, FIRST_WORD + 1),
            Self::DestinationNat6 => destination_nat(IPV6, FIRST_WORD + 4),
            Self::Masquerade => new(),
            Self::Drop => verdict(NF_DROP, None),
            Self::Accept => verdict(NF_ACCEPT, None),
            Self::Jump(chain) => verdict(NFT_JUMP.cast_unsigned(), Some(chain)),
        }
    }
}

/// A plain value: `NFTA_DATA_VALUE`.
pub(super) fn value(bytes: &[u8]) -> Attributes {
    Attributes::new().bytes(1, bytes)
}

fn verdict(code: u32, chain: Option<&str>) -> Attributes {
    let code = Attributes::new().be32(1, code);
    let code = chain.map_or(code.clone(), |chain| code.text(2, chain));
    // NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA with NFTA_DATA_VERDICT
    Attributes::new().be32(1, VERDICT).nest(2, &Attributes::new().nest(2, &code))
}

/// `NFT_NAT_DNAT` to the address in the first register and the port in `port`.
fn destination_nat(family: u8, port: u32) -> Attributes {
    Attributes::new().be32(1, 1).be32(2, family.into()).be32(3, FIRST).be32(5, port)
}

/// Encodes the expressions of a rule: `NFTA_RULE_EXPRESSIONS`.
pub(super) fn encode(expressions: &[Expression]) -> Attributes {
    expressions.iter().fold(Attributes::new(), |list, expression| {
        let one = Attributes::new().text(1, expression.name()).nest(2, &expression.data());
        list.nest(ELEMENT, &one)
    })
}
