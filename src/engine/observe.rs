//! One snapshot of the world: what the database remembers, set right by what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;

use super::Engine;
use super::claims::Claims;
use super::error::Result;
use super::execute::ended;
use super::place::InstancePlace;
use super::steps::sandbox;
use crate::model::pod::Network;
use crate::model::{self, DesiredPod, Instance, Pod, PodName, State};
use crate::net::Addresses;
use crate::plan::{
    Confinement, Hold, Observed, ObservedInstance, ObservedLimit, ObservedLimits, ObservedPod,
    SandboxState, standing, waits_for,
};
use crate::runtime::cgroup::{Limit, LimitsSeen};
use crate::runtime::observe::{self, Sight};
use crate::runtime::record::{Health, Status};
use crate::runtime::sandbox::{Presence, exists};
use crate::sys::{self, clock};

/// Specs of pods by their generation; `None` where it is not on record any more.
type Specs = BTreeMap<(PodName, u64), Option<Arc<Pod>>>;

/// What is desired and what was seen, at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The desired pods.
    pub desired: Vec<DesiredPod>,
    /// What is there of them, and of pods that are not desired any more.
    pub observed: Observed,
    /// The instances that were seen otherwise than they are remembered.
    pub changed: Vec<Change>,
    /// What the database says of the network.
    pub(super) claims: Claims,
    /// The desired pods that the snapshot is not about.
    pub(super) others: Vec<DesiredPod>,
    /// The instances of those, as they are remembered.
    unseen: Vec<Instance>,
    /// The specs that instances run.
    specs: Specs,
    /// Whether something of the network is there that no pod needs.
    pub(super) stale: bool,
    /// Why the network could not be looked at, if it could not.
    pub(super) blind: Option<String>,
    /// What else could not be looked at, and why.
    unread: Vec<String>,
}

impl Snapshot {
    /// Whether there is a pod whose containers know others by name.
    pub(super) fn has_names(&self) -> bool {
        let pods = self.desired.iter().chain(&self.others);
        pods.into_iter().any(|desired| desired.pod.network != Network::None)
    }

    /// All desired pods, if one of them depends on another.
    pub(super) fn dependent(&self) -> Vec<DesiredPod> {
        let all = || self.desired.iter().chain(&self.others);
        let some = all().any(|pod| !pod.pod.depends_on.is_empty());
        if some { all().cloned().collect() } else { Vec::new() }
    }

    /// What a desired pod waits for, if it depends on one that is not ready.
    pub fn waits_for(&self, pod: &DesiredPod) -> Option<Hold> {
        waits_for(pod, &self.desired, &self.observed, clock::now())
    }

    /// What could not be looked at, and why.
    pub fn notes(&self) -> BTreeSet<String> {
        let blind = self.blind.iter().map(|why| format!("the network cannot be looked at: {why}"));
        blind.chain(self.unread.iter().cloned()).collect()
    }

    /// The addresses of a pod.
    pub fn addresses(&self, pod: &PodName) -> Option<Addresses> {
        self.claims.addresses(pod)
    }
}

/// An instance that is not as it is remembered.
#[derive(Debug)]
pub struct Change {
    /// As the database has it.
    pub remembered: Instance,
    /// As it was seen.
    pub seen: Instance,
}

