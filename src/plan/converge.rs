//! Bringing a pod that should run to what its spec says.

use jiff::Timestamp;

use crate::model::DesiredPod;
use crate::model::pod::Network;

use super::container::{Gate, Need, View, eligible, lives};
use super::dependency::Standing;
use super::lane::Steps;
use super::network;
use super::sandbox::Condition;
use super::teardown::stop_order;
use super::{ObservedInstance, ObservedPod};

/// Ends what should not run, in reverse order; renews the sandbox; starts what should, in order.
/// `views` are the pod's containers, and `sandbox` is what is the matter with theirs. Returns the
/// earliest moment at which a delay ends.
pub(super) fn converge(
    steps: &mut Steps,
    desired: &DesiredPod,
    observed: &ObservedPod,
    sandbox: &Condition,
    views: &[View<'_>],
) -> Option<Timestamp> {
    for seen in stop_order(Some(&desired.pod), observed) {
        if let Some(cause) = doom(seen, views) {
            steps.take_away(seen, &cause);
        }
    }
    let first = views.iter().find_map(start_cause);
    let stays = |seen: &ObservedInstance| lives(seen) && doom(seen, views).is_none();
    let is_waiting = views.iter().any(View::is_held) && !observed.instances.iter().any(stays);
    match (first, sandbox) {
        (Some(first), _) => renew(steps, sandbox, first),
        // What shows that it is the wrong one goes now, and may be missed when it is needed.
        (None, Condition::Outdated { cause }) if is_waiting => steps.remove_sandbox(cause),
        (None, _) => {}
    }
    if let Some(cause) = connect_cause(desired, observed, sandbox, first) {
        steps.connect(network::exposes(desired, observed), &cause);
    }
    for view in views {
        match (&view.need, view.current) {
            (Need::Start { cause, streak }, _) => {
                steps.start(view.name, view.next_attempt, *streak, cause);
            }
            (Need::Update { cause }, Some(seen)) => steps.update(seen, cause),
            _ => {}
        }
    }
    eligible(views).iter().filter_map(wake).min()
}

/// Why an instance is taken away, if it is.
fn doom(seen: &ObservedInstance, views: &[View<'_>]) -> Option<String> {
    let Some(view) = views.iter().find(|view| *view.name == seen.instance.container) else {
        return Some("container is not in the spec any more".to_owned());
    };
    let current = view.current?;
    if !std::ptr::eq(current, seen) {
        return Some(format!("superseded by attempt {}", current.instance.attempt));
    }
    match &view.need {
        // What runs goes on until it may be replaced, unless what it depends on goes itself.
        Need::Pending { on: Gate::Pod(hold), .. }
            if lives(seen) && hold.standing != Standing::Going =>
        {
            None
        }
        Need::Start { cause, .. } | Need::Pending { cause, .. } => Some(cause.clone()),
        _ => None,
    }
}

/// Makes the sandbox that the first container to start, and so all of them, will need.
fn renew(steps: &mut Steps, sandbox: &Condition, first: &str) {
    match sandbox {
        Condition::Good => {}
        Condition::Absent => steps.create_sandbox(first),
        Condition::Incomplete { cause } => steps.create_sandbox(cause),
        Condition::Outdated { cause } => {
            steps.remove_sandbox(cause);
            steps.create_sandbox(cause);
        }
    }
}

/// Why the pod is joined to the bridge, if it is: its sandbox is new, or its network is not as it
/// should be. A pod without a sandbox has nothing to be joined.
fn connect_cause(
    desired: &DesiredPod,
    observed: &ObservedPod,
    sandbox: &Condition,
    first: Option<&str>,
) -> Option<String> {
    match (sandbox, first) {
        (Condition::Good, _) => network::cause(desired, observed),
        _ if desired.pod.network != Network::Bridge => None,
        (Condition::Absent, first) => first.map(str::to_owned),
        (Condition::Incomplete { cause } | Condition::Outdated { cause }, first) => {
            first.map(|_| cause.clone())
        }
    }
}

fn start_cause<'a>(view: &'a View<'_>) -> Option<&'a str> {
    match &view.need {
        Need::Start { cause, .. } => Some(cause),
        _ => None,
    }
}

fn wake(view: &View<'_>) -> Option<Timestamp> {
    match view.need {
        Need::Wait { until, .. } => Some(until),
        _ => None,
    }
}
