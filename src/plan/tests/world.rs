//! A world in memory: steps change it, and it refuses what the real one must never be asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::notation::now;
use crate::model::{
    ContainerName, DesiredPod, Exit, ExitReason, Instance, InstanceId, PodName, State,
};
use crate::plan::{
    Action, Observed, ObservedInstance, ObservedNetwork, ObservedPod, Plan, SandboxState, Step,
    plan,
};

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) desired: BTreeMap<PodName, DesiredPod>,
    pub(super) observed: Observed,
    pub(super) next_id: u64,
}

impl World {
    pub(super) fn plan(&self) -> Plan {
        self.plan_at(now())
    }

    pub(super) fn plan_at(&self, time: Timestamp) -> Plan {
        let desired: Vec<DesiredPod> = self.desired.values().cloned().collect();
        plan(&desired, &self.observed, time)
    }

    /// The world with no other pod in it.
    pub(super) fn only(&self, name: &PodName) -> Self {
        let mut world = self.clone();
        world.desired.retain(|other, _| other == name);
        world.observed.pods.retain(|other, _| other == name);
        world
    }

    pub(super) fn apply_all(&mut self, plan: &Plan) {
        for lane in &plan.lanes {
            for step in &lane.steps {
                self.apply_step(&lane.pod, step);
            }
        }
    }

    /// Carries out one step and checks what it relies on.
    pub(super) fn apply_step(&mut self, name: &PodName, step: &Step) {
        let desired = self.desired.get(name).cloned();
        let pod = self.observed.pods.entry(name.clone()).or_default();
        match &step.action {
            Action::CreateSandbox => {
                assert!(!pod.instances.iter().any(alive), "new namespaces under a program");
                pod.sandbox = SandboxState::Ready;
            }
            Action::Connect { .. } => {
                let desired = desired.as_ref().expect("a desired pod");
                assert_eq!(pod.sandbox, SandboxState::Ready, "nothing to connect");
                let containers = desired.pod.containers.iter();
                let ports = containers.flat_map(|container| {
                    container.ports.iter().map(|port| (container.name.clone(), port.clone()))
                });
                pod.network = ObservedNetwork {
                    connected: true,
                    ports: ports.collect(),
                    open: true,
                    drift: None,
                    present: true,
                };
            }
            Action::RemoveSandbox => {
                assert!(!pod.instances.iter().any(alive), "no namespaces under a program");
                pod.sandbox = SandboxState::Absent;
                pod.network = ObservedNetwork {
                    connected: pod.network.connected,
                    ..ObservedNetwork::default()
                };
            }
            Action::Start { attempt, streak } => {
                let container = step.container.clone().unwrap();
                let own = || pod.instances.iter().filter(|seen| of(seen, &container));
                assert!(!own().any(alive), "two instances of {container}");
                assert!(!own().any(|seen| seen.leftovers), "leftovers of {container}");
                assert!(own().all(|seen| seen.instance.attempt < *attempt), "attempt {attempt}");
                assert_eq!(pod.sandbox, SandboxState::Ready, "no sandbox to start in");
                let id = InstanceId::from_bits(self.next_id);
                self.next_id += 1;
                start(pod, &desired.unwrap(), container, id, (*attempt, *streak));
            }
            Action::Stop { id } => {
                let seen = find(pod, id);
                assert!(alive(seen), "stopping what does not run");
                let mut exit = Exit::unknown(ExitReason::Stopped);
                exit.finished_at = Some(now());
                (seen.instance.state, seen.instance.exit) = (State::Stopped, Some(exit));
            }
            Action::Remove { id } => {
                let seen = find(pod, id);
                assert!(!alive(seen), "removing what runs");
                (seen.leftovers, seen.instance.removed) = (false, true);
            }
            Action::Update { id } => {
                let seen = find(pod, id);
                assert!(alive(seen), "updating what does not run");
                let desired = desired.unwrap();
                seen.instance.generation = desired.generation;
                seen.spec = Some(Arc::new(desired.pod));
            }
            Action::Forget => {
                let clean = |seen: &ObservedInstance| !alive(seen) && !seen.leftovers;
                assert!(pod.instances.iter().all(clean), "forgetting what is still there");
                assert_eq!(pod.sandbox, SandboxState::Absent, "forgetting a sandbox");
                self.observed.pods.remove(name);
                self.desired.remove(name);
            }
        }
    }
}

fn start(
    pod: &mut ObservedPod,
    desired: &DesiredPod,
    container: ContainerName,
    id: InstanceId,
    (attempt, streak): (u32, u32),
) {
    let image = desired.images.get(&container).cloned();
    let instance = Instance {
        id,
        pod: desired.pod.name.clone(),
        container,
        generation: desired.generation,
        attempt,
        streak,
        state: State::Running,
        boot: String::new(),
        monitor: None,
        process: None,
        image,
        created_at: now(),
        started_at: Some(now()),
        exit: None,
        removed: false,
        notes: Vec::new(),
    };
    let spec = Some(Arc::new(desired.pod.clone()));
    pod.instances.push(ObservedInstance {
        instance,
        spec,
        health: None,
        confinement: Default::default(),
        remounted: false,
        leftovers: true,
    });
}

pub(super) fn alive(seen: &ObservedInstance) -> bool {
    matches!(seen.instance.state, State::Running | State::Unknown)
}

fn of(seen: &ObservedInstance, container: &ContainerName) -> bool {
    seen.instance.container == *container
}

fn find<'a>(pod: &'a mut ObservedPod, id: &InstanceId) -> &'a mut ObservedInstance {
    pod.instances.iter_mut().find(|seen| seen.instance.id == *id).expect("a known instance")
}
