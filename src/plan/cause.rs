//! How an end is told to people.

use crate::model::pod::{Restart, RestartPolicy};
use crate::model::{Exit, ExitReason, Instance, State};

/// Says how an instance that does not run any more came to its end.
pub(super) fn end(instance: &Instance) -> String {
    match &instance.exit {
        Some(exit) => exit_text(exit),
        None => match instance.state {
            State::Created => "start was interrupted".to_owned(),
            State::Removing => "removal was interrupted".to_owned(),
            _ => exit_text(&Exit::unknown(ExitReason::Unknown)),
        },
    }
}

fn exit_text(exit: &Exit) -> String {
    match &exit.reason {
        ExitReason::HostReboot => "host was restarted".to_owned(),
        ExitReason::Stopped => "was stopped, should run".to_owned(),
        ExitReason::Unknown => "monitor was lost, exit unknown".to_owned(),
        ExitReason::StartFailed(problem) => format!("start failed: {problem}"),
        ExitReason::Probe(problem) => problem.clone(),
        ExitReason::Oom => "out of memory".to_owned(),
        ExitReason::Exited => match (exit.code, exit.signal) {
            (Some(code), _) => format!("exited with code {code}"),
            (None, Some(signal)) => format!("killed by signal {signal}"),
            (None, None) => "ended, exit unknown".to_owned(),
        },
    }
}

/// Says why a container is started again: `exited with code 1 (3 times in a row), restart = always`.
pub(super) fn restart(instance: &Instance, streak: u32, restart: &Restart) -> String {
    let policy = match restart.policy {
        RestartPolicy::Always => "always",
        RestartPolicy::OnFailure => "on-failure",
        RestartPolicy::Never => "never",
    };
    format!("{}, restart = {policy}", repeated(instance, streak))
}

/// Says why a container is not started again.
pub(super) fn gave_up(instance: &Instance, streak: u32) -> String {
    format!("{}, no retries left", repeated(instance, streak))
}

fn repeated(instance: &Instance, streak: u32) -> String {
    let end = end(instance);
    match streak.saturating_add(1) {
        1 => end,
        times => format!("{end} ({times} times in a row)"),
    }
}
