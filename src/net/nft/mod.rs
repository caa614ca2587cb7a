//! The packet filter, by nfnetlink: nf_tables as the kernel speaks it, without the program nft.
//!
//! A [`Table`](ruleset::Table) is a value. It is written in one transaction, so that there is no
//! moment with half of it; what the kernel has is [looked at](Nft::look) and compared.

pub(super) mod expression;
pub(super) mod ruleset;
pub(super) mod seen;

use super::attribute::Attributes;
use super::error::Result;
use super::netlink::{Connection, Request};
use ruleset::{BySet, Family, Message, Table};

/// `NETLINK_NETFILTER`
const NETLINK_NETFILTER: isize = 12;
/// `NFNL_SUBSYS_NFTABLES`
const NFTABLES: u16 = 10;
/// `NFNL_MSG_BATCH_BEGIN` and `NFNL_MSG_BATCH_END`
const BEGIN: u16 = 0x10;
const END: u16 = 0x11;

/// What precedes the attributes: `struct nfgenmsg`, family, version and resource.
fn header(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

/// A connection to nf_tables, in the network namespace it was opened in.
#[derive(Debug)]
pub(super) struct Nft(Connection);

impl Nft {
    /// Opens one.
    pub(super) fn open() -> Result<Self> {
        Connection::open(NETLINK_NETFILTER).map(Self)
    }

    /// Makes tables where none were seen. Nothing is removed, so there is nothing that the kernel
    /// has to get rid of before it lets this connection be closed.
    pub(super) fn make(&mut self, tables: &[Table]) -> Result<()> {
        self.commit("write the firewall", tables.iter().flat_map(Table::creation))
    }

    /// Makes tables what they are, replacing those of their names.
    pub(super) fn replace(&mut self, tables: &[Table]) -> Result<()> {
        let messages = tables.iter().flat_map(|table| {
            let removal = Table::removal(table.family, &table.name);
            removal.into_iter().chain(table.creation())
        });
        self.commit("write the firewall", messages)
    }

    /// Removes tables; those that are not there are fine.
    pub(super) fn remove(&mut self, tables: &[(Family, &str)]) -> Result<()> {
        let messages = tables.iter().flat_map(|(family, name)| Table::removal(*family, name));
        self.commit("remove the firewall", messages)
    }

    /// Takes elements out of sets of a table, and puts others in.
    pub(super) fn change(&mut self, table: &Table, out: &BySet, into: &BySet) -> Result<()> {
        let out = out.iter().flat_map(|(set, elements)| table.old_elements(set, elements));
        let into = into.iter().flat_map(|(set, elements)| table.new_elements(set, elements));
        self.commit("change the firewall", out.chain(into))
    }

    fn commit(&mut self, doing: &str, messages: impl IntoIterator<Item = Message>) -> Result<()> {
        let part = |kind, flags, payload| Request {
            doing: doing.to_owned(),
            kind,
            flags,
            payload,
            fine: &[],
        };
        let mut parts = vec![part(BEGIN, 0, header(0, NFTABLES).to_vec())];
        for message in messages {
            let mut payload = header(message.family, 0).to_vec();
            payload.extend(message.attributes.as_bytes());
            parts.push(part(kind(message.kind), message.flags, payload));
        }
        if parts.len() == 1 {
            return Ok(());
        }
        parts.push(part(END, 0, header(0, NFTABLES).to_vec()));
        self.0.transaction(doing, &parts)
    }

    /// Lists objects; the kernel's refusal because there is no such table is an empty list.
    fn list<T>(
        &mut self,
        message: u8,
        family: Family,
        filter: &Attributes,
        mut read: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>> {
        let mut payload = header(family as u8, 0).to_vec();
        payload.extend(filter.as_bytes());
        let request = Request {
            doing: "read the firewall".to_owned(),
            kind: kind(message),
            flags: 0,
            payload,
            fine: &[libc::ENOENT],
        };
        let list = self.0.list(&request, |_, payload| read(payload.get(4..)?))?;
        Ok(list.unwrap_or_default())
    }
}

fn kind(message: u8) -> u16 {
    NFTABLES << 8 | u16::from(message)
}
