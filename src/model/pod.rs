//! The desired state of one pod, with every default filled in and every value normalised.
//!
//! Two of these are compared field by field; the canonical form that the database keeps is their
//! JSON. A field that did not exist from the start has a default there: the specs that an older
//! tank wrote lack it, and mean what they meant.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Bytes, ContainerName, Cpus, Digest, PodName, VolumeName};

/// A named group of containers that share network, IPC and host name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pod {
    /// Its name.
    pub name: PodName,
    /// The host name its containers see.
    pub hostname: String,
    /// What happens when a container ends.
    pub restart: Restart,
    /// How long a container may take to end after its stop signal.
    pub stop_timeout: Duration,
    /// The network it lives in.
    pub network: Network,
    /// Whether it is kept from other pods; only with [`Network::Bridge`].
    #[serde(default)]
    pub isolated: bool,
    /// Whether its containers see and may signal each other's processes.
    #[serde(default)]
    pub share_pids: bool,
    /// The name servers it asks, in this order; none means the host's.
    #[serde(default)]
    pub dns: Vec<IpAddr>,
    /// The domains in which it looks for short host names, in this order.
    #[serde(default)]
    pub dns_search: Vec<String>,
    /// Host names and their addresses, for the `/etc/hosts` of its containers.
    #[serde(default)]
    pub extra_hosts: BTreeMap<String, IpAddr>,
    /// Pods that must be ready before it starts.
    pub depends_on: BTreeSet<PodName>,
    /// Free text for people and selections.
    pub labels: BTreeMap<String, String>,
    /// Containers that run one after the other, before the others start.
    pub init_containers: Vec<Container>,
    /// The containers, in file order.
    pub containers: Vec<Container>,
}

/// What happens when a container ends, and how fast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// When to start again.
    pub policy: RestartPolicy,
    /// After how many restarts in a row to give up; `None` means never.
    pub max_retries: Option<u32>,
    /// The first delay; it doubles with every end.
    pub initial: Duration,
    /// The longest delay.
    pub max: Duration,
}

impl Default for Restart {
    fn default() -> Self {
        Self {
            policy: RestartPolicy::Always,
            max_retries: None,
            initial: Duration::from_secs(1),
            max: Duration::from_secs(60),
        }
    }
}

/// When a container that ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Whatever its exit code was.
    Always,
    /// Unless it returned 0.
    OnFailure,
    /// Not at all.
    Never,
}

/// The network a pod lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Its own, joined to tank's bridge.
    Bridge,
    /// The host's.
    Host,
    /// Its own, with nothing but a loopback interface.
    None,
}

/// One program of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Its name, unique in the pod.
    pub name: ContainerName,
    /// Where its root file system comes from.
    pub source: Source,
    /// When the image is looked for in its registry.
    pub pull: Pull,
    /// Replaces the image's Entrypoint (and drops its Cmd).
    pub command: Option<Vec<String>>,
    /// Replaces the image's Cmd.
    pub args: Option<Vec<String>>,
    /// Environment, over the image's.
    pub env: BTreeMap<String, String>,
    /// Working directory; `None` is the image's, else `/`.
    pub working_dir: Option<String>,
    /// `user[:group]`, names or numbers, resolved inside the image; `None` is the image's, else root.
    pub user: Option<String>,
    /// Whether its standard streams are a terminal.
    pub tty: bool,
    /// Whether standard input is kept open for attach.
    pub stdin: bool,
    /// Whether its first process is a reaping init, with the program as its child.
    pub init: bool,
    /// The signal that asks it to end, by its short name (`TERM`); `None` is the image's, else TERM.
    pub stop_signal: Option<String>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Memory limit.
    pub memory: Option<Bytes>,
    /// CPU limit.
    pub cpus: Option<Cpus>,
    /// Limit on processes and threads; `None` is no limit.
    pub pids: Option<u64>,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// Changes to the default capabilities.
    pub capabilities: Capabilities,
    /// Whether `execve` may never grant privileges.
    pub no_new_privileges: bool,
    /// System call filter.
    pub seccomp: Seccomp,
    /// Paths of host devices to pass in.
    pub devices: BTreeSet<PathBuf>,
    /// Kernel parameters of the pod's namespaces.
    pub sysctls: BTreeMap<String, String>,
    /// Resource limits by their name in lower case without `RLIMIT_`.
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Mounts, in file order.
    pub mounts: Vec<Mount>,
    /// How much of its log is kept.
    #[serde(default)]
    pub log: LogLimits,
    /// Ends the instance when it fails.
    pub liveness: Option<Probe>,
    /// Says whether it can serve.
    pub readiness: Option<Probe>,
    /// Holds back the other two until it has passed once.
    pub startup: Option<Probe>,
}

