//! Whether a pod's sandbox can be kept.

use crate::model::DesiredPod;

use super::compare;
use super::container::{lives, lost_spec};
use super::{ObservedPod, SandboxState};

/// What is the matter with a sandbox.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing: it is there, and it is the right one.
    Good,
    /// Nothing is there, and nothing runs.
    Absent,
    /// Some of it is gone, or all of it while a container still runs in it.
    Incomplete {
        /// Why it is made anew.
        cause: String,
    },
    /// It is there, for another spec.
    Outdated {
        /// Why it is made anew.
        cause: String,
    },
}

/// Compares a pod's sandbox with its spec.
///
/// The sandbox has no record of its own. It is as old as the newest instance or newer, because
/// every start comes after it was made, so that instance's spec tells what it was made for.
pub(super) fn condition(desired: &DesiredPod, observed: &ObservedPod) -> Condition {
    let incomplete = || Condition::Incomplete { cause: "sandbox is incomplete".to_owned() };
    match observed.sandbox {
        SandboxState::Absent if observed.instances.iter().any(lives) => incomplete(),
        SandboxState::Absent => Condition::Absent,
        state => match (outdated(desired, observed), state) {
            (Some(cause), _) => Condition::Outdated { cause },
            (None, SandboxState::Ready) => Condition::Good,
            (None, _) => incomplete(),
        },
    }
}

/// Why the sandbox does not suit the spec, if it does not.
fn outdated(desired: &DesiredPod, observed: &ObservedPod) -> Option<String> {
    let newest = observed.instances.last()?;
    let known = observed.instances.iter().rev().find_map(|seen| compare::sandbox(desired, seen));
    known.unwrap_or_else(|| Some(lost_spec(newest)))
}
