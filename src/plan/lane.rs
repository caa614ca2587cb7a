//! The steps of one pod.

use jiff::Timestamp;

use crate::model::{ContainerName, DesiredPod, RunState};

use super::container::{View, lives, views};
use super::converge::converge;
use super::dependency::Hold;
use super::sandbox::{Condition, condition};
use super::teardown::teardown;
use super::{Action, CONNECT, ObservedInstance, ObservedPod, Step};

/// What a pod needs now.
#[derive(Debug)]
pub(super) struct Needed {
    /// What is to be done.
    pub(super) steps: Vec<Step>,
    /// When to look at it again.
    pub(super) wake: Option<Timestamp>,
    /// Whether something of it is not started because it waits for another pod.
    pub(super) held: bool,
}

/// What a pod needs now; `hold` is the pod that it has to wait for, if there is one.
pub(super) fn steps(
    desired: Option<&DesiredPod>,
    observed: &ObservedPod,
    hold: Option<&Hold>,
    now: Timestamp,
) -> Needed {
    let Some(desired) = desired else {
        let mut steps = Steps::default();
        teardown(&mut steps, None, observed, "not desired any more");
        steps.forget("not desired any more");
        return Needed { steps: steps.0, wake: None, held: false };
    };
    let sandbox = condition(desired, observed);
    let views = views(desired, observed, &sandbox, hold, now);
    steps_of(desired, observed, &sandbox, &views)
}

/// What a desired pod needs now, whose containers these are.
pub(super) fn steps_of(
    desired: &DesiredPod,
    observed: &ObservedPod,
    sandbox: &Condition,
    views: &[View<'_>],
) -> Needed {
    let mut steps = Steps::default();
    let (mut wake, mut held) = (None, false);
    if desired.deleting {
        teardown(&mut steps, Some(&desired.pod), observed, "deleted");
        steps.forget("deleted");
    } else if desired.run == RunState::Stop {
        teardown(&mut steps, Some(&desired.pod), observed, "stopped by request");
    } else {
        held = views.iter().any(View::is_held);
        wake = converge(&mut steps, desired, observed, sandbox, views);
    }
    Needed { steps: steps.0, wake, held }
}

/// The steps of a lane as they are put together: gives each its id.
#[derive(Debug, Default)]
pub(super) struct Steps(Vec<Step>);

impl Steps {
    /// Ends the instance if it lives, and removes what is on the host of it, if anything is.
    pub(super) fn take_away(&mut self, seen: &ObservedInstance, cause: &str) {
        let alive = lives(seen);
        if alive {
            let id = seen.instance.id.clone();
            self.of_instance("stop", seen, Action::Stop { id }, cause);
        }
        if alive || seen.leftovers {
            let id = seen.instance.id.clone();
            self.of_instance("remove", seen, Action::Remove { id }, cause);
        }
    }

    /// Gives the running instance the desired limits.
    pub(super) fn update(&mut self, seen: &ObservedInstance, cause: &str) {
        let id = seen.instance.id.clone();
        self.of_instance("update", seen, Action::Update { id }, cause);
    }

    /// Starts a new instance.
    pub(super) fn start(
        &mut self,
        container: &ContainerName,
        attempt: u32,
        streak: u32,
        cause: &str,
    ) {
        let id = format!("start/{container}/{attempt}");
        self.push(id, Some(container), Action::Start { attempt, streak }, cause);
    }

    /// Makes the sandbox.
    pub(super) fn create_sandbox(&mut self, cause: &str) {
        self.push("create-sandbox".to_owned(), None, Action::CreateSandbox, cause);
    }

    /// Joins the sandbox to the bridge.
    pub(super) fn connect(&mut self, exposes: Vec<String>, cause: &str) {
        self.push(CONNECT.to_owned(), None, Action::Connect { exposes }, cause);
    }

    /// Removes the sandbox.
    pub(super) fn remove_sandbox(&mut self, cause: &str) {
        self.push("remove-sandbox".to_owned(), None, Action::RemoveSandbox, cause);
    }

    fn forget(&mut self, cause: &str) {
        self.push("forget".to_owned(), None, Action::Forget, cause);
    }

    fn of_instance(&mut self, verb: &str, seen: &ObservedInstance, action: Action, cause: &str) {
        let (container, attempt) = (&seen.instance.container, seen.instance.attempt);
        self.push(format!("{verb}/{container}/{attempt}"), Some(container), action, cause);
    }

    fn push(&mut self, id: String, container: Option<&ContainerName>, action: Action, cause: &str) {
        let (container, cause) = (container.cloned(), cause.to_owned());
        self.0.push(Step { id, container, action, cause });
    }
}
