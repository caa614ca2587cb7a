//! What named volumes there are.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{PodName, VolumeName};

/// Every volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VolumeListReport {
    /// The volumes, by name.
    pub volumes: Vec<VolumeReport>,
}

/// One volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VolumeReport {
    /// Its name.
    pub name: VolumeName,
    /// The directory of the host that containers see.
    pub path: String,
    /// When it was first mounted.
    pub created_at: Option<Timestamp>,
    /// Whether it holds nothing.
    pub empty: bool,
    /// The pods that use it.
    pub pods: Vec<PodName>,
}

/// One volume, with how much it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VolumeInspectReport {
    /// The volume in a line.
    #[serde(flatten)]
    pub volume: VolumeReport,
    /// How many files, directories and all else.
    pub entries: u64,
    /// The bytes that they take up on the disk.
    pub bytes: u64,
}

/// The volumes that were, or would be, removed because no pod uses them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VolumePruneReport {
    /// Their names.
    pub volumes: Vec<VolumeName>,
}
