//! The network of pods: a bridge, a pair of interfaces for each pod, routes, and a packet filter
//! that publishes ports, all by netlink and without any other program.
//!
//! | module | what it does |
//! |---|---|
//! | [`layout`] [`subnet`] | names and addresses; the choice of free subnets; pure |
//! | [`connect`] [`view`] | what should be, made so; what is, and how it differs |
//! | `firewall` `nft` | the packet filter as a value; nf_tables |
//! | [`forwarding`] | kernel parameters that outlive an interface |
//! | `link` `route` | rtnetlink: interfaces, addresses, routes |
//! | `netlink` `attribute` | the socket, and messages that no crate has types for |
//! | [`sockets`] `conntrack` | who listens on this machine; the connections it remembers |
//! | [`checks`] | what about a machine stands in the way |
//! | [`names`] | `/etc/hosts` and `/etc/resolv.conf` |
//!
//! Addresses and ports are given out by the engine, in the database; here is only the kernel.

mod attribute;
pub mod checks;
pub mod connect;
mod conntrack;
pub mod error;
mod firewall;
pub mod forwarding;
pub mod layout;
mod link;
pub mod names;
mod netlink;
mod nft;
mod route;
pub mod sockets;
pub mod subnet;
pub mod view;

#[cfg(test)]
mod tests;

pub use connect::Host;
pub use error::{Error, Result};
pub use layout::{Addresses, Layout, Member};
pub use view::Drift;
