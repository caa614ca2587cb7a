//! What the kernel says of network interfaces and packet filters, by netlink(7) and without any
//! program: the leak check runs after every test, also where no such program is.

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};
use rustix::net::{recv, send, socket_with};

/// `RTM_NEWLINK` and `RTM_GETLINK`, linux/rtnetlink.h.
const NEW_LINK: u16 = 16;
const GET_LINK: u16 = 18;

/// `NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE`, linux/netfilter/nf_tables.h.
const GET_TABLE: u16 = 10 << 8 | 1;

/// `IFLA_IFNAME` and `IFLA_IFALIAS`; `NFTA_TABLE_NAME`.
const LINK_NAME: u16 = 3;
const LINK_ALIAS: u16 = 20;
const TABLE_NAME: u16 = 1;

/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;

/// `NLMSG_ERROR` and `NLMSG_DONE`.
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// The length of `struct nlmsghdr`.
const HEADER: usize = 16;

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) name: String,
    /// What somebody wrote on it, or nothing.
    pub(crate) alias: String,
}

/// A table of a packet filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// `inet`, `bridge`, or the number of another family.
    pub(crate) family: String,
    pub(crate) name: String,
}

/// Every interface of this thread's network namespace.
pub(crate) fn links() -> Vec<Link> {
    // The protocol without a number is rtnetlink; struct ifinfomsg of nothing.
    let messages = dump(None, GET_LINK, &[0; 16]).expect("rtnetlink");
    let links = messages.iter().filter(|(kind, _)| *kind == NEW_LINK);
    links
        .map(|(_, payload)| Link {
            name: text(&payload[16..], LINK_NAME),
            alias: text(&payload[16..], LINK_ALIAS),
        })
        .collect()
}

/// Every table of nf_tables in this thread's network namespace; a kernel without it has none.
pub(crate) fn tables() -> Vec<Table> {
    // struct nfgenmsg of every family.
    let messages = dump(Some(netlink::NETFILTER), GET_TABLE, &[0; 4]).unwrap_or_default();
    let table = |payload: &[u8]| Table {
        family: match payload[0] {
            1 => "inet".to_owned(),
            7 => "bridge".to_owned(),
            number => number.to_string(),
        },
        name: text(&payload[4..], TABLE_NAME),
    };
    messages.iter().map(|(_, payload)| table(payload)).collect()
}

/// Asks for all of something; gives type and content of each message, or nothing where the kernel
/// does not know of such a thing.
fn dump(
    protocol: Option<rustix::net::Protocol>,
    kind: u16,
    content: &[u8],
) -> Option<Vec<(u16, Vec<u8>)>> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol).ok()?;
    let length = u32::try_from(HEADER + content.len()).unwrap();
    let mut request = length.to_ne_bytes().to_vec();
    request.extend(kind.to_ne_bytes());
    request.extend(DUMP.to_ne_bytes());
    request.extend([0; 8]);
    request.extend(content);
    send(&socket, &request, SendFlags::empty()).expect("send to netlink");
    let mut all = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let (length, _) = recv(&socket, &mut buffer[..], RecvFlags::empty()).expect("netlink");
        let mut rest = &buffer[..length];
        while rest.len() >= HEADER {
            let length = u32::from_ne_bytes(rest[..4].try_into().unwrap()) as usize;
            let kind = u16::from_ne_bytes(rest[4..6].try_into().unwrap());
            match kind {
                DONE => return Some(all),
                ERROR => return None,
                _ => all.push((kind, rest[HEADER..length].to_vec())),
            }
            rest = &rest[length.next_multiple_of(4).min(rest.len())..];
        }
    }
}

/// The attribute of this type as a text; an empty one if there is none.
fn text(mut attributes: &[u8], wanted: u16) -> String {
    while attributes.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes(attributes[..2].try_into().unwrap()));
        let kind = u16::from_ne_bytes(attributes[2..4].try_into().unwrap());
        if kind == wanted {
            let value = &attributes[4..length];
            return String::from_utf8_lossy(value).trim_end_matches('\0').to_owned();
        }
        attributes = &attributes[length.next_multiple_of(4).min(attributes.len())..];
    }
    String::new()
}
