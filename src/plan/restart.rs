//! When a container that ended is started again.
//!
//! The *streak* of an instance counts the ends in a row that came before it: 0 for the first life
//! of a container, one more with every end. A life of ten good minutes breaks the row: its own end
//! is the first of a new one. The delay after an end is `initial * 2^streak`, at most `max`, give
//! or take a tenth that the instance's id decides, so that pods which fell together do not rise
//! together and the same world still gives the same plan.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::pod::{Restart, RestartPolicy};
use crate::model::{ExitReason, Instance, InstanceId, State};

use super::cause;

/// How long a life must last to break a row of ends.
const GOOD_RUN: SignedDuration = SignedDuration::from_mins(10);

/// What follows an end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A start, now.
    Start {
        /// Why.
        cause: String,
        /// The streak of the new instance.
        streak: u32,
    },
    /// A start, but not before `until`.
    Wait {
        /// When the delay ends.
        until: Timestamp,
        /// How the last life ended.
        cause: String,
    },
    /// Nothing: it did what it was there for.
    Completed,
    /// Nothing: it failed, and is not to be tried again.
    Failed {
        /// How the last life ended.
        cause: String,
    },
}

/// Decides what follows the end of `instance`, which does not run any more.
///
/// The policy decides whether there is a restart. Only ends that the container came to by itself
/// are held back: what tank stopped or did not finish starting starts at once, and so does what a
/// restart of the host took down. An instance that was taken away already has served its delay
/// (or its pod was stopped and is wanted again), so that it waits no more and begins a new row.
pub(super) fn after_end(restart: &Restart, instance: &Instance, now: Timestamp) -> Next {
    let reason = match (&instance.exit, instance.state) {
        (Some(exit), _) => &exit.reason,
        (None, State::Created | State::Removing) => {
            return Next::Start { cause: cause::end(instance), streak: instance.streak };
        }
        (None, _) => &ExitReason::Unknown,
    };
    if *reason == ExitReason::Stopped {
        return Next::Start { cause: cause::end(instance), streak: 0 };
    }
    if succeeded(instance) && restart.policy != RestartPolicy::Always {
        return Next::Completed;
    }
    if restart.policy == RestartPolicy::Never {
        return Next::Failed { cause: cause::end(instance) };
    }
    if *reason == ExitReason::HostReboot {
        return Next::Start { cause: cause::end(instance), streak: 0 };
    }
    let streak = streak(instance, finished_at(instance));
    let cause = cause::restart(instance, streak, restart);
    if instance.removed {
        return Next::Start { cause, streak: 0 };
    }
    if restart.max_retries.is_some_and(|most| streak >= most) {
        return Next::Failed { cause: cause::gave_up(instance, streak) };
    }
    let until = due(restart, instance, streak, now);
    if until > now {
        return Next::Wait { until, cause };
    }
    Next::Start { cause, streak: streak.saturating_add(1) }
}

/// Whether an instance returned 0 by itself.
pub(super) fn succeeded(instance: &Instance) -> bool {
    let exit = instance.exit.as_ref();
    exit.is_some_and(|exit| exit.reason == ExitReason::Exited && exit.is_success())
}

/// The streak of `instance` as it counts when it ends at `end`: 0 after ten good minutes. An end
/// whose time is not known proves no good minute.
pub(super) fn streak(instance: &Instance, end: Option<Timestamp>) -> u32 {
    let run = instance.started_at.zip(end).map(|(start, end)| end.duration_since(start));
    if run.is_some_and(|run| run >= GOOD_RUN) { 0 } else { instance.streak }
}

/// How long to wait after the end of the instance `id`.
fn delay(restart: &Restart, streak: u32, id: &InstanceId) -> Duration {
    let doubled = match 1_u32.checked_shl(streak) {
        Some(factor) => restart.initial.saturating_mul(factor),
        None if restart.initial.is_zero() => Duration::ZERO,
        None => restart.max,
    };
    doubled.min(restart.max).saturating_mul(jitter(id)) / 1000
}

/// The share of a delay that the instance `id` waits, in thousandths: 900 to 1100.
pub(super) fn jitter(id: &InstanceId) -> u32 {
    900 + fnv1a(id.as_str()) % 201
}

/// When `instance` may be started again.
///
/// An end at an unknown time is taken to be as old as the last thing known of the instance, so
/// that a start that fails at once is held back too. An end in the future means that the clock
/// was set back: nobody waits longer than one delay for it to come, and not at all when it is
/// further away than that.
fn due(restart: &Restart, instance: &Instance, streak: u32, now: Timestamp) -> Timestamp {
    let delay = delay(restart, streak, &instance.id);
    let latest = later(now, delay);
    let end = finished_at(instance).or(instance.started_at).unwrap_or(instance.created_at);
    if end > latest { now } else { later(end, delay).min(latest) }
}

fn finished_at(instance: &Instance) -> Option<Timestamp> {
    instance.exit.as_ref().and_then(|exit| exit.finished_at)
}

fn later(from: Timestamp, delay: Duration) -> Timestamp {
    from.checked_add(delay).unwrap_or(Timestamp::MAX)
}

/// The 32-bit FNV-1a hash: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests;
