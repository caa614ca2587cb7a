//! What one container of a pod that should run needs.

use std::fmt;

use jiff::Timestamp;

use crate::model::{ContainerName, DesiredPod, State};

use super::compare::difference;
use super::dependency::Hold;
use super::restart::{self, Next};
use super::sandbox::Condition;
use super::{Confinement, ObservedInstance, ObservedPod, limits};

/// A container of the spec, with what is there of it.
#[derive(Debug)]
pub(super) struct View<'a> {
    /// Its name.
    pub(super) name: &'a ContainerName,
    /// Whether it runs to its end before the others start.
    pub(super) init: bool,
    /// The instance that counts: the one that lives, or else the last that did.
    pub(super) current: Option<&'a ObservedInstance>,
    /// The attempt number of its next instance.
    pub(super) next_attempt: u32,
    /// What it needs.
    pub(super) need: Need,
}

/// What a container needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: it runs as it should.
    Nothing,
    /// Other limits, probes and the like, set while it runs.
    Update {
        /// Which.
        cause: String,
    },
    /// A new instance, in place of the current one if that still lives.
    Start {
        /// Why.
        cause: String,
        /// The streak of the new instance.
        streak: u32,
    },
    /// A new instance, in place of the current one, but not before something else is done.
    Pending {
        /// Why.
        cause: String,
        /// What it waits for.
        on: Gate,
    },
    /// A new instance, but not before `until`.
    Wait {
        /// When the delay ends.
        until: Timestamp,
        /// How the last one ended.
        cause: String,
    },
    /// Nothing: it is done.
    Completed,
    /// Nothing: it failed for good.
    Failed {
        /// How.
        cause: String,
    },
}

/// What a container waits for that is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// An init container of its pod, to its end.
    Init(ContainerName),
    /// A pod that its own depends on, to become ready.
    Pod(Hold),
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Init(name) => write!(f, "init container {name}"),
            Self::Pod(hold) => hold.fmt(f),
        }
    }
}

impl View<'_> {
    /// Whether it is not started because its pod waits for another.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.need, Need::Pending { on: Gate::Pod(_), .. })
    }
}

impl From<Next> for Need {
    fn from(next: Next) -> Self {
        match next {
            Next::Start { cause, streak } => Self::Start { cause, streak },
            Next::Wait { until, cause } => Self::Wait { until, cause },
            Next::Completed => Self::Completed,
            Next::Failed { cause } => Self::Failed { cause },
        }
    }
}

/// Whether something of the instance may still be running.
pub(super) fn lives(seen: &ObservedInstance) -> bool {
    matches!(seen.instance.state, State::Running | State::Unknown)
}

/// Looks at every container of the spec, in the order they start in, given what is the matter with
/// their sandbox, and what their pod has to wait for.
pub(super) fn views<'a>(
    desired: &'a DesiredPod,
    observed: &'a ObservedPod,
    sandbox: &Condition,
    hold: Option<&Hold>,
    now: Timestamp,
) -> Vec<View<'a>> {
    let view = |name: &'a ContainerName, init: bool| {
        let own = || observed.instances.iter().filter(|seen| seen.instance.container == *name);
        let current = own().max_by_key(|seen| precedence(seen, desired.generation));
        let last_attempt = own().map(|seen| seen.instance.attempt).max().unwrap_or(0);
        let need = match current {
            Some(seen) if init && restart::succeeded(&seen.instance) => {
                need_of_done(desired, seen, sandbox)
            }
            Some(seen) => need(desired, seen, now),
            None if observed.instances.is_empty() => start("pod is new"),
            None => start("container is new"),
        };
        View { name, init, current, next_attempt: last_attempt.saturating_add(1), need }
    };
    let init = desired.pod.init_containers.iter().map(|container| view(&container.name, true));
    let rest = desired.pod.containers.iter().map(|container| view(&container.name, false));
    let mut views: Vec<_> = init.chain(rest).collect();
    if let Condition::Incomplete { cause } | Condition::Outdated { cause } = sandbox {
        leave_sandbox(&mut views, cause);
    }
    hold_back(&mut views, hold);
    views
}

