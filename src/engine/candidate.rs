//! What would be desired if a file were applied: worked out before anything is written, so that
//! `plan` and `apply` are the same thought.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::error::{Error, Result};
use super::observe::Snapshot;
use super::pass::{Change, StepFailure};
use super::pull::Resolved;
use super::{Engine, chain, dependencies};
use crate::model::pod::{Pull, Source};
use crate::model::{
    Container, ContainerName, DesiredPod, Digest, Pod, PodName, RunState, State, secret,
};
use crate::plan::Observed;
use crate::store::{Contents, Revision};

/// The name of what fails of a pod that cannot be created: it is no step of a plan.
pub const CREATE: &str = "create";

/// A change of what is desired.
#[derive(Debug, Clone)]
pub enum Desire {
    /// These pods, as they are.
    Put(Stated),
    /// Those of these pods that are not there yet.
    Create(Stated),
    /// None of these.
    Delete(Vec<PodName>),
    /// This pod as it was at a generation; `None` is the last that was another than it is now.
    Rollback(PodName, Option<u64>),
    /// Other run states of these.
    Run(Vec<PodName>, RunChange),
}

/// Pods as people state them, with what was found out for them.
#[derive(Debug, Clone, Default)]
pub struct Stated {
    /// The pods.
    pub pods: Vec<Pod>,
    /// What the registries said of their images.
    pub images: Resolved,
    /// What was in the files of the host that they show copies of.
    pub contents: Contents,
}

/// What people want of a pod that they have stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunChange {
    /// It runs; what runs of it is left alone.
    Start,
    /// It does not run.
    Stop,
    /// It runs, all of it anew.
    Restart,
}

/// What becomes of one pod that is put.
#[derive(Debug, Clone)]
pub struct Put {
    /// The pod.
    pub pod: Pod,
    /// The manifests its image names stand for.
    pub images: BTreeMap<ContainerName, Digest>,
    /// What changes.
    pub kind: PutKind,
    /// The generation that it is after it.
    pub generation: u64,
}

/// What changes when a pod is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutKind {
    /// There was none.
    Created,
    /// It was another.
    Configured,
    /// Nothing.
    Unchanged,
    /// It should run, and still does.
    Started,
    /// It should run, and what has ended of it is started again.
    Revived,
    /// It should not run.
    Stopped,
    /// It should run, all of it anew.
    Restarted,
}

impl Put {
    /// A pod that was not there, none of whose images is known.
    pub(super) fn new(pod: Pod) -> Self {
        Self { pod, images: BTreeMap::new(), kind: PutKind::Created, generation: 1 }
    }

    /// What is desired after it, where `before` was.
    pub(super) fn desired(&self, before: Option<&DesiredPod>, now: Timestamp) -> DesiredPod {
        DesiredPod {
            pod: self.pod.clone(),
            generation: self.generation,
            run: before.filter(|b| !b.deleting).map_or(RunState::Run, |before| before.run),
            renewed: before.map_or(0, |before| before.renewed),
            revived: before.map_or(0, |before| before.revived),
            deleting: false,
            images: self.images.clone(),
            created_at: before.map_or(now, |before| before.created_at),
            updated_at: now,
        }
    }
}

impl Desire {
    /// The pods it is about, in the order they were given.
    pub fn names(&self) -> Vec<PodName> {
        match self {
            Self::Put(stated) | Self::Create(stated) => {
                stated.pods.iter().map(|pod| pod.name.clone()).collect()
            }
            Self::Delete(names) | Self::Run(names, _) => names.clone(),
            Self::Rollback(name, _) => vec![name.clone()],
        }
    }
}

impl Engine {
    /// Brings the snapshot's desired pods to what they will be after the change, and says what
    /// becomes of those that are put. Of pods that are only created, those that cannot be are
    /// `refused`; with any other change one that cannot be made is an error.
    pub(super) fn change_candidate(
        &self,
        snapshot: &mut Snapshot,
        change: &Change,
        refused: &mut Vec<StepFailure>,
        now: Timestamp,
    ) -> Result<Vec<Put>> {
        let Change::Desire(desire) = change else { return Ok(Vec::new()) };
        let puts = match desire {
            Desire::Put(Stated { pods, images, .. }) => {
                self.put(&mut snapshot.desired, pods, images, now)?
            }
            Desire::Create(Stated { pods, images, .. }) => {
                let is_new = |pod: &&Pod| {
                    !snapshot.desired.iter().any(|old| old.pod.name == pod.name && !old.deleting)
                };
                let new: Vec<_> = pods.iter().filter(is_new).cloned().collect();
                self.create(snapshot, new, images, refused, now)
            }
            Desire::Rollback(name, to) => {
                let put = self.rollback(&mut snapshot.desired, name, *to, now)?;
                put.into_iter().collect()
            }
            Desire::Run(names, run) => {
                let Snapshot { desired, observed, .. } = snapshot;
                return Ok(Self::run_change(desired, observed, names, *run));
            }
            Desire::Delete(names) => {
                for pod in &mut snapshot.desired {
                    pod.deleting |= names.contains(&pod.pod.name);
                }
                return Ok(Vec::new());
            }
        };
        for put in &puts {
            self.observe_sandbox(snapshot, &put.pod);
        }
        Ok(puts)
    }

