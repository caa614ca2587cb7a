//! What use cases report: the values behind the tables for people and the JSON for scripts.
//!
//! The field names are a promise: more may be added, none is renamed. What is not known is
//! `null`. Times are RFC 3339 in UTC.

mod image;
mod network;
mod pass;
mod pod;
mod volume;

pub use image::{
    ImageInspectReport, ImageListReport, ImagePruneReport, ImagePullReport, ImageRemoveReport,
    ImageReport, ImageTagReport, LayerReport, LoginReport,
};
pub use network::{Check, CheckStatus, DoctorReport, NetworkReport, NetworkedPod};
pub use pass::{
    PassReport, PlanReport, PlannedStep, PodOutcome, PodResult, Progress, StepAction, StepError,
    WaitingPod,
};
pub use pod::{
    ChangeReport, ContainerReport, DescribeReport, EventReport, ExitReport, HistoryReport,
    ListReport, PodStatus, PodSummary, PsReport, RevisionReport, StepReport, Sync,
};
pub use volume::{VolumeInspectReport, VolumeListReport, VolumePruneReport, VolumeReport};

#[cfg(test)]
mod tests;
