//! Archives of `docker save`: `manifest.json`, configs, and layers under the names it gives.
//!
//! The layouts differ with the writer's age (`<id>/layer.tar`, some of them links to one another,
//! `<diff id>.tar`, `blobs/sha256/<hex>`), but all are names to look up.

use serde::Deserialize;

use super::error::{Error, Result};
use super::hashing::{check_digest, digest_of};
use super::install::{Image, Layer, Verified};
use super::limits;
use super::source::Source;
use crate::model::{Digest, image_name};

/// The file that makes an archive one of docker's.
pub(super) const MANIFEST: &str = "manifest.json";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

/// The images that `manifest` lists.
pub(super) fn images<'a>(source: &'a Source, manifest: &[u8]) -> Result<Vec<Image<'a>>> {
    let items: Vec<Item> = serde_json::from_slice(manifest)
        .map_err(|source| Error::Json { what: MANIFEST.to_owned(), source })?;
    items.into_iter().map(|item| image(source, item)).collect()
}

fn image(source: &Source, item: Item) -> Result<Image<'_>> {
    let names = item.repo_tags.unwrap_or_default();
    let names = names.iter().map(|name| {
        image_name::normalise(name)
            .map_err(|_| Error::document(MANIFEST, "has a tag that is no image name"))
    });
    let names = names.collect::<Result<_>>()?;
    let layers = item.layers.unwrap_or_default();
    if layers.len() > limits::LAYERS {
        let limit = limits::LAYERS as u64;
        return Err(Error::TooLarge { what: MANIFEST.to_owned(), limit, unit: "layers" });
    }
    let layers = layers.into_iter().map(|name| layer(source, name)).collect::<Result<_>>()?;
    Ok(Image { names, manifest: None, config: config(source, &item.config)?, layers })
}

/// Reads a config, which has its digest for a name, if anything.
fn config(source: &Source, name: &str) -> Result<Verified> {
    let what = "the image's config";
    let content = source.require(what, name)?.read_document(what)?;
    let digest = digest_of(&content);
    let stem = name.rsplit('/').next().unwrap_or(name);
    let stem = stem.strip_suffix(".json").unwrap_or(stem);
    if let Ok(expected) = format!("sha256:{stem}").parse::<Digest>() {
        check_digest(what, &expected, digest.clone())?;
    }
    Ok(Verified { digest, content })
}

fn layer(source: &Source, name: String) -> Result<Layer<'_>> {
    let region = source.require("a layer of the image", &name)?;
    Ok(Layer { blob: None, size: region.size(), open: Box::new(move || Ok(Box::new(region))) })
}
