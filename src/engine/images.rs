//! Images: from an archive to the database, and out of both.

use std::collections::BTreeSet;
use std::path::Path;

use super::Engine;
use super::error::{Error, Result};
use crate::image::{self, ImageConfig, ImageDirs, LayerInfo, LoadedImage, Platform};
use crate::model::settings::ImageSettings;
use crate::model::{Digest, image_name};
use crate::store::{Image, ImageLayer, ImageUser, Layer, Manifest, Store};
use crate::sys::{clock, file};

/// No config is longer.
const MAX_CONFIG: u64 = 4 << 20;

/// What a stored image says about its program.
pub(super) fn config(manifest: &Manifest) -> Result<ImageConfig> {
    Ok(ImageConfig::from_json(manifest.config.as_bytes())?)
}

/// Why an image was not removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// The name was taken away; other names still lead to the image.
    Unnamed,
    /// The image is gone.
    Removed,
    /// These need it.
    InUse(Vec<ImageUser>),
}

impl Engine {
    /// Loads the images in an archive or a layout.
    pub fn load_images(&mut self, path: &Path, settings: &ImageSettings) -> Result<Vec<Image>> {
        let Self { store, images, .. } = self;
        let mut ledger = Ledger { store, images };
        image::load(images, path, &Platform::host(), settings, &mut ledger)
    }

    /// The manifest that a complete image name stands for, if it is on disk.
    pub fn find_image(&self, name: &str) -> Result<Option<Digest>> {
        let found = self.store.read(|state| state.image_by_reference(name))?;
        Ok(found.map(|manifest| manifest.digest))
    }

    /// Takes a name from an image, or the image away when `name` is empty or was its last name.
    /// An image that something needs stays.
    pub fn remove_image(&mut self, digest: &Digest, name: Option<&str>) -> Result<Removal> {
        let Self { store, images, .. } = self;
        let turn = images.exclusive()?;
        let (removal, blobs, layers) = store.write(|tx| {
            let before = tx.blobs()?;
            let image = tx.list_images()?.into_iter().find(|i| i.manifest.digest == *digest);
            let names = image.map(|image| image.references).unwrap_or_default();
            let is_last = name.is_none_or(|name| names.iter().all(|other| other == name));
            let users = if is_last { tx.image_users(digest)? } else { Vec::new() };
            if !users.is_empty() {
                return Ok((Removal::InUse(users), BTreeSet::new(), Vec::new()));
            }
            let gone = names.iter().filter(|other| name.is_none_or(|name| name == *other));
            for reference in gone {
                tx.remove_reference(reference)?;
            }
            if !tx.forget_image(digest)? {
                return Ok((Removal::Unnamed, BTreeSet::new(), Vec::new()));
            }
            let mut layers = tx.unreferenced_layers()?;
            layers.retain(|layer| tx.begin_layer_removal(layer).unwrap_or(false));
            let blobs = &before - &tx.blobs()?;
            Ok((Removal::Removed, blobs, layers))
        })?;
        for layer in &layers {
            turn.remove_layer(layer)?;
        }
        for blob in &blobs {
            turn.remove_blob(blob)?;
        }
        if !layers.is_empty() {
            store.write(|tx| layers.iter().try_for_each(|layer| tx.forget_layer(layer)))?;
        }
        Ok(removal)
    }

    /// The one image that `text` means: a name, complete or not, or the beginning of a digest.
    pub fn image_named(&self, text: &str) -> Result<Option<(Manifest, Option<String>)>> {
        let name = image_name::normalise(text).ok();
        self.store
            .read(|state| {
                if let Some(name) = &name
                    && let Some(manifest) = state.image_by_reference(name)?
                {
                    return Ok(Some((manifest, Some(name.clone()))));
                }
                let mut found = state.image_by_digest_prefix(text)?;
                Ok(if found.len() == 1 {
                    found.pop().map(|manifest| (manifest, None))
                } else {
                    None
                })
            })
            .map_err(Error::from)
    }
}

/// The database, as images are loaded into it.
pub(super) struct Ledger<'a> {
    pub(super) store: &'a mut Store,
    pub(super) images: &'a ImageDirs,
}

impl image::Ledger for Ledger<'_> {
    type Error = Error;
    type Image = Image;

    fn ready(&self) -> Result<BTreeSet<Digest>> {
        let layers = self.store.read(|state| state.layers())?;
        Ok(layers.into_iter().map(|layer| layer.id).collect())
    }

    fn record(&mut self, image: &LoadedImage) -> Result<Image> {
        record(self.store, self.images, image)
    }
}

fn image_layer(layer: &LayerInfo) -> ImageLayer {
    let LayerInfo { id, blob, blob_size, .. } = layer.clone();
    ImageLayer { id, blob, blob_size }
}

/// Writes an image and its layers down.
pub(super) fn record(store: &mut Store, images: &ImageDirs, loaded: &LoadedImage) -> Result<Image> {
    let path = images.blob_path(&loaded.config);
    let config = file::read_bounded(&path, MAX_CONFIG)?;
    let platform = &loaded.image_config.platform;
    let manifest = Manifest {
        digest: loaded.manifest.clone(),
        config_digest: loaded.config.clone(),
        config: String::from_utf8_lossy(&config).into_owned(),
        platform: platform.to_string(),
        size: loaded.size,
        created: loaded.created,
        layers: loaded.layers.iter().map(image_layer).collect(),
    };
    let now = clock::now();
    store.write(|tx| {
        for layer in &loaded.layers {
            if let Some(unpacked) = &layer.unpacked {
                let row = Layer {
                    id: layer.id.clone(),
                    bytes: unpacked.bytes,
                    entries: unpacked.entries,
                };
                tx.put_layer_ready(&row, now)?;
            }
        }
        if loaded.names.is_empty() {
            tx.put_image(None, &manifest, now)?;
        }
        for name in &loaded.names {
            tx.put_image(Some(name), &manifest, now)?;
        }
        Ok(())
    })?;
    Ok(Image { manifest, references: loaded.names.clone() })
}
