//! What `ROOT/config.toml` sets: how this host is, not what should run on it. It is read by
//! [`parse_settings`](super::file::parse_settings).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipnet::{Ipv4Net, Ipv6Net};

use super::DetachKeys;

/// The settings of a root. What the file does not say has the value of [`Default`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// How registries are reached.
    pub registries: RegistrySettings,
    /// How images are fetched and kept.
    pub images: ImageSettings,
    /// How pods are connected.
    pub network: NetworkSettings,
    /// How much is kept of what containers print.
    pub logs: LogSettings,
    /// The keys that leave `tank attach`.
    pub detach_keys: DetachKeys,
}

/// How registries are reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistrySettings {
    /// Registries (`host` or `host:port`) that are spoken to over plain HTTP.
    pub insecure: BTreeSet<String>,
    /// For a registry, the ones to ask before it, in this order (`host[:port][/prefix]`).
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// Files of certificates (PEM) that are trusted beside those of the host and the embedded ones.
    pub ca_certificates: Vec<String>,
}

/// How images are fetched and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSettings {
    /// How many layers are fetched at once.
    pub parallel: usize,
    /// How often a request that failed for a passing reason is repeated.
    pub retries: u32,
    /// How long a registry may send nothing.
    pub stall_timeout: Duration,
    /// The most bytes the layers of one image may unpack to.
    pub max_unpacked: u64,
    /// The most entries the layers of one image may have.
    pub max_entries: u64,
    /// Whether layers are also kept as they came, which `image save` needs.
    pub keep_blobs: bool,
}

impl Default for ImageSettings {
    fn default() -> Self {
        Self {
            parallel: 4,
            retries: 5,
            stall_timeout: Duration::from_secs(30),
            max_unpacked: 64 << 30,
            max_entries: 2_000_000,
            keep_blobs: true,
        }
    }
}

/// How much is kept of what a container prints, unless its pod says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// The size at which a file is complete, in bytes.
    pub max_size: u64,
    /// How many files of each life there may be, the one that is written included.
    pub max_files: u32,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { max_size: 10 << 20, max_files: 5 }
    }
}

/// How pods are connected. tank chooses what is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkSettings {
    /// The name of the bridge interface.
    pub bridge: Option<String>,
    /// The subnet of the pods' IPv4 addresses; its host bits are 0.
    pub ipv4: Option<Ipv4Net>,
    /// The subnet of the pods' IPv6 addresses, or that they have none.
    pub ipv6: Option<Ipv6Setting>,
    /// The largest packet of the pods' interfaces, in bytes.
    pub mtu: Option<u32>,
}

/// What is said about the IPv6 addresses of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ipv6Setting {
    /// They have none.
    Off,
    /// They are of this subnet, whose host bits are 0.
    Subnet(Ipv6Net),
}
