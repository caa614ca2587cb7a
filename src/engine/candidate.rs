//! What would be desired if a file were applied: worked out before anything is written, so that
//! `plan` and `apply` are the same thought.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Engine;
use super::error::{Error, Result};
use super::pull::Resolved;
use crate::model::pod::{Pull, Source};
use crate::model::{Container, ContainerName, DesiredPod, Digest, Pod, PodName, RunState};

/// A change of what is desired.
#[derive(Debug, Clone)]
pub enum Desire {
    /// These pods, as they are.
    Put(Vec<Pod>, Resolved),
    /// Those of these pods that are not there yet.
    Create(Vec<Pod>, Resolved),
    /// None of these.
    Delete(Vec<PodName>),
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
}

impl Put {
    /// A pod that was not there, none of whose images is known.
    pub(super) fn new(pod: Pod) -> Self {
        Self { pod, images: BTreeMap::new(), kind: PutKind::Created }
    }

    /// What is desired after it, where `before` was.
    pub(super) fn desired(&self, before: Option<&DesiredPod>, now: Timestamp) -> DesiredPod {
        DesiredPod {
            pod: self.pod.clone(),
            generation: before.map_or(1, |before| before.generation + 1),
            run: before.filter(|b| !b.deleting).map_or(RunState::Run, |before| before.run),
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
            Self::Put(pods, _) | Self::Create(pods, _) => {
                pods.iter().map(|pod| pod.name.clone()).collect()
            }
            Self::Delete(names) => names.clone(),
        }
    }
}

impl Engine {
    /// Says what putting each of `pods` would change, and brings `desired` to that state.
    pub(super) fn put(
        &self,
        desired: &mut Vec<DesiredPod>,
        pods: &[Pod],
        resolved: &Resolved,
        now: Timestamp,
    ) -> Result<Vec<Put>> {
        pods.iter().map(|pod| self.put_one(desired, pod, resolved, now)).collect()
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
        let images = self.resolve(pod, old, resolved)?;
        let kind = match old {
            None => PutKind::Created,
            Some(old) if old.pod == *pod && old.images == images => PutKind::Unchanged,
            Some(_) => PutKind::Configured,
        };
        let put = Put { pod: pod.clone(), images, kind };
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
