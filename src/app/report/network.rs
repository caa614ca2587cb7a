//! What the network is like, and what stands in its way.

use std::net::IpAddr;

use serde::Serialize;

/// The network of the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NetworkReport {
    /// Its bridge.
    pub bridge: String,
    /// The table of the packet filter.
    pub table: String,
    /// The subnet of its pods.
    pub ipv4: String,
    /// Their subnet of IPv6; `None` if they have none.
    pub ipv6: Option<String>,
    /// The host's addresses on the bridge.
    pub gateways: Vec<IpAddr>,
    /// What is wrong with what all pods share.
    pub drift: Option<String>,
    /// The pods on it, by name.
    pub pods: Vec<NetworkedPod>,
}

/// A pod on the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NetworkedPod {
    /// Its name.
    pub name: String,
    /// Its address.
    pub ipv4: IpAddr,
    /// Its address of IPv6.
    pub ipv6: Option<IpAddr>,
    /// The host's end of its pair of interfaces.
    pub interface: String,
    /// Whether it is kept from other pods.
    pub isolated: bool,
    /// The ports it publishes, as the pod file writes them.
    pub ports: Vec<String>,
    /// What is wrong with it.
    pub drift: Option<String>,
}

/// What was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    /// The checks, in the order they were made.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// How it is.
    pub status: CheckStatus,
    /// That in a sentence.
    pub detail: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// It may hurt.
    Warning,
    /// Something cannot work.
    Problem,
}
