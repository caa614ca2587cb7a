//! The error of the engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{ContainerName, PodName, VolumeName};
use crate::{image, net, runtime, store, sys};

/// What the engine could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else works on the pod, and went on for longer than the caller wanted to wait.
    #[error("pod {pod} is locked by {holder}")]
    Locked {
        /// The pod.
        pod: PodName,
        /// Who has it, since when, doing what.
        holder: String,
    },
    /// The image of a container is not on disk.
    #[error("container {container}: image {image} is not on this machine")]
    NoImage {
        /// The container.
        container: ContainerName,
        /// The image's name or digest.
        image: String,
    },
    /// The revision that a pod was to go back to is not on record.
    #[error("pod {pod} has no such revision; there are {known}")]
    NoRevision {
        /// The pod.
        pod: PodName,
        /// The generations that are on record.
        known: String,
    },
    /// The content of a secret mount is the mask that stands for one, and none is stored.
    #[error(
        "container {container}: mount {target} has a masked content, and no secret stands for it"
    )]
    NoSecret {
        /// The container.
        container: ContainerName,
        /// The target of the mount.
        target: String,
    },
    /// What a mount shows is not on record.
    #[error("container {container}: what {path} had in it is not on record")]
    NoContent {
        /// The container.
        container: ContainerName,
        /// The file of the host.
        path: String,
    },
    /// A pod depends on one that there is not.
    #[error("pod {pod} depends on pod {missing}, which does not exist")]
    NoDependency {
        /// The pod.
        pod: PodName,
        /// The one it depends on.
        missing: PodName,
    },
    /// Pods depend on each other in a ring.
    #[error("pods depend on each other: {0}")]
    Cycle(String),
    /// The root directory of a container is not there.
    #[error("container {container}: rootfs {path} is not a directory")]
    NoRootfs {
        /// The container.
        container: ContainerName,
        /// The directory.
        path: String,
    },
    /// A volume that was to be removed is some pod's.
    #[error("volume {volume} is used by {}", pods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    VolumeInUse {
        /// The volume.
        volume: VolumeName,
        /// The pods.
        pods: BTreeSet<PodName>,
    },
    /// A device of the pod file is not one.
    #[error("container {container}: {path} is not a device")]
    NotADevice {
        /// The container.
        container: ContainerName,
        /// The path.
        path: String,
    },
    /// A file that the pod file names cannot be used.
    #[error("container {container}: cannot use {what}")]
    Unusable {
        /// The container.
        container: ContainerName,
        /// What was to be used: a seccomp profile, a list of capabilities.
        what: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The program did not end in time after SIGKILL, or its monitor did not.
    #[error("container {container} does not end: {detail}")]
    Stuck {
        /// The container.
        container: ContainerName,
        /// What is still there.
        detail: String,
    },
    /// A port of the pod belongs to somebody else.
    #[error("port {port} is taken by {owner}")]
    PortTaken {
        /// The port, as the pod file writes it.
        port: String,
        /// A pod, or a process of this machine.
        owner: String,
    },
    /// Every address of the subnet is some pod's.
    #[error("no address is free in {subnet}, which {pods} pods share")]
    NoAddress {
        /// The subnet.
        subnet: String,
        /// How many pods have addresses.
        pods: usize,
    },
    /// The settings of the network cannot be read.
    #[error("it is not known how the network should be: {0}")]
    Unsettled(String),
    /// There is no network that pods could be on.
    #[error("there is no network for pods")]
    NoNetwork(#[source] Arc<Error>),
    /// The network could not be changed.
    #[error(transparent)]
    Network(#[from] net::Error),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The runtime failed.
    #[error(transparent)]
    Runtime(#[from] runtime::Error),
    /// The images could not be used.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// A system call failed.
    #[error(transparent)]
    Sys(#[from] sys::Error),
}

impl From<runtime::start::StartError> for Error {
    fn from(error: runtime::start::StartError) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<runtime::cgroup::Error> for Error {
    fn from(error: runtime::cgroup::Error) -> Self {
        Self::Runtime(error.into())
    }
}

/// What the engine returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether there is no state at all yet.
    pub fn is_no_state(&self) -> bool {
        matches!(self, Self::Store(store::Error::NoState { .. }))
    }
}
