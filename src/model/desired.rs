//! What the user wants of one pod, as the database holds it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ContainerName, Digest, Pod};

/// Whether a pod should be running. A stopped pod stays stopped over reboots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It should run.
    Run,
    /// It should not.
    Stop,
}

/// One desired pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredPod {
    /// Its spec.
    pub pod: Pod,
    /// Counts the changes of what is wanted of it, from 1.
    pub generation: u64,
    /// Whether it should run.
    pub run: RunState,
    /// The generation of the last restart that was asked for: what is of an older one is replaced.
    /// Generations and not times, because clocks are set back.
    pub renewed: u64,
    /// The generation of the last start that was asked for: what is of an older one and has ended
    /// is started again.
    pub revived: u64,
    /// Whether it is being deleted: the row stays until its last resource is gone.
    pub deleting: bool,
    /// The manifest each container's image name was resolved to when this generation was applied.
    pub images: BTreeMap<ContainerName, Digest>,
    /// When the pod was created.
    pub created_at: Timestamp,
    /// When its spec last changed.
    pub updated_at: Timestamp,
}
