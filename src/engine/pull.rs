//! Images of registries: which ones a change needs, and fetching them before anything is locked.

use std::collections::BTreeMap;

use super::candidate::{images_of, kept};
use super::images::Ledger;
use super::{Engine, Result, events};
use crate::image::progress::Watch;
use crate::image::pull::{self, Source};
use crate::image::registry::{Client, CredentialFiles};
use crate::image::{self, Platform};
use crate::model::image_name::ImageName;
use crate::model::pod::Pull;
use crate::model::settings::Settings;
use crate::model::{Digest, Pod};
use crate::store::Image;
use crate::sys::clock;

/// What names stand for at their registries: the digests of the manifests for this platform.
pub type Resolved = BTreeMap<String, Digest>;

/// The way to the registries.
#[derive(Debug)]
pub struct Network {
    client: Client,
    settings: Settings,
}

impl Network {
    /// With these settings and credentials.
    pub fn new(settings: Settings, credentials: CredentialFiles) -> Result<Self> {
        let client = Client::new(&settings.registries, &settings.images, credentials)
            .map_err(image::Error::from)?;
        Ok(Self { client, settings })
    }
}

impl Engine {
    /// The names for which a registry has to be asked before putting `pods` can be planned: those
    /// of images that are not here, and those that may have come to mean another image. With
    /// `only_new`, of pods that are not there yet.
    pub fn unresolved(&self, pods: &[Pod], only_new: bool) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for pod in pods.iter().filter(|pod| images_of(pod).next().is_some()) {
            let old = self.store.read(|state| state.pod(&pod.name))?;
            let old = old.filter(|old| !old.deleting);
            if !(only_new && old.is_some()) {
                self.unresolved_of(pod, old.as_ref(), &mut names)?;
            }
        }
        Ok(names)
    }

    fn unresolved_of(
        &self,
        pod: &Pod,
        old: Option<&crate::model::DesiredPod>,
        names: &mut Vec<String>,
    ) -> Result<()> {
        for (container, name) in images_of(pod) {
            let wanted = match (container.pull, kept(old, container)) {
                (Pull::Never, _) => None,
                // A digest never comes to mean another image.
                (Pull::Always, _) if !name.contains('@') => Some(name.to_owned()),
                (Pull::Always | Pull::Missing, Some(digest)) => self.lost_image(name, digest)?,
                (Pull::Always | Pull::Missing, None) => {
                    self.usable_image(name)?.is_none().then(|| name.to_owned())
                }
            };
            names.extend(wanted.filter(|name| !names.contains(name)));
        }
        Ok(())
    }

    /// The image that a pod with this image name runs from, if it is here: one for another
    /// platform is of no use to it.
    pub(super) fn usable_image(&self, name: &str) -> Result<Option<Digest>> {
        let found = self.store.read(|state| state.image_by_reference(name))?;
        let host = Platform::host();
        let runs = |platform: &str| {
            platform.parse().is_ok_and(|platform| host.suitability(&platform).is_some())
        };
        Ok(found.filter(|found| runs(&found.platform)).map(|found| found.digest))
    }

    /// By what name to fetch the very image that a pod was pinned to, if it is not here any more.
    fn lost_image(&self, name: &str, digest: Digest) -> Result<Option<String>> {
        if self.store.read(|state| state.image_by_digest(&digest))?.is_some() {
            return Ok(None);
        }
        let name = ImageName::parse(name).ok();
        Ok(name.map(|name| ImageName { tag: None, digest: Some(digest), ..name }.to_string()))
    }

    /// What a name stands for at its registry now. Fetches no layers and writes nothing.
    pub fn resolve_image(
        &self,
        network: &Network,
        name: &ImageName,
        watch: &dyn Watch,
    ) -> Result<Digest> {
        let platform = Platform::host();
        let source = Source { client: &network.client, name, platform: &platform, watch };
        Ok(pull::resolve(&source)?.digest().clone())
    }

    /// Brings an image here, or what is missing of it, and gives it its name.
    pub fn pull_image(
        &mut self,
        network: &Network,
        name: &ImageName,
        platform: &Platform,
        watch: &dyn Watch,
    ) -> Result<Image> {
        let source = Source { client: &network.client, name, platform, watch };
        let resolved = pull::resolve(&source)?;
        if let Some(image) = self.name_image(name, resolved.digest())? {
            return Ok(image);
        }
        let Self { store, images, .. } = self;
        let mut ledger = Ledger { store, images };
        let pulled = pull::pull(&source, resolved, images, &network.settings.images, &mut ledger)?;
        let event = events::of_pull(&name.to_string(), clock::now());
        self.store.write(|tx| tx.append_event(&event))?;
        Ok(pulled)
    }

    /// Gives a name to an image that is here.
    fn name_image(&mut self, name: &ImageName, digest: &Digest) -> Result<Option<Image>> {
        let name = name.to_string();
        if self.store.read(|state| state.image_by_digest(digest))?.is_none()
            || self.tag_image(digest, &name)?.is_none()
        {
            return Ok(None);
        }
        let manifest = self.store.read(|state| state.image_by_digest(digest))?;
        Ok(manifest.map(|manifest| Image { manifest, references: vec![name] }))
    }
}