    /// Says what putting each of `pods` would change, and brings `desired` to that state.
    fn put(
        &self,
        desired: &mut Vec<DesiredPod>,
        pods: &[Pod],
        resolved: &Resolved,
        now: Timestamp,
    ) -> Result<Vec<Put>> {
        pods.iter().map(|pod| self.put_one(desired, pod, resolved, now)).collect()
    }

    /// Says what creating those of `new` that can be would change, and brings the desired pods to
    /// that state.
    fn create(
        &self,
        snapshot: &mut Snapshot,
        mut new: Vec<Pod>,
        resolved: &Resolved,
        refused: &mut Vec<StepFailure>,
        now: Timestamp,
    ) -> Vec<Put> {
        let mut refuse = |new: &mut Vec<Pod>, name: &PodName, error: &Error| {
            let (pod, step) = (Some(name.clone()), CREATE.to_owned());
            refused.push(StepFailure { pod, step, error: chain(error) });
            new.retain(|pod| pod.name != *name);
        };
        loop {
            let tried = new.clone();
            let (mut desired, mut puts) = (snapshot.desired.clone(), Vec::new());
            for pod in &tried {
                match self.put_one(&mut desired, pod, resolved, now) {
                    Ok(put) => puts.push(put),
                    Err(error) => refuse(&mut new, &pod.name, &error),
                }
            }
            let all: Vec<_> = desired.iter().chain(&snapshot.others).cloned().collect();
            for (pod, error) in dependencies::problems(&all, puts.iter()) {
                refuse(&mut new, pod, &error);
            }
            // One that was refused may be what another depends on.
            if new.len() == tried.len() {
                snapshot.desired = desired;
                return puts;
            }
        }
    }

    /// Says what going back to a revision would change, and brings `desired` to it. Its containers
    /// run the very images that they ran then. Nothing if the pod is not desired.
    fn rollback(
        &self,
        desired: &mut Vec<DesiredPod>,
        name: &PodName,
        to: Option<u64>,
        now: Timestamp,
    ) -> Result<Option<Put>> {
        let position = desired.iter().position(|pod| pod.pod.name == *name && !pod.deleting);
        let Some(position) = position else { return Ok(None) };
        let old = &desired[position];
        let revisions = self.store.read(|state| state.revisions(name))?;
        let is_current =
            |revision: &Revision| revision.pod == old.pod && revision.images == old.images;
        let wanted = match to {
            Some(generation) => revisions.iter().find(|known| known.generation == generation),
            None => revisions.iter().rev().find(|known| !is_current(known)),
        };
        let Some(revision) = wanted else {
            let known: Vec<_> = revisions.iter().map(|r| r.generation.to_string()).collect();
            return Err(Error::NoRevision { pod: name.clone(), known: known.join(", ") });
        };
        let kind = if is_current(revision) { PutKind::Unchanged } else { PutKind::Configured };
        let (pod, images) = (revision.pod.clone(), revision.images.clone());
        let generation = old.generation + u64::from(kind != PutKind::Unchanged);
        let put = Put { pod, images, kind, generation };
        if kind != PutKind::Unchanged {
            let before = desired.remove(position);
            desired.push(put.desired(Some(&before), now));
        }
        Ok(Some(put))
    }

