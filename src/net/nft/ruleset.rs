//! A table as a value: what it should be, and the messages that make it so.

use std::collections::BTreeMap;

use super::expression::{self, Expression};
use crate::model::fnv::fnv1a;
use crate::net::attribute::Attributes;
use crate::net::netlink::{APPEND, CREATE};

/// A table with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::net) struct Table {
    /// Whose packets it sees.
    pub(in crate::net) family: Family,
    /// Its name.
    pub(in crate::net) name: String,
    /// Its sets and maps.
    pub(in crate::net) sets: Vec<Set>,
    /// Its chains. One that is jumped to comes before the one that jumps.
    pub(in crate::net) chains: Vec<Chain>,
}

/// The family of a table: `NFPROTO_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(in crate::net) enum Family {
    /// IPv4 and IPv6.
    Inet = 1,
    /// IPv4 alone, as others have it.
    Ip = 2,
    /// IPv6 alone, as others have it.
    Ip6 = 10,
    /// Frames between the ports of a bridge.
    Bridge = 7,
}

impl Family {
    /// Its name, as nft(8) writes it.
    pub(in crate::net) fn name(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Bridge => "bridge",
        }
    }
}

/// A set, or a map from keys to data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::net) struct Set {
    /// Its name.
    pub(in crate::net) name: &'static str,
    /// What its keys are made of.
    pub(in crate::net) key: &'static [Type],
    /// What its data is made of; nothing for a set.
    pub(in crate::net) data: &'static [Type],
    /// Its elements, encoded by [`field`].
    pub(in crate::net) elements: Elements,
}

/// The elements of a set: keys, with their data in a map.
pub(in crate::net) type Elements = BTreeMap<Vec<u8>, Vec<u8>>;

/// Elements by the names of their sets.
pub(in crate::net) type BySet = BTreeMap<String, Elements>;

/// A type of a key or of data, as nft(8) numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(in crate::net) enum Type {
    /// `ipv4_addr`
    Ipv4 = 7,
    /// `ipv6_addr`
    Ipv6 = 8,
    /// `inet_proto`
    Protocol = 12,
    /// `inet_service`
    Port = 13,
    /// `ifname`
    Interface = 41,
}

impl Type {
    /// Its length in bytes where it is one of several fields, which start at multiples of four.
    fn length(self) -> u32 {
        match self {
            Self::Ipv4 | Self::Protocol | Self::Port => 4,
            Self::Ipv6 | Self::Interface => 16,
        }
    }
}

/// A field of a key or of data: its bytes, with zeroes up to a multiple of four.
pub(in crate::net) fn field(bytes: &[u8]) -> Vec<u8> {
    let mut field = bytes.to_vec();
    field.resize(bytes.len().next_multiple_of(4), 0);
    field
}

/// The name of an interface as a key, or as what the kernel compares names with: 16 bytes.
pub(in crate::net) fn interface(name: &str) -> Vec<u8> {
    let mut field = name.as_bytes().to_vec();
    field.resize(16, 0);
    field
}

/// A chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::net) struct Chain {
    /// Its name.
    pub(in crate::net) name: &'static str,
    /// Where packets enter it; nothing for one that is jumped to.
    pub(in crate::net) hook: Option<Hook>,
    /// Its rules.
    pub(in crate::net) rules: Vec<Rule>,
}

/// Where a chain is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::net) struct Hook {
    /// `filter` or `nat`
    pub(in crate::net) kind: &'static str,
    /// `NF_INET_*`
    pub(in crate::net) number: u32,
    /// Chains of a hook are entered in the order of their priorities.
    pub(in crate::net) priority: i32,
}

/// `NF_INET_PRE_ROUTING`, and so on.
pub(in crate::net) const PREROUTING: u32 = 0;
/// See [`PREROUTING`]; also `NF_BR_FORWARD`.
pub(in crate::net) const FORWARD: u32 = 2;
/// See [`PREROUTING`].
pub(in crate::net) const OUTPUT: u32 = 3;
/// See [`PREROUTING`].
pub(in crate::net) const POSTROUTING: u32 = 4;

/// A rule: what it is for, in a few words, and its expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::net) struct Rule {
    /// Its comment.
    pub(in crate::net) comment: &'static str,
    /// What it does.
    pub(in crate::net) expressions: Vec<Expression>,
}

impl Rule {
    /// The comment that people see in `nft list`. It carries a check sum of the expressions: the
    /// kernel gives rules back in other words than it was told them, but comments as they were.
    pub(super) fn note(&self) -> String {
        let bytes = expression::encode(&self.expressions);
        let sum = fnv1a(bytes.as_bytes());
        format!("{} ({:08x})", self.comment, sum >> 32)
    }

    /// The comment in the form in which nft(8) keeps it: type 0, length, text, zero.
    fn user_data(&self) -> Vec<u8> {
        let note = self.note();
        let mut data = vec![0, u8::try_from(note.len() + 1).unwrap_or(u8::MAX)];
        data.extend(note.as_bytes());
        data.push(0);
        data
    }
}

