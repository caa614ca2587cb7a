//! Images on disk.

use std::path::Path;

use super::App;
use super::error::{Error, Kind};
use super::report::{ImageInspectReport, ImageListReport, ImageReport, LayerReport};
use crate::store::{Image, ImageLayer, Layer, Manifest};

impl App {
    /// Loads the images in a docker archive, an OCI archive or an OCI layout directory.
    pub fn image_load(&mut self, path: &Path) -> Result<ImageListReport, Error> {
        let settings = self.settings()?;
        let loaded = self.engine_mut()?.load_images(path, &settings.images);
        let loaded =
            loaded.map_err(|e| Error::of_engine(format!("cannot load {}", path.display()), e))?;
        let layers = self.layers()?;
        Ok(ImageListReport { images: loaded.iter().map(|image| report(image, &layers)).collect() })
    }

    /// Every image on disk.
    pub fn image_list(&self) -> Result<ImageListReport, Error> {
        let (images, layers) = (self.images()?, self.layers()?);
        Ok(ImageListReport { images: images.iter().map(|image| report(image, &layers)).collect() })
    }

    /// One image in full, by name or digest.
    pub fn image_inspect(&self, name: &str) -> Result<ImageInspectReport, Error> {
        let (manifest, _) = self.find(name)?;
        let images = self.images()?;
        let image = images.iter().find(|image| image.manifest.digest == manifest.digest);
        let image = image.ok_or_else(|| no_image(name))?;
        let on_disk = self.layers()?;
        // The config was parsed when the image was loaded.
        let config: serde_json::Value = serde_json::from_str(&manifest.config).unwrap_or_default();
        let diff_ids = config["rootfs"]["diff_ids"].as_array().into_iter().flatten();
        let layers = manifest.layers.iter().zip(diff_ids).filter_map(|(layer, diff_id)| {
            let diff_id = diff_id.as_str()?.parse().ok()?;
            Some(LayerReport { diff_id, size: size(&on_disk, layer) })
        });
        let layers = layers.collect();
        Ok(ImageInspectReport { image: report(image, &on_disk), layers, config })
    }

    pub(super) fn images(&self) -> Result<Vec<Image>, Error> {
        self.read("images", |state| state.list_images())
    }

    pub(super) fn layers(&self) -> Result<Vec<Layer>, Error> {
        self.read("layers", |state| state.layers())
    }

    pub(super) fn find(&self, name: &str) -> Result<(Manifest, Option<String>), Error> {
        let found = self.engine()?.image_named(name);
        found
            .map_err(|e| Error::of_engine("cannot read the images", e))?
            .ok_or_else(|| no_image(name))
    }
}

pub(super) fn no_image(name: &str) -> Error {
    Error::new(Kind::NotFound, format!("cannot find image {name}"))
        .hint("tank image list shows the images; tank image pull and load bring others")
}

/// The size of a layer when unpacked, in bytes.
fn size(layers: &[Layer], of: &ImageLayer) -> u64 {
    layers.iter().find(|layer| layer.id == of.id).map_or(0, |layer| layer.bytes)
}

pub(super) fn report(image: &Image, layers: &[Layer]) -> ImageReport {
    // What it came as, compressed or not, says nothing about what it takes on disk.
    let sizes = image.manifest.layers.iter().map(|layer| size(layers, layer));
    ImageReport {
        names: image.references.clone(),
        digest: image.manifest.digest.clone(),
        platform: Some(image.manifest.platform.clone()),
        size: sizes.sum(),
        created_at: image.manifest.created,
        loaded_at: None,
    }
}