/// Namespaces cannot be changed under a process: what lives in a sandbox that is made anew is
/// replaced, unless it is anyway.
fn leave_sandbox(views: &mut [View<'_>], cause: &str) {
    for view in views {
        if matches!(view.need, Need::Nothing | Need::Update { .. }) {
            view.need = start(cause);
        }
    }
}

/// Lets nothing start before the pods that its own depends on are ready, nor before the init
/// containers ahead of it are done. Neither is asked for where a container that they come before
/// runs and may go on, nor where all of these have done what they were there for.
fn hold_back(views: &mut [View<'_>], hold: Option<&Hold>) {
    let goes_on = |view: &View<'_>| {
        !view.init
            && view.current.is_some_and(lives)
            && matches!(view.need, Need::Nothing | Need::Update { .. })
    };
    let is_over =
        |view: &View<'_>| view.init || matches!(view.need, Need::Completed | Need::Failed { .. });
    if views.iter().any(goes_on) || views.iter().all(is_over) {
        for view in views.iter_mut().filter(|view| view.init && !view.current.is_some_and(lives)) {
            view.need = Need::Completed;
        }
        return;
    }
    if let Some(hold) = hold {
        return hold_all(views, &Gate::Pod(hold.clone()));
    }
    let Some(gate) = gate(views) else { return };
    let on = Gate::Init(views[gate].name.clone());
    hold_all(&mut views[gate + 1..], &on);
}

fn hold_all(views: &mut [View<'_>], on: &Gate) {
    for view in views {
        if let Need::Start { cause, .. } = &mut view.need {
            view.need = Need::Pending { cause: std::mem::take(cause), on: on.clone() };
        }
    }
}

/// The containers whose turn it is: all, or those up to an init container that is not done.
pub(super) fn eligible<'v, 'a>(views: &'v [View<'a>]) -> &'v [View<'a>] {
    gate(views).map_or(views, |gate| &views[..=gate])
}

/// The place of the init container that the others wait for, if there is one.
pub(super) fn gate(views: &[View<'_>]) -> Option<usize> {
    views.iter().position(|view| view.init && view.need != Need::Completed)
}

/// An init container is done for as long as the sandbox that it prepared is there.
fn need_of_done(desired: &DesiredPod, seen: &ObservedInstance, sandbox: &Condition) -> Need {
    if seen.instance.generation < desired.renewed {
        return start("restart was asked for");
    }
    if seen.instance.removed || *sandbox != Condition::Good {
        return start("sandbox is new");
    }
    match difference(desired, seen).and_then(|difference| difference.replace) {
        Some(cause) => start(cause),
        None => Need::Completed,
    }
}

/// Which of several instances counts: one that surely runs before one that perhaps does, these
/// before ended ones, the desired generation before others, the newest before older ones.
fn precedence(seen: &ObservedInstance, generation: u64) -> (u8, bool, u32) {
    let life = match seen.instance.state {
        State::Running => 2,
        State::Unknown => 1,
        _ => 0,
    };
    let right = life > 0 && seen.instance.generation == generation;
    (life, right, seen.instance.attempt)
}

fn need(desired: &DesiredPod, seen: &ObservedInstance, now: Timestamp) -> Need {
    if seen.instance.generation < desired.renewed {
        return start("restart was asked for");
    }
    match seen.instance.state {
        State::Running => need_of_running(desired, seen),
        // What cannot be watched cannot be logged or waited for either; its end was not its own.
        State::Unknown => Need::Start {
            cause: "monitor was lost".to_owned(),
            streak: restart::streak(&seen.instance, Some(now)).saturating_add(1),
        },
        _ => need_of_ended(desired, seen, now),
    }
}

fn need_of_running(desired: &DesiredPod, seen: &ObservedInstance) -> Need {
    let Some(difference) = difference(desired, seen) else {
        return start(lost_spec(seen));
    };
    if seen.confinement == Confinement::Gone {
        return start("cgroup is gone");
    }
    if seen.remounted {
        return start("root file system was remounted");
    }
    let drift = || {
        let container = desired.pod.container(&seen.instance.container)?;
        limits::drift(container, seen)
    };
    match (difference.replace, difference.in_place.or_else(drift)) {
        (Some(cause), _) => start(cause),
        (None, Some(cause)) => Need::Update { cause },
        (None, None) => Need::Nothing,
    }
}

/// A new spec is a new beginning for what ended under the old one. What can be changed in place is
/// one only for what failed: a completed container is not run again because it may now use more
/// memory.
fn need_of_ended(desired: &DesiredPod, seen: &ObservedInstance, now: Timestamp) -> Need {
    if seen.instance.generation < desired.revived {
        return start("start was asked for");
    }
    let difference = difference(desired, seen).unwrap_or_default();
    let in_place = difference.in_place.filter(|_| !restart::succeeded(&seen.instance));
    match difference.replace.or(in_place) {
        Some(cause) => start(cause),
        None => restart::after_end(&desired.pod.restart, &seen.instance, now).into(),
    }
}

/// A start that no end of the container's own led to.
fn start(cause: impl Into<String>) -> Need {
    Need::Start { cause: cause.into(), streak: 0 }
}

/// Says that it is not known any more what an instance runs.
pub(super) fn lost_spec(seen: &ObservedInstance) -> String {
    format!("spec of generation {} was lost", seen.instance.generation)
}
