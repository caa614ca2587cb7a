//! From a config and streams of layers to a verified image, wherever they come from.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::Timestamp;

use super::config::{self, ImageConfig};
use super::dirs::{Exclusive, NewLayer};
use super::error::{Error, Result};
use super::layer::{Budget, Unpacked};
use super::limits;
use super::platform::Platform;
use super::stream::{self, Blob};
use crate::model::Digest;

/// An image whose layers are on disk, verified and durable. It is not *ready* until the database
/// says so.
#[derive(Debug, Clone)]
pub struct LoadedImage {
    /// Its names, complete (`docker.io/library/busybox:latest`); none if it came without.
    pub names: Vec<String>,
    /// The digest of its manifest. A docker archive has none; then that of the config, which
    /// binds the layers just as well.
    pub manifest: Digest,
    /// The digest of its config: the image's id.
    pub config: Digest,
    /// What it says about the program to run.
    pub image_config: ImageConfig,
    /// Its layers, the lowest first.
    pub layers: Vec<LayerInfo>,
    /// When it was made, by its own account.
    pub created: Option<Timestamp>,
    /// The size of its layers in bytes, as they came: compressed, if they were.
    pub size: u64,
}

/// A layer of a loaded image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerInfo {
    /// The digest of the uncompressed layer.
    pub diff_id: Digest,
    /// What it unpacked to; `None` if it was ready already.
    pub unpacked: Option<Unpacked>,
}

/// A document with its digest.
pub(super) struct Verified {
    pub(super) digest: Digest,
    pub(super) content: Vec<u8>,
}

/// A layer that can be read.
pub(super) struct Layer<'a> {
    /// What its descriptor says; a docker archive has none.
    pub(super) blob: Option<Blob>,
    /// Its size in bytes, as it comes.
    pub(super) size: u64,
    /// Opens it. Not called for a layer that is ready.
    pub(super) open: Box<dyn FnOnce() -> Result<Box<dyn Read + 'a>> + 'a>,
}

/// An image that can be read.
pub(super) struct Image<'a> {
    pub(super) names: Vec<String>,
    pub(super) manifest: Option<Verified>,
    pub(super) config: Verified,
    pub(super) layers: Vec<Layer<'a>>,
}

/// Brings images to disk.
pub(super) struct Installer<'a> {
    exclusive: &'a Exclusive<'a>,
    platform: &'a Platform,
    /// Layers that the database says are ready.
    known: &'a dyn Fn(&Digest) -> bool,
    /// Layers of earlier images of this turn.
    published: BTreeMap<Digest, Unpacked>,
}

impl<'a> Installer<'a> {
    pub(super) fn new(
        exclusive: &'a Exclusive<'a>,
        platform: &'a Platform,
        known: &'a dyn Fn(&Digest) -> bool,
    ) -> Self {
        Self { exclusive, platform, known, published: BTreeMap::new() }
    }

    /// Unpacks the layers that are not ready, then makes them visible together: one syncfs(2)
    /// serves them all.
    pub(super) fn install(&mut self, image: Image<'_>) -> Result<LoadedImage> {
        let what = format!("config {}", image.config.digest);
        let parsed = config::parse(&what, &image.config.content)?;
        let platform = &parsed.config.platform;
        if self.platform.suitability(platform).is_none() {
            let (wanted, found) = (self.platform.clone(), vec![platform.clone()]);
            return Err(Error::WrongPlatform { wanted, found });
        }
        if parsed.diff_ids.len() != image.layers.len() {
            return Err(Error::document(what, "does not list as many layers as the image has"));
        }
        if parsed.diff_ids.len() > limits::LAYERS {
            let limit = limits::LAYERS as u64;
            return Err(Error::TooLarge { what, limit, unit: "layers" });
        }
        let size = image.layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add);
        let layers = self.layers(parsed.diff_ids, image.layers)?;
        for document in image.manifest.iter().chain([&image.config]) {
            self.exclusive.write_blob(&document.digest, &document.content)?;
        }
        let config = image.config.digest;
        Ok(LoadedImage {
            names: image.names,
            manifest: image.manifest.map_or_else(|| config.clone(), |manifest| manifest.digest),
            config,
            image_config: parsed.config,
            layers,
            created: parsed.created,
            size,
        })
    }

    fn layers(&mut self, diff_ids: Vec<Digest>, layers: Vec<Layer<'_>>) -> Result<Vec<LayerInfo>> {
        let mut budget = Budget::default();
        let mut new: Vec<(Digest, NewLayer)> = Vec::new();
        let mut fresh = BTreeMap::new();
        let mut infos = Vec::new();
        for (diff_id, layer) in diff_ids.into_iter().zip(layers) {
            let earlier = self.published.get(&diff_id).or_else(|| fresh.get(&diff_id));
            let unpacked = if let Some(unpacked) = earlier {
                Some(*unpacked)
            } else if (self.known)(&diff_id) && self.exclusive.dirs().has_layer(&diff_id) {
                None
            } else {
                let (directory, unpacked) = stream::unpack(
                    self.exclusive,
                    &diff_id,
                    layer.blob.as_ref(),
                    (layer.open)()?,
                    &mut budget,
                )?;
                new.push((diff_id.clone(), directory));
                fresh.insert(diff_id.clone(), unpacked);
                Some(unpacked)
            };
            infos.push(LayerInfo { diff_id, unpacked });
        }
        self.exclusive.publish(new)?;
        self.published.append(&mut fresh);
        Ok(infos)
    }
}