    /// Says what another run state would change, and brings `desired` to it. `observed` tells what
    /// runs.
    fn run_change(
        desired: &mut [DesiredPod],
        observed: &Observed,
        names: &[PodName],
        change: RunChange,
    ) -> Vec<Put> {
        let wanted = |pod: &&mut DesiredPod| names.contains(&pod.pod.name) && !pod.deleting;
        let change_one = |pod: &mut DesiredPod| {
            let kind = match change {
                RunChange::Stop if pod.run == RunState::Stop => PutKind::Unchanged,
                RunChange::Stop => PutKind::Stopped,
                RunChange::Restart => PutKind::Restarted,
                RunChange::Start if !runs_whole(pod, observed) => PutKind::Revived,
                RunChange::Start if pod.run == RunState::Stop => PutKind::Started,
                RunChange::Start => PutKind::Unchanged,
            };
            match kind {
                PutKind::Stopped => pod.run = RunState::Stop,
                PutKind::Started => pod.run = RunState::Run,
                PutKind::Restarted => {
                    pod.run = RunState::Run;
                    pod.generation += 1;
                    pod.renewed = pod.generation;
                }
                PutKind::Revived => {
                    pod.run = RunState::Run;
                    pod.generation += 1;
                    pod.revived = pod.generation;
                }
                _ => {}
            }
            let (spec, images) = (pod.pod.clone(), pod.images.clone());
            Put { pod: spec, images, kind, generation: pod.generation }
        };
        desired.iter_mut().filter(wanted).map(change_one).collect()
    }

    fn put_one(
        &self,
        desired: &mut Vec<DesiredPod>,
        pod: &Pod,
        resolved: &Resolved,
        now: Timestamp,
    ) -> Result<Put> {
        let position = desired.iter().position(|other| other.pod.name == pod.name);
        let old = position.map(|position| &desired[position]).filter(|old| !old.deleting);
        let mut pod = pod.clone();
        secret::unmask(&mut pod, old.map(|old| &old.pod)).map_err(|(container, target)| {
            Error::NoSecret { container, target: target.display().to_string() }
        })?;
        let images = self.resolve(&pod, old, resolved)?;
        let kind = match old {
            None => PutKind::Created,
            Some(old) if old.pod == pod && old.images == images => PutKind::Unchanged,
            Some(_) => PutKind::Configured,
        };
        // One that is being deleted and comes back goes on in its row.
        let before = position.map_or(0, |position| desired[position].generation);
        let generation = before + u64::from(kind != PutKind::Unchanged);
        let put = Put { pod, images, kind, generation };
        if kind != PutKind::Unchanged {
            let before = position.map(|position| desired.remove(position));
            desired.push(put.desired(before.as_ref(), now));
        }
        Ok(put)
    }

    /// The manifest of each image name of the pod. A name that did not change keeps the manifest
    /// it was resolved to, unless the pod wants to know of others: an unchanged pod never runs
    /// another image.
    fn resolve(
        &self,
        pod: &Pod,
        old: Option<&DesiredPod>,
        resolved: &Resolved,
    ) -> Result<BTreeMap<ContainerName, Digest>> {
        let mut images = BTreeMap::new();
        for (container, name) in images_of(pod) {
            let news = resolved.get(name).filter(|_| container.pull == Pull::Always);
            let known = news.cloned().or_else(|| kept(old, container));
            let digest = match known {
                Some(digest) => Some(digest),
                None => match resolved.get(name) {
                    Some(digest) => Some(digest.clone()),
                    None => self.usable_image(name)?,
                },
            };
            let digest = digest.ok_or_else(|| Error::NoImage {
                container: container.name.clone(),
                image: name.to_owned(),
            })?;
            images.insert(container.name.clone(), digest);
        }
        Ok(images)
    }
}

/// Whether each container of a pod runs.
fn runs_whole(pod: &DesiredPod, observed: &Observed) -> bool {
    let seen = observed.pods.get(&pod.pod.name);
    let runs = |name: &ContainerName| {
        seen.into_iter()
            .flat_map(|seen| &seen.instances)
            .any(|seen| seen.instance.container == *name && seen.instance.state == State::Running)
    };
    pod.pod.containers.iter().all(|container| runs(&container.name))
}

/// The containers of a pod that run from an image, each with the image's name.
pub(super) fn images_of(pod: &Pod) -> impl Iterator<Item = (&Container, &str)> {
    let containers = pod.init_containers.iter().chain(&pod.containers);
    containers.filter_map(|container| match &container.source {
        Source::Image(name) => Some((container, name.as_str())),
        Source::Rootfs(_) => None,
    })
}

/// The manifest that the image of a container was resolved to before, if it had the same name.
pub(super) fn kept(old: Option<&DesiredPod>, container: &Container) -> Option<Digest> {
    let old = old?;
    let same =
        |other: &&Container| other.name == container.name && other.source == container.source;
    let before = old.pod.init_containers.iter().chain(&old.pod.containers).find(same)?;
    old.images.get(&before.name).cloned()
}
