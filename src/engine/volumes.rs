//! Named volumes: which there are, who uses them, and removing those that nobody does.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::error::{Error, Result};
use crate::model::{PodName, VolumeName};
use crate::runtime::volume::{self, Content, Turn, Volume};

/// A volume, and the pods that mount it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeUse {
    /// The volume.
    pub volume: Volume,
    /// The pods that are desired with it, or of which an instance still has it.
    pub pods: BTreeSet<PodName>,
}

impl Engine {
    /// Every volume, by name.
    pub fn volumes(&self) -> Result<Vec<VolumeUse>> {
        let mut users = self.volume_users()?;
        let used = |volume: Volume| {
            let pods = users.remove(&volume.name).unwrap_or_default();
            VolumeUse { volume, pods }
        };
        Ok(volume::list(&self.directories)?.into_iter().map(used).collect())
    }

    /// One volume, with how much it holds.
    pub fn volume(&self, name: &VolumeName) -> Result<Option<(VolumeUse, Content)>> {
        let Some(volume) = volume::look(&self.directories, name.clone())? else { return Ok(None) };
        let pods = self.volume_users()?.remove(name).unwrap_or_default();
        let content = volume::measure(&self.directories, name)?;
        Ok(Some((VolumeUse { volume, pods }, content)))
    }

    /// Removes a volume with what it holds; `false` if there is none.
    ///
    /// # Errors
    /// Pods use it.
    pub fn remove_volume(&self, name: &VolumeName) -> Result<bool> {
        let turn = Turn::to_remove(&self.directories)?;
        if volume::look(&self.directories, name.clone())?.is_none() {
            return Ok(false);
        }
        // What a pod is to have is written before it is started, and it is started in a turn to make
        // volumes: whoever is not known by now will find this one gone, and makes a new one.
        if let Some(pods) = self.volume_users()?.remove(name) {
            return Err(Error::VolumeInUse { volume: name.clone(), pods });
        }
        turn.detach(&self.directories, name)?;
        drop(turn);
        volume::sweep(&self.directories)?;
        Ok(true)
    }

    /// Removes the volumes that no pod uses: the empty ones, or `all`. With `dry_run` it only says
    /// which.
    pub fn prune_volumes(&self, all: bool, dry_run: bool) -> Result<Vec<Volume>> {
        let turn = (!dry_run).then(|| Turn::to_remove(&self.directories)).transpose()?;
        let unused = self.volumes()?.into_iter().filter(|used| used.pods.is_empty());
        let unused: Vec<Volume> =
            unused.map(|used| used.volume).filter(|volume| all || volume.empty).collect();
        let Some(turn) = turn else { return Ok(unused) };
        for volume in &unused {
            turn.detach(&self.directories, &volume.name)?;
        }
        drop(turn);
        volume::sweep(&self.directories)?;
        Ok(unused)
    }

    /// The pods that use each volume.
    fn volume_users(&self) -> Result<BTreeMap<VolumeName, BTreeSet<PodName>>> {
        let pods = self.store.read(|state| {
            let mut pods: Vec<_> = state.pods()?.into_iter().map(|desired| desired.pod).collect();
            for instance in state.live_instances()? {
                let revision = state.revision(&instance.pod, instance.generation)?;
                pods.extend(revision.map(|revision| revision.pod));
            }
            Ok(pods)
        })?;
        let mut users: BTreeMap<VolumeName, BTreeSet<PodName>> = BTreeMap::new();
        for pod in &pods {
            for volume in pod.volumes() {
                users.entry(volume.clone()).or_default().insert(pod.name.clone());
            }
        }
        Ok(users)
    }
}
