//! The plan: what a pass will do, and why, as a value.
//!
//! [`plan`] is a pure function of what is desired, what was observed and the time. It does no
//! I/O, reads no clock and no environment, and uses no randomness (the jitter of a back-off comes
//! from the instance's id), so the same input always gives the same plan.

#![forbid(unsafe_code)]

mod cause;
mod compare;
mod container;
mod converge;
mod describe;
mod lane;
mod network;
mod restart;
mod sandbox;
mod status;
mod teardown;

#[cfg(test)]
mod tests;

pub use status::{Phase, PodStatus, Sync, status};

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::pod::Port;
use crate::model::{ContainerName, DesiredPod, Instance, InstanceId, Pod, PodName};

/// What was seen of the world, by pod.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Every pod that the database or the run directory knows something of.
    pub pods: BTreeMap<PodName, ObservedPod>,
}

/// What was seen of one pod.
#[derive(Debug, Clone, Default)]
pub struct ObservedPod {
    /// Whether its pinned namespaces are all there.
    pub sandbox: SandboxState,
    /// What is there of its network.
    pub network: ObservedNetwork,
    /// Its instances, oldest first, in the state they were just seen in.
    pub instances: Vec<ObservedInstance>,
}

/// What is there of a pod's sandbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SandboxState {
    /// Nothing.
    #[default]
    Absent,
    /// Something, but not all of it: it has to be made anew.
    Partial,
    /// All of it.
    Ready,
}

/// What was seen of the network of a pod on the bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedNetwork {
    /// Whether it has addresses.
    pub connected: bool,
    /// The host's ports that it has, with the containers that publish them.
    pub ports: Vec<(ContainerName, Port)>,
    /// Whether they are open.
    pub open: bool,
    /// What is not as it should be, if anything is not.
    pub drift: Option<String>,
    /// Whether something of it is there that goes with its sandbox: an interface, a port.
    pub present: bool,
}

/// What was seen of one instance.
#[derive(Debug, Clone)]
pub struct ObservedInstance {
    /// Its row, with the state and exit that were just seen.
    pub instance: Instance,
    /// The spec of the generation it runs, if the database still has it.
    pub spec: Option<Arc<Pod>>,
    /// Whether something of it (directories, cgroup) is still on the host.
    pub leftovers: bool,
}

/// An ordered difference between desired and observed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// One lane a pod: its steps run in order, lanes run in parallel.
    pub lanes: Vec<Lane>,
    /// The earliest moment at which the same world would give another plan (a restart delay ends).
    pub wake: Option<Timestamp>,
}

/// The steps of one pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The pod.
    pub pod: PodName,
    /// Its steps, in order; never empty.
    pub steps: Vec<Step>,
}

impl Lane {
    /// Whether the pod is joined to the network.
    pub fn connects(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::Connect { .. }))
    }

    /// Whether other pods have to hear of this one, or to forget it.
    pub fn changes_names(&self) -> bool {
        let changes = |step: &Step| matches!(step.action, Action::Connect { .. } | Action::Forget);
        self.steps.iter().any(changes)
    }

    /// Whether something of the pod that runs is ended.
    pub fn stops(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::Stop { .. }))
    }

    /// Whether the pod's sandbox goes.
    pub fn removes_sandbox(&self) -> bool {
        self.steps.iter().any(|step| step.action == Action::RemoveSandbox)
    }
}

/// One action of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Stable within a pod: `start/app/3`, `stop/app/2`, `create-sandbox`.
    pub id: String,
    /// The container it is about, if it is about one.
    pub container: Option<ContainerName>,
    /// What is done.
    pub action: Action,
    /// Why: the field that changed, the exit that was seen, the drift.
    pub cause: String,
}

/// What a step does. Every one tolerates "already done" and "already gone".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Makes and pins the pod's namespaces, replacing what is there of them.
    CreateSandbox,
    /// Joins the pod's namespace to the bridge and publishes its ports, as far as that is not so.
    Connect {
        /// The addresses at which it can be reached then and cannot be now.
        exposes: Vec<String>,
    },
    /// Makes a new instance and executes its program.
    Start {
        /// The attempt number of the new instance.
        attempt: u32,
        /// Its place in a row of quick ends.
        streak: u32,
    },
    /// Asks the instance to end, kills it after its grace period, and takes in its exit.
    Stop {
        /// The instance.
        id: InstanceId,
    },
    /// Removes the instance's directories and cgroup; its row stays as history.
    Remove {
        /// The instance.
        id: InstanceId,
    },
    /// Applies live changes (limits) to the running instance and marks it as of this generation.
    Update {
        /// The instance.
        id: InstanceId,
    },
    /// Unpins the pod's namespaces; its interface and its ports go with them.
    RemoveSandbox,
    /// Removes the pod's rows, logs and locks.
    Forget,
}

/// The id of the step that joins a pod to the network.
pub const CONNECT: &str = "connect";

/// Compares what is desired with what was observed.
///
/// - A pod that should run gets an instance of each of its containers, of the desired generation
///   and image; an instance that ended gets a successor when the restart policy says so and the
///   delay is over.
/// - A pod that should not run, is being deleted, or is not in `desired` at all is taken down, and
///   the latter two are forgotten.
/// - When every step has been carried out, the same desired state gives a plan without steps.
///
/// Lanes are sorted by the name of their pod; a pod that needs nothing has none.
pub fn plan(desired: &[DesiredPod], observed: &Observed, now: Timestamp) -> Plan {
    let nothing = ObservedPod::default();
    let mut pods: BTreeMap<&PodName, (Option<&DesiredPod>, &ObservedPod)> =
        observed.pods.iter().map(|(name, seen)| (name, (None, seen))).collect();
    for pod in desired {
        pods.entry(&pod.pod.name).or_insert((None, &nothing)).0 = Some(pod);
    }
    let mut plan = Plan::default();
    for (name, (desired, observed)) in pods {
        let (steps, wake) = lane::steps(desired, observed, now);
        if !steps.is_empty() {
            plan.lanes.push(Lane { pod: name.clone(), steps });
        }
        plan.wake = plan.wake.into_iter().chain(wake).min();
    }
    plan
}
