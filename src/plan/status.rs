//! A pod in one line: its phase, and whether it is as it should be.

use std::fmt;

use jiff::Timestamp;

use crate::model::{DesiredPod, ExitReason, RunState, State};

use super::container::{Need, View, eligible, gate, lives, views};
use super::sandbox::condition;
use super::{Hold, ObservedInstance, ObservedPod, lane};

/// What a pod is doing, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodStatus {
    /// The short answer.
    pub phase: Phase,
    /// How many of its containers run and can serve.
    pub ready: u32,
    /// How many containers it has.
    pub total: u32,
    /// How often its containers had to be started again, without the replacements that people
    /// asked for and restarts of the host. Rows that were pruned no longer say who asked.
    pub restarts: u32,
    /// Whether something of it that runs is to be replaced, now or later, for it is not what is
    /// desired any more.
    pub outdated: bool,
    /// Whether a pass would find something to do.
    pub sync: Sync,
    /// What a pass would act on; for a pod that waits or failed, how its containers ended, and what
    /// keeps those that run from being ready.
    pub reasons: Vec<String>,
}

/// The short answer to "how is it?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Something of it is to be started, and nothing of it runs.
    Pending,
    /// An init container runs.
    Initializing,
    /// Every container runs or is done.
    Running,
    /// Every container runs or is done, and some are not ready to serve.
    Unready,
    /// Some containers run; others wait, failed, or are to be started.
    Degraded,
    /// Nothing of it runs before a restart delay ends.
    BackOff {
        /// When the first one ends.
        until: Timestamp,
    },
    /// Every container returned 0 and is not to be run again.
    Completed,
    /// A container failed for good, and nothing runs.
    Failed,
    /// It should not run, but something of it still does.
    Stopping,
    /// It should not run and does not.
    Stopped,
    /// It is being deleted.
    Deleting,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pending => "pending",
            Self::Initializing => "initializing",
            Self::Running => "running",
            Self::Unready => "unready",
            Self::Degraded => "degraded",
            Self::BackOff { .. } => "back-off",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Deleting => "deleting",
        })
    }
}

/// Whether a pod is as it is desired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// A pass would do nothing.
    Sync,
    /// A pass would act on it.
    Diverged,
}

impl fmt::Display for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sync => "sync",
            Self::Diverged => "diverged",
        })
    }
}

/// Sums up one desired pod; `hold` is the pod that it has to wait for, if there is one.
pub fn status(
    desired: &DesiredPod,
    observed: &ObservedPod,
    hold: Option<&Hold>,
    now: Timestamp,
) -> PodStatus {
    let sandbox = condition(desired, observed);
    let views = views(desired, observed, &sandbox, hold, now);
    let steps = lane::steps_of(desired, observed, &sandbox, &views).steps;
    let sync = if steps.is_empty() { Sync::Sync } else { Sync::Diverged };
    let mut reasons: Vec<String> = Vec::new();
    let ends = if desired.deleting || desired.run == RunState::Stop { &[][..] } else { &views };
    for cause in steps.into_iter().map(|step| step.cause).chain(ends.iter().filter_map(end)) {
        if !reasons.contains(&cause) {
            reasons.push(cause);
        }
    }
    let proper = || views.iter().filter(|view| !view.init);
    PodStatus {
        phase: phase(desired, observed, &views),
        ready: count(proper().filter(|view| is_ready(view))),
        total: count(proper()),
        outdated: views.iter().any(|view| is_outdated(view, desired.generation)),
        restarts: proper().map(|view| restarts(view, observed)).sum(),
        sync,
        reasons,
    }
}

fn phase(desired: &DesiredPod, observed: &ObservedPod, views: &[View<'_>]) -> Phase {
    if desired.deleting {
        return Phase::Deleting;
    }
    if desired.run == RunState::Stop {
        let alive = observed.instances.iter().any(lives);
        return if alive { Phase::Stopping } else { Phase::Stopped };
    }
    if gate(views).is_some_and(|gate| runs(&views[gate])) {
        return Phase::Initializing;
    }
    let good = |view: &View<'_>| runs(view) || view.need == Need::Completed;
    let failed = |view: &View<'_>| matches!(view.need, Need::Failed { .. });
    let starts = |view: &View<'_>| matches!(view.need, Need::Start { .. }) || view.is_held();
    let until = eligible(views).iter().filter_map(|view| match view.need {
        Need::Wait { until, .. } => Some(until),
        _ => None,
    });
    match until.min() {
        _ if views.iter().any(runs) && views.iter().all(good) => {
            let unready = |view: &View<'_>| runs(view) && !is_ready(view);
            if views.iter().any(unready) { Phase::Unready } else { Phase::Running }
        }
        _ if views.iter().any(runs) => Phase::Degraded,
        _ if views.iter().any(starts) => Phase::Pending,
        Some(until) => Phase::BackOff { until },
        None if views.iter().any(failed) => Phase::Failed,
        None => Phase::Completed,
    }
}

fn runs(view: &View<'_>) -> bool {
    view.current.is_some_and(|seen| seen.instance.state == State::Running)
}

fn is_outdated(view: &View<'_>, generation: u64) -> bool {
    let is_older = |seen: &ObservedInstance| lives(seen) && seen.instance.generation < generation;
    view.current.is_some_and(is_older)
        && matches!(view.need, Need::Start { .. } | Need::Pending { .. })
}

fn is_ready(view: &View<'_>) -> bool {
    view.current.is_some_and(ObservedInstance::is_ready)
}

/// How a container ended that is not started now, or what keeps one that runs from being ready.
fn end(view: &View<'_>) -> Option<String> {
    match &view.need {
        Need::Wait { cause, .. } | Need::Failed { cause } => Some(cause.clone()),
        Need::Pending { on, .. } => Some(format!("waits for {on}")),
        _ => view.current?.health.as_ref()?.obstacle(),
    }
}

/// Every life but the first, less those whose predecessor was not left to run.
fn restarts(view: &View<'_>, observed: &ObservedPod) -> u32 {
    let lives = view.next_attempt.saturating_sub(1);
    let asked = observed.instances.iter().filter(|seen| {
        let exit = seen.instance.exit.as_ref();
        seen.instance.container == *view.name
            && seen.instance.attempt < lives
            && exit.is_some_and(|exit| {
                matches!(exit.reason, ExitReason::Stopped | ExitReason::HostReboot)
            })
    });
    lives.saturating_sub(1).saturating_sub(count(asked))
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