impl Engine {
    /// Looks at the world, at the pods `only` if given, but not at what takes longer
    /// ([`look_closer`](Self::look_closer)). Writes nothing.
    pub fn snapshot(&self, only: Option<&BTreeSet<PodName>>) -> Result<Snapshot> {
        let (desired, instances, revisions, claims) = self.store.read(|state| {
            let desired = state.pods()?;
            let instances = state.current_instances()?;
            let mut revisions = BTreeMap::new();
            let current: BTreeMap<&PodName, u64> =
                desired.iter().map(|pod| (&pod.pod.name, pod.generation)).collect();
            for instance in instances.iter().filter(|instance| !instance.removed) {
                let key = (instance.pod.clone(), instance.generation);
                let is_current = current.get(&instance.pod) == Some(&instance.generation);
                if !is_current && !revisions.contains_key(&key) {
                    let revision = state.revision(&instance.pod, instance.generation)?;
                    revisions.insert(key, revision.map(|revision| Arc::new(revision.pod)));
                }
            }
            Ok((desired, instances, revisions, Claims::read(state)?))
        })?;
        let is_wanted = |name: &PodName| only.is_none_or(|only| only.contains(name));
        let (desired, others): (Vec<_>, Vec<_>) =
            desired.into_iter().partition(|pod| is_wanted(&pod.pod.name));
        let (instances, unseen): (Vec<_>, Vec<_>) =
            instances.into_iter().partition(|instance| is_wanted(&instance.pod));
        let mut specs: Specs = revisions;
        let mut pods: BTreeMap<PodName, ObservedPod> = BTreeMap::new();
        for pod in &desired {
            specs.insert((pod.pod.name.clone(), pod.generation), Some(Arc::new(pod.pod.clone())));
            let sandbox = self.sandbox_state(Some(&pod.pod), &pod.pod.name);
            pods.insert(pod.pod.name.clone(), ObservedPod { sandbox, ..ObservedPod::default() });
        }
        let (mut changed, mut unread) = (Vec::new(), Vec::new());
        for remembered in instances {
            let seen = self.observe(&remembered, &specs, &mut unread);
            if seen.instance != remembered {
                changed.push(Change { remembered, seen: seen.instance.clone() });
            }
            let name = seen.instance.pod.clone();
            let pod = pods.entry(name).or_insert_with_key(|name| ObservedPod {
                sandbox: self.sandbox_state(None, name),
                ..ObservedPod::default()
            });
            pod.instances.push(seen);
        }
        let observed = Observed { pods, ..Observed::default() };
        let (stale, blind) = (false, None);
        let mut snapshot = Snapshot {
            desired,
            observed,
            changed,
            claims,
            others,
            unseen,
            specs,
            stale,
            blind,
            unread,
        };
        self.observe_dependencies(&mut snapshot);
        Ok(snapshot)
    }

    /// Looks at the limits and the roots of what runs, and at the network. What cannot be seen is
    /// told, and nothing is concluded from it.
    pub fn look_closer(&self, snapshot: &mut Snapshot) -> Result<()> {
        for pod in snapshot.observed.pods.values_mut() {
            for seen in &mut pod.instances {
                let runs = seen.instance.state == State::Running;
                let Some(process) = seen.instance.process.filter(|_| runs) else { continue };
                let container = &seen.instance.container;
                let mut unread = |what: &str, error: &dyn Error| {
                    snapshot.unread.push(not_read(what, &seen.instance, error));
                };
                seen.confinement = match self.instance_group(&seen.instance)?.limits() {
                    Ok(None) => Confinement::Gone,
                    Ok(Some(limits)) => Confinement::Limits(observed_limits(limits)),
                    Err(error) => {
                        unread("limits", &error);
                        Confinement::Unread
                    }
                };
                let spec = seen.spec.as_ref().and_then(|spec| spec.container(container));
                let remounted = spec.map(|spec| observe::is_remounted(process, spec.read_only));
                match remounted.transpose() {
                    Ok(remounted) => seen.remounted = remounted.unwrap_or(false),
                    Err(error) => unread("root file system", &error),
                }
            }
        }
        self.observe_network(snapshot)
    }

    /// Looks at the pods that the snapshot is not about but that pods of it depend on. Those may be
    /// others than before when what is desired was changed.
    pub(super) fn observe_dependencies(&self, snapshot: &mut Snapshot) {
        let depends_on = snapshot.desired.iter().flat_map(|pod| &pod.pod.depends_on);
        let wanted: BTreeSet<&PodName> = depends_on.collect();
        let mut standings = BTreeMap::new();
        for other in snapshot.others.iter().filter(|other| wanted.contains(&other.pod.name)) {
            let name = &other.pod.name;
            let key = (name.clone(), other.generation);
            snapshot.specs.entry(key).or_insert_with(|| Some(Arc::new(other.pod.clone())));
            let sandbox = self.sandbox_state(Some(&other.pod), name);
            let mut pod = ObservedPod { sandbox, ..ObservedPod::default() };
            for instance in snapshot.unseen.iter().filter(|instance| instance.pod == *name) {
                pod.instances.push(self.observe(instance, &snapshot.specs, &mut snapshot.unread));
            }
            standings.insert(name.clone(), standing(other, &pod, clock::now()));
        }
        snapshot.observed.standings = standings;
    }

