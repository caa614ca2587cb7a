//! Images from registries.

use super::error::Error;
use super::image::report;
use super::progress::Watch;
use super::report::{ImagePullReport, StepError};
use super::{App, PullRequest};
use crate::engine::{Network, Resolved, chain};
use crate::image::Platform;
use crate::image::registry::CredentialFiles;
use crate::model::image_name::ImageName;
use crate::model::{Digest, Pod};

impl App {
    /// Fetches an image from its registry and gives it its name.
    pub fn image_pull(
        &mut self,
        name: &ImageName,
        request: &PullRequest,
        watch: &dyn Watch,
    ) -> Result<ImagePullReport, Error> {
        let network = self.network()?;
        let full = name.to_string();
        let platform = request.platform.clone().unwrap_or_else(Platform::host);
        let root = self.options.root.clone();
        let engine = self.engine_mut()?;
        let error = |e| Error::of_pull(format!("cannot pull {name}"), &root, e);
        let before = engine.find_image(&full).map_err(error)?;
        let image = engine.pull_image(&network, name, &platform, watch).map_err(error)?;
        let changed = before.as_ref() != Some(&image.manifest.digest);
        Ok(ImagePullReport { name: full, changed, image: report(&image, &self.layers()?) })
    }

    /// The images that a registry has to be asked for before `pods` can be applied: those that are
    /// not here, and those that are wanted as they are now. With `only_new`, of pods that are not
    /// there yet.
    pub fn unresolved(&self, pods: &[Pod], only_new: bool) -> Result<Vec<ImageName>, Error> {
        // Where there is no state, a plan is made without images.
        let Some(engine) = &self.engine else { return Ok(Vec::new()) };
        let names = engine.unresolved(pods, only_new);
        let names = names.map_err(|e| Error::of_engine("cannot read the images", e))?;
        // Names of pod files are normalised, which is to say that they can be read.
        Ok(names.iter().filter_map(|name| ImageName::parse(name).ok()).collect())
    }

    /// Brings images here for this machine.
    pub fn pull_all(&mut self, names: &[ImageName], watch: &dyn Watch) -> Result<Resolved, Error> {
        let network = self.network()?;
        names.iter().map(|name| self.pull_one(&network, name, watch)).collect()
    }

    /// Brings those of the images here that can be; what is wrong with the others is told.
    pub fn pull_each(
        &mut self,
        names: &[ImageName],
        watch: &dyn Watch,
    ) -> Result<(Resolved, Vec<StepError>), Error> {
        let network = self.network()?;
        let (mut resolved, mut unpulled) = (Resolved::new(), Vec::new());
        for name in names {
            match self.pull_one(&network, name, watch) {
                Ok((name, digest)) => drop(resolved.insert(name, digest)),
                Err(error) => {
                    let (step, error) = ("pull".to_owned(), chain(&error));
                    unpulled.push(StepError { pod: None, step, error });
                }
            }
        }
        Ok((resolved, unpulled))
    }

    fn pull_one(
        &mut self,
        network: &Network,
        name: &ImageName,
        watch: &dyn Watch,
    ) -> Result<(String, Digest), Error> {
        let root = self.options.root.clone();
        let image = self.engine_mut()?.pull_image(network, name, &Platform::host(), watch);
        let image = image.map_err(|e| Error::of_pull(format!("cannot pull {name}"), &root, e))?;
        Ok((name.to_string(), image.manifest.digest))
    }

    /// Asks what names stand for. Fetches no layers and writes nothing.
    pub fn look_up_all(&self, names: &[ImageName], watch: &dyn Watch) -> Result<Resolved, Error> {
        let (network, engine) = (self.network()?, self.engine()?);
        let look_up = |name: &ImageName| {
            let digest = engine.resolve_image(&network, name, watch);
            let doing = format!("cannot look up {name}");
            let digest = digest.map_err(|e| Error::of_pull(doing, &self.options.root, e))?;
            Ok((name.to_string(), digest))
        };
        names.iter().map(look_up).collect()
    }

    fn network(&self) -> Result<Network, Error> {
        Network::new(self.settings()?, self.credential_files())
            .map_err(|e| Error::of_engine("cannot prepare the way to the registries", e))
    }

    /// Where credentials are looked for: the root's own file first.
    pub(super) fn credential_files(&self) -> CredentialFiles {
        let own = self.options.root.join("auth.json");
        CredentialFiles { own, others: self.options.credential_files.clone() }
    }
}
