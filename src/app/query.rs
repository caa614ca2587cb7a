//! Looking at what is desired and what is there.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Error;
use super::report::{
    ContainerReport, DescribeReport, EventReport, ExitReport, ListReport, PodStatus, PodSummary,
    PsReport, StepReport, Sync,
};
use super::{App, no_pod};
use crate::engine::Snapshot;
use crate::model::pod::Source;
use crate::model::{Container, ContainerName, DesiredPod, Instance, Pod, PodName, secret};
use crate::plan::{self, Confinement, ObservedInstance, ObservedPod, Phase, status};
use crate::store::Step;
use crate::sys::clock;

/// How many ends of a pod's containers are told.
const EXITS: usize = 5;

/// How many events `describe` shows.
const EVENTS: u32 = 20;

/// How many steps `describe` shows.
const STEPS: u32 = 10;

impl App {
    /// The desired spec of one pod, its secrets masked.
    pub fn get(&self, name: &PodName) -> Result<Pod, Error> {
        Ok(secret::masked(self.desired(name)?.pod))
    }

    /// Every desired pod.
    pub fn list(&self) -> Result<ListReport, Error> {
        let snapshot = self.look_closer(None)?;
        let nothing = ObservedPod::default();
        let summary = |desired: &DesiredPod| {
            let observed = snapshot.observed.pods.get(&desired.pod.name).unwrap_or(&nothing);
            summary(&snapshot, desired, observed)
        };
        Ok(ListReport { pods: snapshot.desired.iter().map(summary).collect() })
    }

    /// The last instance of every container; with `all`, the earlier ones on record too.
    pub fn ps(&self, all: bool) -> Result<PsReport, Error> {
        let snapshot = self.look(None)?;
        let mut instances = BTreeMap::new();
        if all {
            for desired in &snapshot.desired {
                for instance in self.instances(&desired.pod.name)? {
                    instances.insert(key(&instance), instance);
                }
            }
        }
        let observed = snapshot.observed.pods.values().flat_map(|pod| &pod.instances);
        for seen in observed {
            instances.insert(key(&seen.instance), seen.instance.clone());
        }
        if !all {
            let mut last: BTreeMap<(PodName, ContainerName), Instance> = BTreeMap::new();
            for ((pod, container, _), instance) in instances {
                last.insert((pod, container), instance);
            }
            let reports = last.values().map(|instance| container_report(&snapshot, instance));
            return Ok(PsReport { containers: reports.collect() });
        }
        let reports = instances.values().map(|instance| container_report(&snapshot, instance));
        Ok(PsReport { containers: reports.collect() })
    }

    /// Everything that is known of one pod.
    pub fn describe(&self, name: &PodName) -> Result<DescribeReport, Error> {
        let snapshot = self.look_closer(Some(name))?;
        let desired = snapshot.desired.first().ok_or_else(|| no_pod(name))?;
        let nothing = ObservedPod::default();
        let observed = snapshot.observed.pods.get(name).unwrap_or(&nothing);
        let mut instances: BTreeMap<_, _> = BTreeMap::new();
        for instance in self.instances(name)? {
            instances.insert(key(&instance), instance);
        }
        for seen in &observed.instances {
            instances.insert(key(&seen.instance), seen.instance.clone());
        }
        let events = self.read("events", |state| state.recent_events(Some(name), EVENTS))?;
        let steps = self.last_steps(name)?;
        let notes = observed.instances.iter().flat_map(|seen| seen.instance.notes.clone());
        let notes: BTreeSet<String> = notes.chain(snapshot.notes()).collect();
        Ok(DescribeReport {
            summary: summary(&snapshot, desired, observed),
            run: desired.run,
            updated_at: desired.updated_at,
            spec: secret::masked(desired.pod.clone()),
            instances: instances.values().map(|i| container_report(&snapshot, i)).collect(),
            steps,
            events: events.into_iter().map(EventReport::from).collect(),
            notes: notes.into_iter().collect(),
        })
    }

    /// What the journal has of a pod.
    fn last_steps(&self, name: &PodName) -> Result<Vec<StepReport>, Error> {
        self.read("journal", |state| {
            let steps = state.recent_steps(name, STEPS)?;
            let report = |step: Step| {
                let pass = state.pass(step.pass)?;
                Ok(StepReport::new(step, pass.as_ref()))
            };
            steps.into_iter().map(report).collect()
        })
    }

    /// One look at the world, for one pod or all of them.
    fn look(&self, only: Option<&PodName>) -> Result<Snapshot, Error> {
        let only = only.map(|name| BTreeSet::from([name.clone()]));
        self.engine()?
            .snapshot(only.as_ref())
            .map_err(|e| Error::of_engine("cannot look at the pods", e))
    }