    /// An instance that cannot be looked at is as it is remembered, which `unread` tells.
    fn observe(
        &self,
        remembered: &Instance,
        specs: &Specs,
        unread: &mut Vec<String>,
    ) -> ObservedInstance {
        let instance = self.look(remembered).unwrap_or_else(|error| {
            unread.push(not_read("state", remembered, &error));
            remembered.clone()
        });
        let spec = specs.get(&(instance.pod.clone(), instance.generation)).cloned().flatten();
        let health = self.health(&instance, spec.as_deref());
        let leftovers = !instance.removed;
        let (confinement, remounted) = (Confinement::Unread, false);
        ObservedInstance { instance, spec, health, confinement, remounted, leftovers }
    }

    /// What the probes of a running instance say, where it has any.
    fn health(&self, instance: &Instance, spec: Option<&Pod>) -> Option<model::Health> {
        let container = spec?.container(&instance.container)?;
        let probes = [&container.startup, &container.readiness, &container.liveness];
        if instance.state != State::Running || probes.iter().all(|probe| probe.is_none()) {
            return None;
        }
        let place = InstancePlace::of(&self.directories, &instance.id);
        let record = Health::read(&place.files().health())?;
        // What was asked before a change of the probes says nothing about the container now.
        let is_current = record.id == instance.id && record.generation == instance.generation;
        is_current.then_some(record.health)
    }

    /// Looks at the sandbox of a pod again, as one of this spec would need it.
    pub(super) fn observe_sandbox(&self, snapshot: &mut Snapshot, pod: &Pod) {
        let state = self.sandbox_state(Some(pod), &pod.name);
        snapshot.observed.pods.entry(pod.name.clone()).or_default().sandbox = state;
    }

    fn sandbox_state(&self, wanted: Option<&Pod>, name: &PodName) -> SandboxState {
        let presence = match wanted {
            Some(pod) => sandbox(pod).presence(&self.directories, name),
            None if exists(&self.directories, name) => Presence::Partial,
            None => Presence::Absent,
        };
        match presence {
            Presence::Absent => SandboxState::Absent,
            Presence::Partial => SandboxState::Partial,
            Presence::Complete => SandboxState::Ready,
        }
    }

    /// The instance as it is now. One whose end is known is not looked at again, but for what is
    /// left of one that succeeded: who took it away may have been killed before he wrote that.
    fn look(&self, remembered: &Instance) -> sys::Result<Instance> {
        let mut instance = remembered.clone();
        if instance.removed {
            return Ok(instance);
        }
        let place = InstancePlace::of(&self.directories, &instance.id);
        if let Some(exit) = &instance.exit {
            instance.removed = exit.is_success() && !observe::has_leftovers(place.files());
            return Ok(instance);
        }
        match observe::look(place.files(), remembered.process)? {
            Sight::Running => {
                instance.state = State::Running;
                if instance.process.is_none()
                    && let Some(status) = Status::read(&place.files().status())
                {
                    instance.monitor = Some(status.monitor);
                    instance.process = Some(status.process);
                    instance.started_at = Some(status.started_at);
                    instance.notes.extend(status.notes);
                }
            }
            Sight::Ended(record) => {
                instance.started_at = instance.started_at.or(record.started_at);
                instance = ended(instance, record.exit);
            }
            Sight::Orphaned(process) => {
                instance.state = State::Unknown;
                instance.process = Some(process);
            }
            // Created and never seen running: a pass died before it got so far.
            Sight::Gone if instance.state == State::Created => {}
            Sight::Gone => instance.state = State::Missing,
        }
        Ok(instance)
    }
}

/// The note of what could not be looked at.
fn not_read(what: &str, Instance { pod, container, .. }: &Instance, error: &dyn Error) -> String {
    format!("the {what} of {pod}/{container} cannot be read: {}", super::chain(error))
}

fn observed_limits(LimitsSeen { memory, cpus, pids }: LimitsSeen) -> ObservedLimits {
    let limit = |limit| match limit {
        Limit::Unlimited => ObservedLimit::Unlimited,
        Limit::At(value) => ObservedLimit::At(value),
    };
    ObservedLimits { memory: memory.map(limit), cpus: cpus.map(limit), pids: pids.map(limit) }
}
