//! Taking a pod down.

use std::cmp::Reverse;

use crate::model::Pod;

use super::lane::Steps;
use super::{ObservedInstance, ObservedPod, SandboxState};

/// Ends and removes every instance, then the sandbox.
pub(super) fn teardown(steps: &mut Steps, pod: Option<&Pod>, observed: &ObservedPod, cause: &str) {
    for seen in stop_order(pod, observed) {
        steps.take_away(seen, cause);
    }
    if observed.sandbox != SandboxState::Absent || observed.network.present {
        steps.remove_sandbox(cause);
    }
}

/// The instances in the order they end: the reverse of the order they start in. What the spec
/// does not know comes first, and of one container the newest.
pub(super) fn stop_order<'a>(
    pod: Option<&Pod>,
    observed: &'a ObservedPod,
) -> Vec<&'a ObservedInstance> {
    let place = |seen: &ObservedInstance| {
        let all = pod.into_iter().flat_map(|pod| pod.init_containers.iter().chain(&pod.containers));
        let place = all.into_iter().position(|known| known.name == seen.instance.container);
        place.unwrap_or(usize::MAX)
    };
    let mut order: Vec<_> = observed.instances.iter().rev().collect();
    order.sort_by_key(|seen| Reverse(place(seen)));
    order
}
