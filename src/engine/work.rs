//! The lanes of a plan, each with all that its steps need to know.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Engine;
use super::error::{Error, Result};
use super::lock::PodLock;
use super::observe::Snapshot;
use crate::model::{DesiredPod, Instance, InstanceId, Pod, PodName, State};
use crate::plan::{Action, Lane, Plan, Step};
use crate::sys;

/// A lane, and what it needs.
#[derive(Debug)]
pub(super) struct Work {
    /// The pod's lock.
    pub(super) lock: PodLock,
    /// The steps.
    pub(super) lane: Lane,
    /// What is desired of the pod, if anything is.
    pub(super) desired: Option<DesiredPod>,
    /// The instances that its steps start, by the step's id.
    pub(super) starts: BTreeMap<String, Instance>,
    /// The instances of the pod that were seen, by id, as the steps have left them.
    pub(super) instances: BTreeMap<InstanceId, Instance>,
    /// The specs that its instances run.
    pub(super) specs: BTreeMap<InstanceId, Arc<Pod>>,
    /// Why the pod gets nothing of the network that it needs. Then none of its steps is begun.
    pub(super) refused: Option<Error>,
}

impl Work {
    /// The pod, if it is to be joined to the network.
    pub(super) fn to_be_connected(&self) -> Option<&DesiredPod> {
        self.desired.as_ref().filter(|_| self.lane.connects())
    }
}

impl Engine {
    /// The lanes whose pods are locked. New instances are made up here; they exist from the moment
    /// the intent is written.
    pub(super) fn works(
        &self,
        plan: &Plan,
        snapshot: &Snapshot,
        locks: &mut BTreeMap<PodName, PodLock>,
        now: Timestamp,
    ) -> Result<Vec<Work>> {
        let mut works = Vec::new();
        for lane in &plan.lanes {
            let Some(lock) = locks.remove(&lane.pod) else { continue };
            let desired = snapshot.desired.iter().find(|pod| pod.pod.name == lane.pod).cloned();
            let mut starts = BTreeMap::new();
            for step in &lane.steps {
                if let Some(desired) = &desired
                    && let Some(instance) = self.new_instance(desired, step, now)?
                {
                    starts.insert(step.id.clone(), instance);
                }
            }
            let pod = snapshot.observed.pods.get(&lane.pod);
            let seen = || pod.into_iter().flat_map(|pod| &pod.instances);
            let id = |instance: &Instance| instance.id.clone();
            let instances = seen().map(|seen| (id(&seen.instance), seen.instance.clone()));
            let specs = seen().filter_map(|seen| Some((id(&seen.instance), seen.spec.clone()?)));
            works.push(Work {
                lock,
                lane: lane.clone(),
                starts,
                instances: instances.collect(),
                specs: specs.collect(),
                desired,
                refused: None,
            });
        }
        Ok(works)
    }

    fn new_instance(
        &self,
        desired: &DesiredPod,
        step: &Step,
        now: Timestamp,
    ) -> Result<Option<Instance>> {
        let (Action::Start { attempt, streak }, Some(container)) = (&step.action, &step.container)
        else {
            return Ok(None);
        };
        Ok(Some(Instance {
            id: InstanceId::from_bits(sys::random::bits()?),
            pod: desired.pod.name.clone(),
            container: container.clone(),
            generation: desired.generation,
            attempt: *attempt,
            streak: *streak,
            state: State::Created,
            boot: self.boot.clone(),
            monitor: None,
            process: None,
            image: desired.images.get(container).cloned(),
            created_at: now,
            started_at: None,
            exit: None,
            removed: false,
            notes: Vec::new(),
        }))
    }
}