    /// Adds the lives that are on record alone: they tell which restarts were asked for.
    fn add_removed(&self, snapshot: &mut Snapshot) -> Result<(), Error> {
        for instance in self.read("instances", |state| state.removed_instances())? {
            let Some(pod) = snapshot.observed.pods.get_mut(&instance.pod) else { continue };
            if pod.instances.iter().all(|seen| seen.instance.id != instance.id) {
                pod.instances.push(ObservedInstance {
                    instance,
                    spec: None,
                    health: None,
                    confinement: Confinement::Unread,
                    remounted: false,
                    leftovers: false,
                });
            }
        }
        for pod in snapshot.observed.pods.values_mut() {
            pod.instances.sort_by(|one, other| {
                let age =
                    |seen: &ObservedInstance| (seen.instance.created_at, seen.instance.attempt);
                age(one).cmp(&age(other))
            });
        }
        Ok(())
    }

    /// The same, with what takes longer to look at.
    fn look_closer(&self, only: Option<&PodName>) -> Result<Snapshot, Error> {
        let mut snapshot = self.look(only)?;
        self.add_removed(&mut snapshot)?;
        // Without its settings, what the network should be like is taken from what tank chose.
        drop(self.learn_settings());
        self.engine()?
            .look_closer(&mut snapshot)
            .map_err(|e| Error::of_engine("cannot look at the pods", e))?;
        Ok(snapshot)
    }

    pub(super) fn instances(&self, pod: &PodName) -> Result<Vec<Instance>, Error> {
        self.read("instances", |state| state.instances_of(pod))
    }
}

fn key(instance: &Instance) -> (PodName, ContainerName, u32) {
    (instance.pod.clone(), instance.container.clone(), instance.attempt)
}

fn summary(snapshot: &Snapshot, desired: &DesiredPod, observed: &ObservedPod) -> PodSummary {
    let hold = snapshot.waits_for(desired);
    let status = status(desired, observed, hold.as_ref(), clock::now());
    PodSummary {
        name: desired.pod.name.clone(),
        generation: desired.generation,
        status: match status.phase {
            Phase::Pending => PodStatus::Pending,
            Phase::Initializing => PodStatus::Initializing,
            Phase::Running => PodStatus::Running,
            Phase::Unready => PodStatus::Unready,
            Phase::Degraded => PodStatus::Degraded,
            Phase::BackOff { .. } => PodStatus::BackingOff,
            Phase::Completed => PodStatus::Completed,
            Phase::Failed => PodStatus::Failed,
            Phase::Stopping => PodStatus::Stopping,
            Phase::Stopped => PodStatus::Stopped,
            Phase::Deleting => PodStatus::Deleting,
        },
        waits_until: match status.phase {
            Phase::BackOff { until } => Some(until),
            _ => None,
        },
        ready: status.ready as usize,
        total: status.total as usize,
        restarts: status.restarts,
        sync: match status.sync {
            plan::Sync::Sync => Sync::Sync,
            plan::Sync::Diverged => Sync::Diverged,
        },
        reasons: status.reasons,
        exits: last_exits(observed),
        ip: snapshot.addresses(&desired.pod.name).map(|own| own.ipv4.into()),
        labels: desired.pod.labels.clone(),
        created_at: desired.created_at,
    }
}

/// The last ends of a pod's containers, the newest first. One whose time is not known is as old as
/// its beginning.
fn last_exits(observed: &ObservedPod) -> Vec<ExitReport> {
    let mut ended: Vec<&Instance> = observed.instances.iter().map(|seen| &seen.instance).collect();
    let end = |instance: &Instance| {
        let finished = instance.exit.as_ref().and_then(|exit| exit.finished_at);
        finished.unwrap_or(instance.created_at)
    };
    ended.sort_by_key(|instance| std::cmp::Reverse(end(instance)));
    ended.into_iter().filter_map(ExitReport::of).take(EXITS).collect()
}

fn container_report(snapshot: &Snapshot, instance: &Instance) -> ContainerReport {
    let observed = snapshot.observed.pods.get(&instance.pod);
    let seen =
        observed.and_then(|pod| pod.instances.iter().find(|seen| seen.instance.id == instance.id));
    let desired = snapshot.desired.iter().find(|desired| desired.pod.name == instance.pod);
    let ran = seen.and_then(|seen| seen.spec.as_deref());
    let spec = ran.or(desired.map(|desired| &desired.pod));
    let container = spec.and_then(|pod| pod.container(&instance.container));
    let ports = container.map(ports).unwrap_or_default();
    ContainerReport::new(instance, seen, container.map(source), ports)
}

fn source(container: &Container) -> String {
    match &container.source {
        Source::Image(name) => name.clone(),
        Source::Rootfs(path) => path.display().to_string(),
    }
}

fn ports(container: &Container) -> Vec<String> {
    container.ports.iter().map(ToString::to_string).collect()
}
