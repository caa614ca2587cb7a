//! Waiting until pods are as wanted.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::error::{Error, Kind};
use super::report::Progress;
use super::{App, Goal, Watcher};
use crate::model::PodName;
use crate::plan::{Phase, PodStatus, status};
use crate::sys::{clock, poll};

/// How often a waiting command looks at its pods. Monitors and other commands change them, and
/// the kernel has no event for "the plan is empty".
const LOOK: Duration = Duration::from_millis(50);

impl App {
    /// Waits until all of the pods are as wanted.
    ///
    /// # Errors
    /// One of them is not there, or cannot get there any more, or takes too long.
    pub fn wait(
        &self,
        names: &[PodName],
        goal: Goal,
        timeout: Duration,
        progress: Watcher<'_>,
    ) -> Result<(), Error> {
        if goal != Goal::Deleted {
            self.existing(names.to_vec())?;
        }
        self.wait_until(names, goal, timeout, progress)
    }

    pub(super) fn wait_until(
        &self,
        names: &[PodName],
        goal: Goal,
        timeout: Duration,
        progress: Watcher<'_>,
    ) -> Result<(), Error> {
        let engine = self.engine()?;
        let only: BTreeSet<PodName> = names.iter().cloned().collect();
        let deadline = clock::monotonic() + timeout;
        let mut told = false;
        loop {
            let snapshot = engine
                .snapshot(Some(&only))
                .map_err(|e| Error::of_engine("cannot look at the pods", e))?;
            let mut waiting = Vec::new();
            for name in &only {
                let desired = snapshot.desired.iter().find(|pod| pod.pod.name == *name);
                let observed = snapshot.observed.pods.get(name);
                let status = desired.zip(observed).map(|(desired, observed)| {
                    let hold = snapshot.waits_for(desired);
                    status(desired, observed, hold.as_ref(), clock::now())
                });
                match goal.reached(status.as_ref()) {
                    Some(true) => {}
                    Some(false) => return Err(out_of_reach(name, status.as_ref())),
                    None => waiting.push(name.to_string()),
                }
            }
            if waiting.is_empty() {
                return Ok(());
            }
            if clock::monotonic() >= deadline {
                let message = format!("not {goal} in time: {}", waiting.join(", "));
                return Err(Error::new(Kind::Failed, message).hint("tank list shows how they are"));
            }
            if !told {
                progress(&Progress::Note(&format!("waiting for {}", waiting.join(", "))));
                told = true;
            }
            poll::wait(&mut [], Some(LOOK))
                .map_err(|e| Error::of_engine("cannot wait", e.into()))?;
        }
    }
}

/// Says that a pod will not be as wanted.
fn out_of_reach(name: &PodName, status: Option<&PodStatus>) -> Error {
    let Some(status) = status else {
        return Error::new(Kind::Failed, format!("pod {name} was deleted"));
    };
    let message = format!("pod {name} failed: {}", status.reasons.join("; "));
    Error::new(Kind::Failed, message).hint(format!("tank describe {name} shows its exits"))
}

impl Goal {
    /// Whether a pod has got there; `false` if it never will by itself, `None` if it may yet. One
    /// that is no more has no status.
    fn reached(self, status: Option<&PodStatus>) -> Option<bool> {
        let phase = status.map(|status| status.phase);
        // What runs is not what was asked for, but what that is going to take the place of.
        let outdated = status.is_some_and(|status| status.outdated);
        match (self, phase) {
            (Self::Deleted, None) => Some(true),
            (Self::Deleted, _) => None,
            (_, None) => Some(false),
            (Self::Stopped, Some(Phase::Stopped | Phase::Completed | Phase::Failed)) => Some(true),
            (Self::Stopped, _) => None,
            (Self::Applied, Some(Phase::Stopped)) => Some(true),
            (_, Some(Phase::Running | Phase::Completed)) if !outdated => Some(true),
            (_, Some(Phase::Failed)) => Some(false),
            _ => None,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Applied | Self::Ready => "ready",
            Self::Stopped => "stopped",
            Self::Deleted => "deleted",
        })
    }
}
