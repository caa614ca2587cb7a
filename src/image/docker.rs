//! Archives of `docker save`: `manifest.json`, configs, and layers under the names it gives.
//!
//! The layouts differ with the writer's age (`<id>/layer.tar`, some of them links to one another,
//! `<diff id>.tar`, `blobs/sha256/<hex>`), but all are names to look up. Such an image has no
//! manifest as registries know it; one is made for it, always the same for the same image.

use std::io::BufReader;

use serde::Deserialize;

use super::codec::Codec;
use super::error::{Error, Result};
use super::hashing::{check_digest, digest_of, digest_of_stream};
use super::install::{Image, Layer, Verified};
use super::source::Source;
use super::stream::{Blob, sniff};
use super::{config, document, limits};
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
    let config = config(source, &item.config)?;
    let diff_ids = config::parse("the image's config", &config.content)?.diff_ids;
    if diff_ids.len() != layers.len() {
        return Err(Error::document(MANIFEST, "does not list as many layers as the image has"));
    }
    let layers = layers.iter().zip(&diff_ids).map(|(name, diff_id)| layer(source, name, diff_id));
    let layers = layers.collect::<Result<Vec<_>>>()?;
    let manifest = document::manifest(&config, layers.iter().map(|layer| &layer.blob))?;
    Ok(Image { names, manifest, config, layers })
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

/// A layer, usually a plain archive: then its digest is its diff id, and is verified as that.
fn layer<'a>(source: &'a Source, name: &str, diff_id: &Digest) -> Result<Layer<'a>> {
    let what = "a layer of the image";
    let region = source.require(what, name)?;
    let codec = sniff(what, &mut BufReader::with_capacity(512, region.clone()))?;
    let digest = match codec {
        Codec::Plain => diff_id.clone(),
        Codec::Gzip | Codec::Zstd => digest_of_stream(what, region.clone())?,
    };
    let blob = Blob { digest, codec, size: region.size() };
    Ok(Layer { blob, open: Box::new(move || Ok(Box::new(region))) })
}