/// Where a root file system comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// An image, by its normalised name (`docker.io/library/nginx:1.27`).
    Image(String),
    /// A directory of the host, used read-only under an overlay.
    Rootfs(PathBuf),
}

/// When an image is looked for in its registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// When it is not on disk.
    Missing,
    /// At every apply.
    Always,
    /// Never.
    Never,
}

/// A published port: traffic to `host` on the host reaches `container` in the pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port {
    /// The address of the host it is bound to; `None` is all of them.
    pub address: Option<IpAddr>,
    /// The first port on the host.
    pub host: u16,
    /// The first port in the pod.
    pub container: u16,
    /// How many ports in a row.
    pub count: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// The protocol of a published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Changes to the default capabilities. Names without `CAP_`, upper case; `ALL` means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Added after `drop` was applied.
    pub add: BTreeSet<String>,
    /// Taken away from the defaults.
    pub drop: BTreeSet<String>,
}

/// The system call filter of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seccomp {
    /// tank's own profile.
    Default,
    /// None.
    Unconfined,
    /// A profile file in the JSON form of the OCI runtime specification or of Docker.
    Profile(PathBuf),
}

/// A soft and a hard resource limit; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// What the kernel enforces.
    pub soft: Option<u64>,
    /// How far the process may raise it.
    pub hard: Option<u64>,
}

/// One mount of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where it appears, absolute, inside the container.
    pub target: PathBuf,
    /// What appears there.
    pub source: MountSource,
    /// Whether it cannot be written to.
    pub read_only: bool,
    /// Whether its content is masked in everything tank prints.
    pub secret: bool,
}

/// What a mount shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MountSource {
    /// A named volume, which outlives the pod.
    Volume(VolumeName),
    /// A path of the host.
    Host(PathBuf),
    /// Memory, of at most this size.
    Tmpfs(Bytes),
    /// A file with this text.
    Content(String),
    /// A file with the content that a file of the host had when it was applied.
    File(HostFile),
}

/// A file of the host, as it was when its pod was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFile {
    /// Where it is; absolute.
    pub path: PathBuf,
    /// The digest of what was in it.
    pub content: Digest,
    /// Whether it could be executed.
    pub executable: bool,
}

/// How much of a container's log is kept. What is `None` is as `config.toml` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLimits {
    /// The size at which a file is complete.
    pub max_size: Option<Bytes>,
    /// How many files there may be, the one that is written included.
    pub max_files: Option<u32>,
}

/// A check that tank makes on a running container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What is asked.
    pub check: Check,
    /// How long after the start the first one comes.
    pub initial_delay: Duration,
    /// The time between two.
    pub period: Duration,
    /// How long one may take.
    pub timeout: Duration,
    /// How many in a row must fail.
    pub failures: u32,
    /// How many in a row must succeed.
    pub successes: u32,
}

/// What a probe asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// A GET that must answer 200 to 399.
    Http {
        /// The port in the pod.
        port: u16,
        /// The path of the request.
        path: String,
    },
    /// A connection that must be accepted.
    Tcp {
        /// The port in the pod.
        port: u16,
    },
    /// A command in the container that must return 0.
    Exec(Vec<String>),
}

impl Pod {
    /// Its init containers and its containers, in the order they start in.
    pub fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.init_containers.iter().chain(&self.containers)
    }

    /// One of them, by its name.
    pub fn container(&self, name: &ContainerName) -> Option<&Container> {
        self.all_containers().find(|container| container.name == *name)
    }

    /// The files of the host that its containers see copies of.
    pub fn host_files(&self) -> impl Iterator<Item = &HostFile> {
        let mounts = self.all_containers().flat_map(|container| &container.mounts);
        mounts.filter_map(|mount| match &mount.source {
            MountSource::File(file) => Some(file),
            _ => None,
        })
    }

    /// The named volumes of its containers.
    pub fn volumes(&self) -> impl Iterator<Item = &VolumeName> {
        let mounts = self.all_containers().flat_map(|container| &container.mounts);
        mounts.filter_map(|mount| match &mount.source {
            MountSource::Volume(volume) => Some(volume),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
