//! Named volumes.

use super::App;
use super::error::{Error, Kind};
use super::report::{VolumeInspectReport, VolumeListReport, VolumePruneReport, VolumeReport};
use crate::engine::{Engine, VolumeUse};
use crate::model::VolumeName;

impl App {
    /// Every volume.
    pub fn volume_list(&self) -> Result<VolumeListReport, Error> {
        let engine = self.engine()?;
        let volumes =
            engine.volumes().map_err(|e| Error::of_engine("cannot read the volumes", e))?;
        Ok(VolumeListReport { volumes: volumes.into_iter().map(|it| report(engine, it)).collect() })
    }

    /// One volume, with how much it holds.
    pub fn volume_inspect(&self, name: &VolumeName) -> Result<VolumeInspectReport, Error> {
        let engine = self.engine()?;
        let found = engine.volume(name);
        let (volume, content) = found
            .map_err(|e| Error::of_engine(format!("cannot look at volume {name}"), e))?
            .ok_or_else(|| no_volume(name))?;
        Ok(VolumeInspectReport {
            volume: report(engine, volume),
            entries: content.entries,
            bytes: content.bytes,
        })
    }

    /// Removes a volume with what it holds.
    ///
    /// # Errors
    /// Pods use it: they are named.
    pub fn volume_remove(&mut self, name: &VolumeName) -> Result<VolumeReport, Error> {
        let engine = self.engine()?;
        let failed = |e| Error::of_engine(format!("cannot remove volume {name}"), e);
        let (volume, _) = engine.volume(name).map_err(failed)?.ok_or_else(|| no_volume(name))?;
        if !engine.remove_volume(name).map_err(failed)? {
            return Err(no_volume(name));
        }
        Ok(report(engine, volume))
    }

    /// Removes the volumes that no pod uses: the empty ones, or `all`. With `dry_run` it only says
    /// which.
    pub fn volume_prune(&mut self, all: bool, dry_run: bool) -> Result<VolumePruneReport, Error> {
        let pruned = self.engine()?.prune_volumes(all, dry_run);
        let pruned = pruned.map_err(|e| Error::of_engine("cannot remove unused volumes", e))?;
        Ok(VolumePruneReport { volumes: pruned.into_iter().map(|volume| volume.name).collect() })
    }
}

fn no_volume(name: &VolumeName) -> Error {
    Error::new(Kind::NotFound, format!("cannot find volume {name}"))
        .hint("tank volume list shows the volumes; a pod that mounts one makes it")
}

fn report(engine: &Engine, VolumeUse { volume, pods }: VolumeUse) -> VolumeReport {
    let path = engine.directories.volume(&volume.name).join(crate::runtime::volume::DATA);
    VolumeReport {
        name: volume.name,
        path: path.display().to_string(),
        created_at: volume.created_at,
        empty: volume.empty,
        pods: pods.into_iter().collect(),
    }
}
