//! What people are told happened.

use jiff::Timestamp;

use super::pass::{PassResult, StepFailure};
use crate::model::{Exit, ExitReason, Instance, PodName, State};
use crate::plan::{Action, Step};
use crate::store::{self, NewEvent};

/// The event of an instance that is seen in another state than before; `None` when the change is
/// not worth one.
pub(super) fn of_instance(instance: &Instance, now: Timestamp) -> Option<NewEvent> {
    let attempt = instance.attempt;
    let (kind, message) = match (&instance.exit, instance.state) {
        (Some(exit), _) => (kind(exit), format!("attempt {attempt} {}", words(exit))),
        (None, State::Running) => ("started", format!("attempt {attempt} runs")),
        (None, State::Missing) => ("lost", format!("attempt {attempt} is gone, exit unknown")),
        (None, State::Unknown) => ("unmonitored", format!("attempt {attempt} lost its monitor")),
        (None, State::Created | State::Removing | State::Stopped | State::Failed) => return None,
    };
    let at = instance.exit.as_ref().and_then(|exit| exit.finished_at).unwrap_or(now);
    Some(NewEvent {
        at,
        pod: Some(instance.pod.clone()),
        container: Some(instance.container.clone()),
        instance: Some(instance.id.clone()),
        kind: kind.to_owned(),
        message,
    })
}

/// The event of a step that failed, or that changed something in place; the others are told by what
/// became of their instances.
pub(super) fn of_step(
    pod: &PodName,
    step: &Step,
    error: Option<&str>,
    now: Timestamp,
) -> Option<NewEvent> {
    let (kind, message) = match (&step.action, error) {
        (Action::Start { .. }, _) => return None,
        (_, Some(error)) => ("failed", format!("{}: {error}", step.id)),
        (Action::Update { .. }, None) => ("updated", step.cause.clone()),
        (Action::Connect { .. }, None) => ("connected", step.cause.clone()),
        (_, None) => return None,
    };
    Some(NewEvent {
        at: now,
        pod: Some(pod.clone()),
        container: step.container.clone(),
        instance: None,
        kind: kind.to_owned(),
        message,
    })
}

/// The event of a step whose process died.
pub(super) fn of_interrupted(step: &store::Step, now: Timestamp) -> NewEvent {
    NewEvent {
        at: now,
        pod: Some(step.pod.clone()),
        container: step.container.clone(),
        instance: None,
        kind: "interrupted".to_owned(),
        message: format!("{}: its command was cut short", step.step),
    }
}

/// The event of a pass of which something failed.
pub(super) fn of_pass(command: &str, pass: &PassResult, now: Timestamp) -> Option<NewEvent> {
    let failed = pass.failures.len();
    let message = format!("{command}: executed {}, failed {failed}", pass.executed);
    (failed > 0).then(|| of_machine("pass", message, now))
}

/// The event of something that failed in a pass and is about no pod.
pub(super) fn of_failure(command: &str, failure: &StepFailure, now: Timestamp) -> NewEvent {
    of_machine("pass", format!("{command}: {}: {}", failure.step, failure.error), now)
}

/// The event of an image that was fetched.
pub(super) fn of_pull(image: &str, now: Timestamp) -> NewEvent {
    of_machine("pulled", image.to_owned(), now)
}

/// An event that is about no pod.
fn of_machine(kind: &str, message: String, at: Timestamp) -> NewEvent {
    let (kind, pod, container, instance) = (kind.to_owned(), None, None, None);
    NewEvent { at, pod, container, instance, kind, message }
}

fn kind(exit: &Exit) -> &'static str {
    match exit.reason {
        ExitReason::Exited => "exited",
        ExitReason::Oom => "oom",
        ExitReason::Probe(_) => "unhealthy",
        ExitReason::Stopped => "stopped",
        ExitReason::StartFailed(_) => "start-failed",
        ExitReason::HostReboot => "host-reboot",
        ExitReason::Unknown => "lost",
    }
}

fn words(exit: &Exit) -> String {
    match (&exit.reason, exit.code, exit.signal) {
        (ExitReason::StartFailed(why), ..) => format!("did not start: {why}"),
        (ExitReason::HostReboot, ..) => "was lost when the host was restarted".to_owned(),
        (ExitReason::Probe(why), ..) => format!("was ended: {why}"),
        (ExitReason::Stopped, _, Some(libc::SIGKILL)) => {
            "did not end in time when it was asked to, and was killed".to_owned()
        }
        (ExitReason::Oom, ..) => "was killed: out of memory".to_owned(),
        (ExitReason::Unknown, ..) | (_, None, None) => "ended, exit unknown".to_owned(),
        (_, Some(code), _) => format!("exited with code {code}"),
        (_, None, Some(signal)) => format!("was ended by signal {signal}"),
    }
}
