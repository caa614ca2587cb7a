//! Pods that others depend on, and waiting for them.
//!
//! A pod is started when the pods that it depends on are ready, or have done what they were there
//! for. Once something of it runs, it goes on whatever becomes of them; but they are not taken down
//! before it is, where both are.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use super::{Observed, ObservedPod, Phase, status};
use crate::model::pod::RestartPolicy;
use crate::model::{DesiredPod, Pod, PodName, RunState};

/// How a pod is that others depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is ready, or done.
    Ready,
    /// It may become so; this is what it is doing.
    Busy(Phase),
    /// It is about to be taken down, or to be replaced.
    Going,
    /// Nobody wants it.
    Missing,
}

/// A pod that another waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The pod.
    pub pod: PodName,
    /// How it is.
    pub standing: Standing,
}

/// `pod db, which is pending`.
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.standing {
            Standing::Busy(phase) => write!(f, "pod {}, which is {phase}", self.pod),
            Standing::Missing => write!(f, "pod {}, which does not exist", self.pod),
            Standing::Going => write!(f, "pod {}, which is about to go", self.pod),
            Standing::Ready => write!(f, "pod {}", self.pod),
        }
    }
}

/// How one desired pod is, for those that depend on it.
pub fn standing(desired: &DesiredPod, observed: &ObservedPod, now: Timestamp) -> Standing {
    let phase = status(desired, observed, None, now).phase;
    match phase {
        Phase::Completed => Standing::Ready,
        Phase::Running if !has_to_complete(&desired.pod) => Standing::Ready,
        phase => Standing::Busy(phase),
    }
}

/// Whether a pod is there to do something and end. One that says when it can serve is not.
fn has_to_complete(pod: &Pod) -> bool {
    let serves = pod.containers.iter().any(|container| container.readiness.is_some());
    pod.restart.policy != RestartPolicy::Always && !serves
}

/// The first pod that `pod` depends on and that is not ready, if there is one. `standing` says how
/// one is.
pub(super) fn hold(
    pod: &DesiredPod,
    mut standing: impl FnMut(&PodName) -> Standing,
) -> Option<Hold> {
    if pod.deleting || pod.run == RunState::Stop {
        return None;
    }
    pod.pod.depends_on.iter().find_map(|name| match standing(name) {
        Standing::Ready => None,
        standing => Some(Hold { pod: name.clone(), standing }),
    })
}

/// What a pod waits for, as far as that can be seen without a plan.
pub fn waits_for(
    pod: &DesiredPod,
    desired: &[DesiredPod],
    observed: &Observed,
    now: Timestamp,
) -> Option<Hold> {
    let nothing = ObservedPod::default();
    hold(pod, |name| match desired.iter().find(|other| other.pod.name == *name) {
        Some(other) => standing(other, observed.pods.get(name).unwrap_or(&nothing), now),
        None => observed.standings.get(name).copied().unwrap_or(Standing::Missing),
    })
}

/// For each of `stopped`, the others of them that depend on it: they are taken down before it.
pub(super) fn stopped_before<'a>(
    stopped: &[&'a DesiredPod],
) -> BTreeMap<&'a PodName, Vec<PodName>> {
    let dependents = |pod: &DesiredPod| {
        let depends = |other: &&&DesiredPod| other.pod.depends_on.contains(&pod.pod.name);
        stopped.iter().filter(depends).map(|other| other.pod.name.clone()).collect()
    };
    stopped.iter().map(|pod| (&pod.pod.name, dependents(pod))).collect()
}