/// `NFT_MSG_*`
const NEW_TABLE: u8 = 0;
const DELETE_TABLE: u8 = 2;
const NEW_CHAIN: u8 = 3;
const NEW_RULE: u8 = 6;
const NEW_SET: u8 = 9;
const NEW_ELEMENTS: u8 = 12;
const DELETE_ELEMENTS: u8 = 14;

/// `NFT_SET_MAP`
const MAP: u32 = 0x8;

/// The bits that nft(8) shifts types of several fields by.
const TYPE_BITS: u32 = 6;

/// A list of attributes may be 64 KiB long, and an element is at most 100 bytes.
const ELEMENTS_A_MESSAGE: usize = 500;

/// A message of a transaction.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// `NFT_MSG_*`
    pub(super) kind: u8,
    /// Whose packets it is about.
    pub(super) family: u8,
    /// `NLM_F_*`
    pub(super) flags: u16,
    /// Its attributes.
    pub(super) attributes: Attributes,
}

impl Table {
    fn message(&self, kind: u8, flags: u16, attributes: Attributes) -> Message {
        Message { kind, family: self.family as u8, flags, attributes }
    }

    /// The messages that remove the table, whether it is there or not.
    pub(super) fn removal(family: Family, name: &str) -> Vec<Message> {
        let named = Attributes::new().text(1, name);
        let message =
            |kind, flags| Message { kind, family: family as u8, flags, attributes: named.clone() };
        // Deleting one that is not there would fail the transaction.
        vec![message(NEW_TABLE, CREATE), message(DELETE_TABLE, 0)]
    }

    /// The messages that make the table where there is none.
    pub(super) fn creation(&self) -> Vec<Message> {
        let mut messages =
            vec![self.message(NEW_TABLE, CREATE, Attributes::new().text(1, &self.name))];
        for (id, set) in (1..).zip(&self.sets) {
            messages.push(self.message(NEW_SET, CREATE, self.new_set(set, id)));
            messages.extend(self.new_elements(set.name, &set.elements));
        }
        for chain in &self.chains {
            messages.push(self.message(NEW_CHAIN, CREATE, self.new_chain(chain)));
        }
        for chain in &self.chains {
            for rule in &chain.rules {
                let attributes = Attributes::new()
                    .text(1, &self.name)
                    .text(2, chain.name)
                    .nest(4, &expression::encode(&rule.expressions))
                    .bytes(7, &rule.user_data());
                messages.push(self.message(NEW_RULE, CREATE | APPEND, attributes));
            }
        }
        messages
    }

    fn new_set(&self, set: &Set, id: u32) -> Attributes {
        let flags = if set.data.is_empty() { 0 } else { MAP };
        let attributes = Attributes::new()
            .text(1, &self.name)
            .text(2, set.name)
            .be32(3, flags)
            .be32(4, kind_of(set.key))
            .be32(5, length_of(set.key));
        let attributes = match set.data {
            [] => attributes,
            data => attributes.be32(6, kind_of(data)).be32(7, length_of(data)),
        };
        let attributes = attributes.be32(10, id);
        // Names are no numbers, which nft(8) has to be told to list them.
        match set.key {
            [Type::Interface] => attributes.bytes(13, &[0, 4, 1, 0, 0, 0]),
            _ => attributes,
        }
    }

    fn new_chain(&self, chain: &Chain) -> Attributes {
        let attributes = Attributes::new().text(1, &self.name).text(3, chain.name);
        let Some(hook) = chain.hook else { return attributes };
        let place = Attributes::new().be32(1, hook.number).be32(2, hook.priority.cast_unsigned());
        attributes.nest(4, &place).be32(5, 1).text(7, hook.kind)
    }

    /// The messages that add elements to a set.
    pub(super) fn new_elements(&self, set: &str, elements: &Elements) -> Vec<Message> {
        self.elements(NEW_ELEMENTS, CREATE, set, elements)
    }

    /// The messages that take elements out of a set. Only their keys matter.
    pub(super) fn old_elements(&self, set: &str, elements: &Elements) -> Vec<Message> {
        self.elements(DELETE_ELEMENTS, 0, set, elements)
    }

    fn elements(&self, kind: u8, flags: u16, set: &str, elements: &Elements) -> Vec<Message> {
        let all: Vec<_> = elements.iter().collect();
        let chunks = all.chunks(ELEMENTS_A_MESSAGE);
        let message = |chunk: &[(&Vec<u8>, &Vec<u8>)]| {
            let list = chunk.iter().fold(Attributes::new(), |list, (key, data)| {
                let element = Attributes::new().nest(1, &expression::value(key));
                let element = match kind {
                    NEW_ELEMENTS if !data.is_empty() => element.nest(2, &expression::value(data)),
                    _ => element,
                };
                list.nest(1, &element)
            });
            let attributes = Attributes::new().text(1, &self.name).text(2, set).nest(3, &list);
            self.message(kind, flags, attributes)
        };
        chunks.map(message).collect()
    }
}

/// Types of several fields as one number.
pub(super) fn kind_of(types: &[Type]) -> u32 {
    types.iter().fold(0, |kind, part| kind << TYPE_BITS | *part as u32)
}

/// The length of several fields in bytes. One that stands alone has its own length.
pub(super) fn length_of(types: &[Type]) -> u32 {
    types.iter().map(|part| part.length()).sum()
}
