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
mod dependency;
mod describe;
mod lane;
mod limits;
mod network;
mod restart;
mod sandbox;
mod status;
mod teardown;

#[cfg(test)]
mod tests;

pub use container::Gate;
pub use dependency::{Hold, Standing, standing, waits_for};
pub use limits::{Confinement, ObservedLimit, ObservedLimits};
pub use status::{Phase, PodStatus, Sync, status};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::pod::Port;
use crate::model::{ContainerName, DesiredPod, Health, Instance, InstanceId, Pod, PodName, State};

/// What was seen of the world, by pod.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Every pod that the database or the run directory knows something of.
    pub pods: BTreeMap<PodName, ObservedPod>,
    /// How desired pods are that the plan is not about, but that others depend on.
    pub standings: BTreeMap<PodName, Standing>,
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
    /// What its probes say; `None` if it does not run, has none, or they have not said anything yet.
    pub health: Option<Health>,
    /// What is there of its cgroup, while it runs.
    pub confinement: Confinement,
    /// Whether its root was mounted anew, read-only or writable against its spec, while it runs.
    pub remounted: bool,
    /// Whether something of it (directories, cgroup) is still on the host.
    pub leftovers: bool,
}

impl ObservedInstance {
    /// Whether its program runs and can serve.
    pub fn is_ready(&self) -> bool {
        let runs = self.instance.state == State::Running && self.instance.started_at.is_some();
        runs && self.health.as_ref().map_or(!self.has_to_prove(), |health| health.ready)
    }

    /// Whether probes decide if it can serve.
    fn has_to_prove(&self) -> bool {
        let spec = self.spec.as_deref();
        let container = spec.and_then(|pod| pod.container(&self.instance.container));
        container.is_some_and(|it| it.startup.is_some() || it.readiness.is_some())
    }
}

/// An ordered difference between desired and observed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// One lane a pod: its steps run in order, lanes run in parallel.
    pub lanes: Vec<Lane>,
    /// The pods that wait for others, which are not ready.
    pub waiting: Vec<(PodName, Hold)>,
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
    /// The pods whose lanes come before this one: they depend on it, and are taken down like it.
    pub after: Vec<PodName>,
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

    /// Whether others that depend on the pod have to wait until the lane is over.
    pub fn disturbs(&self) -> bool {
        let harmless =
            |step: &Step| matches!(step.action, Action::Connect { .. } | Action::Update { .. });
        !self.steps.iter().all(harmless)
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
/// - A pod that depends on others is not started before they are ready, and they are not taken down
///   before it.
///
/// Lanes are sorted by the name of their pod; a pod that needs nothing has none.
pub fn plan(desired: &[DesiredPod], observed: &Observed, now: Timestamp) -> Plan {
    let nothing = ObservedPod::default();
    let mut pods: BTreeMap<&PodName, (Option<&DesiredPod>, &ObservedPod)> =
        observed.pods.iter().map(|(name, seen)| (name, (None, seen))).collect();
    for pod in desired {
        pods.entry(&pod.pod.name).or_insert((None, &nothing)).0 = Some(pod);
    }
    let needed = desired.iter().flat_map(|pod| &pod.pod.depends_on).collect();
    let mut planner = Planner { pods: &pods, observed, now, needed, planned: BTreeMap::new() };
    for name in pods.keys() {
        planner.visit(name);
    }
    let mut plan = Plan::default();
    for (name, planned) in planner.planned {
        let Planned { lane, hold, wake, .. } = planned;
        plan.lanes.extend(lane);
        plan.waiting.extend(hold.map(|hold| (name.clone(), hold)));
        plan.wake = plan.wake.into_iter().chain(wake).min();
    }
    let goes = |lane: &&Lane| lane.stops() || lane.removes_sandbox();
    let stopped = plan.lanes.iter().filter(goes).filter_map(|lane| pods[&lane.pod].0);
    let stopped: Vec<&DesiredPod> = stopped.collect();
    let mut before = dependency::stopped_before(&stopped);
    for lane in &mut plan.lanes {
        lane.after = before.remove(&lane.pod).unwrap_or_default();
    }
    plan
}

/// Plans pods one by one, each after those that it depends on.
struct Planner<'a> {
    pods: &'a BTreeMap<&'a PodName, (Option<&'a DesiredPod>, &'a ObservedPod)>,
    observed: &'a Observed,
    now: Timestamp,
    /// The pods that others depend on.
    needed: BTreeSet<&'a PodName>,
    planned: BTreeMap<PodName, Planned>,
}

/// What was planned for one pod.
struct Planned {
    lane: Option<Lane>,
    hold: Option<Hold>,
    wake: Option<Timestamp>,
    /// How it is, for those that depend on it.
    standing: Standing,
}

impl Planner<'_> {
    fn visit(&mut self, name: &PodName) -> Standing {
        let Some((desired, seen)) = self.pods.get(name).copied() else {
            return self.observed.standings.get(name).copied().unwrap_or(Standing::Missing);
        };
        if let Some(planned) = self.planned.get(name) {
            return planned.standing;
        }
        // Whoever gets here again while this pod is planned depends on itself, which is refused when
        // it is applied; it waits for ever then.
        let standing = match desired {
            Some(desired) if self.needed.contains(name) => standing(desired, seen, self.now),
            _ => Standing::Missing,
        };
        let unplanned = Planned { lane: None, hold: None, wake: None, standing: Standing::Missing };
        self.planned.insert(name.clone(), unplanned);
        let hold = desired.and_then(|desired| dependency::hold(desired, |name| self.visit(name)));
        let needed = lane::steps(desired, seen, hold.as_ref(), self.now);
        let lane::Needed { steps, wake, held } = needed;
        let lane = Lane { pod: name.clone(), steps, after: Vec::new() };
        let standing = match standing {
            _ if lane.stops() || lane.removes_sandbox() => Standing::Going,
            // A pod that is ready and is about to be disturbed will not be by then.
            Standing::Ready if lane.disturbs() => Standing::Busy(Phase::Pending),
            standing => standing,
        };
        let lane = (!lane.steps.is_empty()).then_some(lane);
        let hold = hold.filter(|_| held);
        self.planned.insert(name.clone(), Planned { lane, hold, wake, standing });
        standing
    }
}
