//! The error of the network.

use std::io;

/// What could not be done to the network.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused a request.
    #[error("cannot {doing}{}", reason.as_ref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Refused {
        /// What was asked for: `add the address 10.0.0.1 to tank0`.
        doing: String,
        /// The kernel's own words, where it had any.
        reason: Option<String>,
        /// Its error number.
        source: io::Error,
    },
    /// There is an interface of that name that somebody else made.
    #[error("the interface {name} is not of this root: {other}")]
    Foreign {
        /// Its name.
        name: String,
        /// Whose it seems to be.
        other: String,
    },
    /// No subnet is free.
    #[error("no {family} subnet is free: each would collide with a route of this machine")]
    NoSubnet {
        /// `IPv4` or `IPv6`.
        family: &'static str,
    },
    /// The wanted subnet is one that the machine reaches otherwise.
    #[error("the subnet {subnet} collides with the route to {route} by {interface}")]
    Collision {
        /// The subnet of the pods.
        subnet: String,
        /// The destination of the route.
        route: String,
        /// The interface it leads to.
        interface: String,
    },
    /// What the kernel says makes no sense.
    #[error("the kernel's answer to {doing:?} cannot be read")]
    Unreadable {
        /// What was asked for.
        doing: String,
    },
    /// A system call failed.
    #[error(transparent)]
    Sys(#[from] crate::sys::Error),
}

/// What the network returns.
pub type Result<T> = std::result::Result<T, Error>;
