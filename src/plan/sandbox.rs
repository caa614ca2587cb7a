//! Whether a pod's sandbox can be kept.

use crate::model::{DesiredPod, Instance, State};

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
/// What a sandbox was made for is not written down. It is as old as the newest instance that was
/// begun, or newer, because every start comes after it was made. Instances that only have a row say
/// nothing: the row is there before the sandbox is made.
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
    let begun = || observed.instances.iter().rev().filter(|seen| was_begun(&seen.instance));
    match begun().next() {
        Some(last) => begun()
            .find_map(|seen| compare::sandbox(desired, seen))
            .unwrap_or_else(|| Some(lost_spec(last))),
        None if observed.instances.is_empty() || observed.sandbox == SandboxState::Partial => None,
        None => Some("nothing was started in the sandbox".to_owned()),
    }
}

/// Whether an instance came further than to a row.
fn was_begun(instance: &Instance) -> bool {
    let has_run = instance.started_at.is_some() || instance.exit.is_some();
    has_run || !matches!(instance.state, State::Created | State::Missing)
}
