//! What people are told happened.

use jiff::Timestamp;

use crate::model::{Exit, ExitReason, Instance, State};
use crate::store::NewEvent;

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
