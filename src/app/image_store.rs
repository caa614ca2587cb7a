//! Names of images, and images that nothing needs.

use std::collections::{BTreeMap, BTreeSet};

use super::App;
use super::error::{Error, Kind};
use super::image::{no_image, report};
use super::report::{ImagePruneReport, ImageRemoveReport, ImageTagReport};
use crate::engine::{Pruned, Removal};
use crate::model::PodName;
use crate::model::image_name::ImageName;
use crate::store::ImageUser;

impl App {
    /// Gives an image one more name. An image that had it loses it.
    pub fn image_tag(&mut self, source: &str, name: &ImageName) -> Result<ImageTagReport, Error> {
        if name.digest.is_some() {
            let message = format!("cannot name an image {name}: a digest is not given, it follows");
            return Err(
                Error::new(Kind::Invalid, message).hint("give it a tag, like localhost/app:7")
            );
        }
        let (manifest, _) = self.find(source)?;
        let name = name.to_string();
        let before = self
            .engine_mut()?
            .tag_image(&manifest.digest, &name)
            .map_err(|e| Error::of_engine(format!("cannot name an image {name}"), e))?
            .ok_or_else(|| no_image(source))?;
        let replaced = before.filter(|before| *before != manifest.digest);
        Ok(ImageTagReport { name, digest: manifest.digest, replaced })
    }

    /// Takes a name away from an image, and the image with its last name; by its digest, with all
    /// of its names.
    ///
    /// # Errors
    /// Pods or instances need it: they are named.
    pub fn image_remove(&mut self, name: &str) -> Result<ImageRemoveReport, Error> {
        let (manifest, reference) = self.find(name)?;
        let digest = manifest.digest;
        let removal = self
            .engine_mut()?
            .remove_image(&digest, reference.as_deref())
            .map_err(|e| Error::of_engine(format!("cannot remove image {name}"), e))?;
        let removed = match removal {
            Removal::InUse(users) => return Err(in_use(name, &users)),
            Removal::Removed => true,
            Removal::Unnamed => false,
        };
        Ok(ImageRemoveReport { name: name.to_owned(), digest, removed })
    }

    /// Removes images that nothing needs: those without a name, or with `all` every one. With
    /// `dry_run` it only says which.
    pub fn image_prune(&mut self, all: bool, dry_run: bool) -> Result<ImagePruneReport, Error> {
        let layers = self.layers()?;
        let pruned = match dry_run {
            true => self.engine()?.prunable_images(all),
            false => self.engine_mut()?.prune_images(all),
        };
        let Pruned { images, layers: count, bytes } =
            pruned.map_err(|e| Error::of_engine("cannot remove unused images", e))?;
        let images = images.iter().map(|image| report(image, &layers)).collect();
        Ok(ImagePruneReport { images, layers: count, freed: bytes })
    }
}

/// The error of an image that something needs, which it names.
fn in_use(name: &str, users: &[ImageUser]) -> Error {
    let desired: BTreeSet<&PodName> =
        users.iter().filter(|user| user.instance.is_none()).map(|user| &user.pod).collect();
    // Of a pod that is still to have the image, its instances say nothing more.
    let mut instances: BTreeMap<&PodName, Vec<String>> = BTreeMap::new();
    for user in users.iter().filter(|user| !desired.contains(&user.pod)) {
        if let Some(id) = &user.instance {
            let instance = format!("instance {id} of {}/{}", user.pod, user.container);
            instances.entry(&user.pod).or_default().push(instance);
        }
    }
    let pods = desired.iter().map(|pod| format!("pod {pod}"));
    let all: Vec<_> = pods.chain(instances.into_values().flatten()).collect();
    let verb = if all.len() == 1 { "uses" } else { "use" };
    let message = format!("cannot remove image {name}: {} {verb} it", all.join(", "));
    let error = Error::new(Kind::Failed, message);
    match users.first() {
        Some(user) => error.hint(format!("tank delete {} removes the pod first", user.pod)),
        None => error,
    }
}
