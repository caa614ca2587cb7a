//! Images to files that others read.

use super::error::{Error, Kind};
use super::{App, SaveRequest};
use crate::image;
use crate::image::save::Saved;
use crate::model::image_name::ImageName;

impl App {
    /// Writes images as an archive or a layout. An image that is asked for by a name is saved
    /// under that name, one that is asked for by its digest without any.
    pub fn image_save(&self, request: SaveRequest<'_>) -> Result<(), Error> {
        let mut images: Vec<Saved> = Vec::new();
        for name in request.names {
            let (manifest, reference) = self.find(name)?;
            let name = reference.and_then(|reference| ImageName::parse(&reference).ok());
            match images.iter_mut().find(|image| image.manifest == manifest.digest) {
                Some(image) => {
                    image.names.extend(name.filter(|name| !image.names.contains(name)));
                }
                None => images.push(Saved {
                    manifest: manifest.digest,
                    diff_ids: diff_ids(&manifest.config),
                    names: name.into_iter().collect(),
                }),
            }
        }
        let names = request.names.join(", ");
        image::save(&self.engine()?.images, &images, request.format, request.target).map_err(|e| {
            let hint = hint(&e, request.names);
            let error = Error::new(Kind::Failed, format!("cannot save {names}")).because(e);
            hint.into_iter().fold(error, Error::hint)
        })
    }
}

/// The diff ids of an image's layers, which its config lists. The config was parsed when the
/// image came.
fn diff_ids(config: &str) -> Vec<crate::model::Digest> {
    let config: serde_json::Value = serde_json::from_str(config).unwrap_or_default();
    let diff_ids = config["rootfs"]["diff_ids"].clone();
    serde_json::from_value(diff_ids).unwrap_or_default()
}

fn hint(error: &image::Error, names: &[String]) -> Option<String> {
    match error {
        image::Error::NotKept { .. } => Some(format!(
            "keep_blobs = true in config.toml (the default) keeps images as they came; then \
             `tank image rm {0} && tank image pull {0}` has all of it again",
            names.first().map_or("NAME", String::as_str)
        )),
        image::Error::System(error)
            if error.is(libc::ENOTEMPTY) || error.is(libc::EEXIST) || error.is(libc::ENOTDIR) =>
        {
            Some("a layout is written to a directory that is new or empty".to_owned())
        }
        image::Error::System(error) if error.is(libc::EISDIR) => Some(
            "an archive is written to a file; --format oci-layout fills a directory".to_owned(),
        ),
        _ => None,
    }
}
